import { pauseCovers, type ScopeRef } from '../model/pause.js';
import type {
  Capability,
  EpochMs,
  PauseOrder,
  ScopeResumption,
  StoredPause,
} from '../ports/storage.adapter.js';
import { addGap, setCursor } from './cursors.js';
import type { Reach } from './due.index.js';
import { toPause, withEnd } from './own.pause.js';
import type { JobRow, MemoryTables, PauseRow } from './tables.js';

export function pauseScope(
  tables: MemoryTables,
  now: EpochMs,
  { kind, name }: ScopeRef,
  { reason, by, until }: PauseOrder,
): StoredPause {
  const key = keyOf({ kind, name });
  const pause = withEnd<PauseRow>(tables.pauses.get(key) ?? { kind, name, reason, by, at: now }, until);
  tables.pauses.set(key, pause);
  tables.wake({ kind: 'change' });
  return toStoredPause(pause);
}

export function resumeScope(
  tables: MemoryTables,
  now: EpochMs,
  scope: ScopeRef,
  plan: ScopeResumption,
): boolean {
  const pause = tables.pauses.get(keyOf(scope));
  if (!pause) return false;
  const others = [...tables.pauses.values()].filter((other) => other !== pause);
  const planned = [...tables.jobs.values()]
    .filter((job) => job.cursorAt !== null && job.cursorAt <= now)
    .filter((job) => covers(pause, job) && !others.some((other) => covers(other, job)))
    .map((job) => {
      const { id, namespace, trigger, timeZone } = job.definition;
      const pausedFrom = job.cursorAt!;
      return { job, ...plan(structuredClone({ id, namespace, trigger, timeZone, pausedFrom }), now) };
    });
  for (const { job, nextAt, gap } of planned) {
    setCursor(tables, job, nextAt);
    if (gap !== null) addGap(tables, job, gap);
  }
  tables.pauses.delete(keyOf(scope));
  tables.wake({ kind: 'change' });
  return true;
}

export function queryPauses(tables: MemoryTables): StoredPause[] {
  return [...tables.pauses.values()].map(toStoredPause);
}

/** Whether a pause of some scope keeps the job from firing and from being claimed. */
export function isStopped(tables: MemoryTables, job: JobRow): boolean {
  for (const pause of tables.pauses.values()) if (covers(pause, job)) return true;
  return false;
}

/** What a worker may take at present. */
export function reachOf(tables: MemoryTables, { app, queues, handlers }: Capability): Reach {
  if (tables.pauses.size === 0) return { app, queues, handlers };
  const open = (kind: ScopeRef['kind'], name: string): boolean => !tables.pauses.has(keyOf({ kind, name }));
  if (!open('all', '')) return { app, queues: [], handlers: [] };
  return {
    app,
    queues: queues.filter((queue) => open('queue', queue)),
    handlers: handlers.filter((handler) => open('handler', handler)),
    isOpen: (namespace) => open('namespace', namespace),
  };
}

function covers(pause: ScopeRef, { definition }: JobRow): boolean {
  return pauseCovers(pause, definition);
}

function keyOf({ kind, name }: ScopeRef): string {
  return `${kind}\0${name}`;
}

function toStoredPause({ kind, name, ...pause }: PauseRow): StoredPause {
  return { kind, name, ...toPause(pause) };
}
