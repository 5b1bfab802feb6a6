import { stableJson } from '../model/json.js';
import { declaredOf } from '../model/job.changes.js';
import type { JobDefinition, JobRef } from '../model/job.js';
import type { DefinitionChange, StoredDefinition } from '../ports/storage.adapter.js';
import { refKey } from '../scheduler/job.identity.js';
import type { DeclaredJob } from './declared.job.js';

/** A job that a start has stored anew, and one that its code does not declare: the same method, it seems, before it was renamed. */
export interface UnsaidRename {
  namespace: string;
  id: string;
  previousId: string;
}

/**
 * Of the jobs that were stored by these changes those whose id is their `Class.method`, as was that of a job which the code of this process does not declare: of the same schedule, and of the
 * same class or method. Where several may be meant, none is.
 */
export function unsaidRenames(
  declared: readonly DeclaredJob[],
  stored: ReadonlyMap<string, StoredDefinition>,
  changes: readonly DefinitionChange[],
): UnsaidRename[] {
  const isNew = new Set(changes.flatMap((change) => newKey(change, stored) ?? []));
  if (isNew.size === 0) return [];
  const own = new Set(declared.map(({ definition }) => refKey(definition)));
  const changed = new Set(changes.flatMap((change) => (change.kind === 'insert' ? [] : [change.uid])));
  const candidates = new Map<string, StoredDefinition[]>();
  for (const job of stored.values()) {
    if (job.id !== job.handler || job.orphanedReason === 'superseded') continue;
    if (own.has(refKey(job)) || changed.has(job.uid)) continue;
    for (const key of likeness(job, job.changed === null ? job : declaredOf(job.changed))) {
      const alike = candidates.get(key);
      if (alike === undefined) candidates.set(key, [job]);
      else alike.push(job);
    }
  }
  return declared.flatMap(({ definition }) => {
    const { namespace, id, handler } = definition;
    if (id !== handler || !isNew.has(refKey(definition))) return [];
    const [byMethod, byClass] = likeness(definition, definition).map((key) => candidates.get(key));
    const [found, another] = byMethod ?? byClass ?? [];
    return found === undefined || another !== undefined ? [] : [{ namespace, id, previousId: found.id }];
  });
}

/** One that never fired was stored by a process that runs no jobs. */
function newKey(change: DefinitionChange, stored: ReadonlyMap<string, StoredDefinition>): string | null {
  if (change.kind === 'insert') return refKey(change.job);
  const job = change.kind === 'adopt' ? stored.get(change.uid) : undefined;
  return job?.firedUntil === null ? refKey(job) : null;
}

/** What two jobs have in common that may be one: the schedule, but for the anchor of an interval, and the name of the method, or that of the class. */
function likeness(
  { namespace, id }: JobRef,
  { trigger, timeZone }: Pick<JobDefinition, 'trigger' | 'timeZone'>,
): string[] {
  const dot = id.indexOf('.');
  const schedule = { ...trigger, anchor: null };
  return [id.slice(dot), id.slice(0, dot + 1)].map((name) =>
    stableJson([namespace, schedule, timeZone, name]),
  );
}
