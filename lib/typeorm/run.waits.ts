import type { RunVerdict } from '../model/verdict.js';
import { unreachable } from '../ports/waits.js';
import type { EndedRow } from './run.conclusion.js';
import type { Run, StatementRunner } from './statement.runner.js';

/** A run that has ended, or, with null, a dead letter that is gone. */
export interface AwaitedEnd {
  id: string;
  verdict: RunVerdict | null;
}

/** Tells what waits for these runs, which are locked or gone. Returns what has ended by that: it was cancelled, and others may wait for it. */
export async function tellWaits(run: Run, ended: readonly AwaitedEnd[]): Promise<EndedRow[]> {
  if (ended.length === 0) return [];
  const ids = ended.map(({ id }) => id);
  if ((await run('lockWaiting', ids)).length === 0) return [];
  type Told = { cancelled: { id: string; badly: { id: string; verdict: RunVerdict }[] }[] | null };
  const [told] = await run<Told>(
    'advanceWaits',
    ids,
    ended.map(({ verdict }) => verdict),
  );
  const cancelled = told?.cancelled ?? [];
  if (cancelled.length === 0) return [];
  return run<EndedRow>(
    'endUnreachable',
    cancelled.map(({ id }) => id),
    cancelled.map(({ badly }) => unreachable(badly)),
  );
}

const rowsPerStep = 500;

/** Tells what waits of ends that a release without this has not told. Goes through all that waits, some with each call. */
export class WaitReconciling {
  private after = '0';

  /** How many runs it were. */
  async step(
    statements: StatementRunner,
    conclude: (run: Run, ended: readonly EndedRow[]) => Promise<void>,
  ): Promise<number> {
    type Lost = { last: string | null; runs: AwaitedEnd[] | null };
    const [found] = await statements.run<Lost>('findLostWaits', this.after, rowsPerStep);
    const { last, runs } = found!;
    if (runs !== null) {
      await statements.change(async ({ run }) => conclude(run, await tellWaits(run, runs)));
    }
    this.after = last ?? '0';
    return runs?.length ?? 0;
  }
}
