import type { Settlement } from '../ports/storage.adapter.js';
import { isRefusal } from './refusals.js';
import type { Run } from './statement.runner.js';

/** Before they are settled; all are of one worker. */
export async function noteTraces(run: Run, settlements: readonly Settlement[]): Promise<void> {
  const traced = settlements.filter(({ trace }) => trace !== undefined);
  if (traced.length === 0) return;
  try {
    await run(
      'noteTraces',
      traced.map(({ runId }) => runId),
      traced.map(({ fence }) => fence),
      traced.map(({ trace }) => trace),
      traced[0]!.worker,
    );
  } catch (error) {
    // Whoever refuses to have a row changed refuses its settlement as well, which is divided until that is found.
    if (!isRefusal(error)) throw error;
  }
}
