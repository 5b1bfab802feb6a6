import type { Pause, PausedBy } from './job.js';

/** What is paused as a whole. @publicApi */
export type PauseScope = { handler: string } | { queue: string } | { namespace: string } | { all: true };

/** A pause of many jobs at once. @publicApi */
export interface ScopePause extends Pause {
  scope: PauseScope;
}

/** A scope as storages name it; the name of `all` is empty. */
export interface ScopeRef {
  kind: 'handler' | 'queue' | 'namespace' | 'all';
  name: string;
}

/** Whether a pause of this scope stops what has this place. */
export function pauseCovers(
  { kind, name }: ScopeRef,
  place: { handler: string; queue: string; namespace: string },
): boolean {
  return kind === 'all' || place[kind] === name;
}

const narrowestFirst = ['handler', 'queue', 'namespace', 'all'] as const;

/** Which kind of pause stops what has this place, of several the narrowest; null: none. SQL storages mirror it. */
export function stoppedBy(
  pauses: Iterable<ScopeRef>,
  place: { handler: string; queue: string; namespace: string },
): Exclude<PausedBy, 'job'> | null {
  const kinds = new Set<string>();
  for (const pause of pauses) if (pauseCovers(pause, place)) kinds.add(pause.kind);
  return narrowestFirst.find((kind) => kinds.has(kind)) ?? null;
}
