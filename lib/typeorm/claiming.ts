import type { Capability, ClaimResult } from '../ports/storage.adapter.js';
import { tellSteps } from './claimed.steps.js';
import { inHalves, isRefusal } from './refusals.js';
import type { Reach } from './run.loop.js';
import { fromTakenRow, inOrderOfClaims, stepsOf, type TakenRow } from './run.rows.js';
import type { Run } from './statement.runner.js';

/** How long a run is passed over that the server does not let anybody claim. */
const retryInMs = 60_000;

/**
 * Claims in one statement. Where the server refuses that, for a trigger of somebody else for instance, what it would hand out is looked up and claimed in halves, down to the run that it is about: that is
 * passed over for a while, and all claims of that time are made in two statements.
 */
export class Claiming {
  /** Until when they are passed over (monotonic). */
  private readonly refused = new Map<string, number>();

  async claim(run: Run, capability: Capability, limit: number, reach: Reach): Promise<ClaimResult> {
    if (!this.isPassingOver()) {
      const statement = capability.queues.length === 1 ? 'claimFromOne' : 'claimFromSeveral';
      try {
        const taken = await run<TakenRow>(statement, ...valuesOf(capability, limit, reach));
        const steps = stepsOf(taken);
        const result = claimed(taken, capability);
        if (steps.size > 0) await tellSteps(run, result.runs, steps);
        return result;
      } catch (error) {
        if (!isRefusal(error)) throw error;
      }
    }
    const passed = [...this.refused.keys()];
    const found = await run<{ id: string }>('claimable', ...valuesOf(capability, limit, reach), passed);
    const { results, refused, isInVain } = await inHalves(
      found.map(({ id }) => id),
      (ids) => run<TakenRow>('claimGiven', ...valuesOf(capability, ids, reach)),
    );
    const until = performance.now() + retryInMs;
    for (const { item } of refused) this.refused.set(item, until);
    // Told as one failure. The next call passes over these, and may find others behind them.
    if (isInVain) throw refused[0]!.error;
    return {
      ...(await handedOut(run, results.flat(), capability)),
      ...(refused.length > 0 && {
        refused: refused.map(({ item: runId, error }) => ({ runId, error, retryInMs })),
      }),
    };
  }

  private isPassingOver(): boolean {
    if (this.refused.size === 0) return false;
    const now = performance.now();
    for (const [runId, until] of this.refused) if (until <= now) this.refused.delete(runId);
    return this.refused.size > 0;
  }
}

/** `taken`: how many at most, or which. */
function valuesOf(
  { workerId, app, queues, handlers }: Capability,
  taken: number | readonly string[],
  { aheadMs, reached }: Reach,
): unknown[] {
  return [workerId, queues, handlers, taken, aheadMs, app, reached];
}

async function handedOut(run: Run, rows: TakenRow[], capability: Capability): Promise<ClaimResult> {
  const result = claimed(rows, capability);
  await tellSteps(run, result.runs, stepsOf(rows));
  return result;
}

function claimed(rows: TakenRow[], { workerId, app }: Capability): ClaimResult {
  const now = rows.find(([at]) => at !== null)?.[0] ?? null;
  return { now, runs: rows.sort(inOrderOfClaims).map((row) => fromTakenRow(row, workerId, app)) };
}
