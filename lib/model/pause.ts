import type { Pause, PausedBy } from './job.js';

/** What is paused as a whole. @publicApi */
export type PauseScope = { handler: string } | { queue: string } | { namespace: string } | { all: true };

/** A pause of many jobs at once. @publicApi */
export interface ScopePause extends Pause {
  scope: PauseScope;
}

/** A pause of a job, or of a scope, as events tell of it. @publicApi */
export interface StandingPause extends Pause {
  kind: PausedBy;
  /** Of the job; null: it is a scope. */
  namespace: string | null;
  /** The id of the job, or the name of the scope; empty for `all`. */
  name: string;
}

/** Which pause it is, in one line. */
export function pauseRow({
  kind,
  namespace,
  name,
}: Pick<StandingPause, 'kind' | 'namespace' | 'name'>): string {
  if (kind === 'all') return kind;
  return kind === 'job' ? `job ${namespace}/${name}` : `${kind} ${name}`;
}

/** A scope as storages name it; the name of `all` is empty. */
export interface ScopeRef {
  kind: 'handler' | 'queue' | 'namespace' | 'all';
  name: string;
}

/** A scope as users name it. */
export function toScope({ kind, name }: ScopeRef): PauseScope {
  return kind === 'all' ? { all: true } : ({ [kind]: name } as PauseScope);
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
