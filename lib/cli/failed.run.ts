import type { Run } from '../index.js';
import type { Session } from './session.js';

const gaveUp: ReadonlySet<Run['state']> = new Set(['failed', 'timed_out', 'lost']);

/** A run that could be retried or discarded. Throws RunNotFoundError and RunNotFailedError, as these would. */
export async function failedRun(scheduler: Session['scheduler'], runId: string): Promise<Run> {
  const [run] = (await scheduler.getRuns({ runId })).items;
  if (run !== undefined && gaveUp.has(run.state)) return run;
  // Nest with them: only where there is something to refuse.
  const { RunNotFailedError, RunNotFoundError } = await import('../index.js');
  throw run === undefined ? new RunNotFoundError(runId) : new RunNotFailedError(runId, run.state);
}
