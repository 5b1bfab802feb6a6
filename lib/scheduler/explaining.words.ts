import type { Job, PausedBy } from '../model/job.js';
import type { ScopePause } from '../model/pause.js';
import { wallText } from '../triggers/wall.text.js';

/** `2026-11-30 02:00:00 (Asia/Seoul)`. */
export function timeIn(timeZone: string, at: Date | number): string {
  return `${wallText(Number(at), timeZone).full} (${timeZone})`;
}

/** With the milliseconds, where there are any: for times that lie beside each other. */
export function exactTimeIn(timeZone: string, at: number): string {
  const ms = ((at % 1_000) + 1_000) % 1_000;
  const fraction = ms === 0 ? '' : `.${String(ms).padStart(3, '0')}`;
  return `${wallText(at, timeZone).full}${fraction} (${timeZone})`;
}

/** `"nightly"`, with its namespace if that is not the default one. */
export function jobWords({ namespace, id }: { namespace: string; id: string }): string {
  return namespace === 'default' ? `"${id}"` : `"${id}" in the namespace "${namespace}"`;
}

/** `run 4711 of "nightly" (Reports.nightly)`. */
export function runWords(run: { runId: string; namespace: string; jobId: string; handler: string }): string {
  const { runId, namespace, jobId, handler } = run;
  return `run ${runId} of ${jobWords({ namespace, id: jobId })}${handler === jobId ? '' : ` (${handler})`}`;
}

/** ` since 2026-… by ops (migration)`. */
export function whoPaused(
  { at, by, reason }: { at: Date; by: string | null; reason: string | null },
  timeZone: string,
): string {
  return ` since ${timeIn(timeZone, at)}${by === null ? '' : ` by ${by}`}${reason === null ? '' : ` (${reason})`}`;
}

/** What is paused, as the subject of a sentence. */
export function pausedWhat(by: PausedBy, job: Pick<Job, 'handler' | 'queue' | 'namespace'>): string {
  if (by === 'job') return 'The job is paused';
  if (by === 'all') return 'Everything is paused';
  return `The ${by} "${job[by]}" is paused`;
}

/** The pause of this kind that holds the job; null: it is gone by now. */
export function pauseOf(
  by: PausedBy,
  job: Pick<Job, 'handler' | 'queue' | 'namespace'>,
  pauses: readonly ScopePause[],
): ScopePause | null {
  const holds = ({ scope }: ScopePause): boolean => {
    if (by === 'all') return 'all' in scope;
    return by !== 'job' && (scope as Record<string, unknown>)[by] === job[by];
  };
  return pauses.find(holds) ?? null;
}
