import type { RefusedRow } from '../model/retention.js';
import type { EpochMs } from '../ports/storage.adapter.js';
import { isRefusal } from './refusals.js';
import type { Run } from './statement.runner.js';

/** How long a row is passed over that the server does not let go. */
const retryInMs = 600_000;
/** So many rows are passed over in one call at most: the rest is for the next one. */
const mostPassedOver = 100;
/** Where so many are refused one after the other, it may be no row that is to blame: that is told as one failure. The next call passes over these. */
const mostInVain = 50;

/** What each statement forgets, as it is told, before the id. */
const kinds = {
  forgetAttempts: 'attempts of run',
  forgetUndated: 'attempts of run',
  forgetOutcome: 'attempts of run',
  forgetGaps: 'gap',
  forgetKept: 'run',
  forgetDead: 'run',
  forgetRunSteps: 'steps of run',
  forgetFlows: 'flow',
  forgetRunSignals: 'signal',
  forgetWorkers: 'worker',
  forgetDefinitions: 'definition',
  forgetBinaries: 'program',
  forgetAudit: 'audit entry',
  forgetRunLogs: 'log of run',
  forgetBulkActions: 'bulk action',
  forgetRunProgress: 'progress of run',
  forgetFlowHistory: 'archived flow',
  forgetDefinitionHistory: 'archived definition',
} as const;

type Statement = keyof typeof kinds;

/** `found`: with those that were passed over, where the statement counts them. */
interface Forgotten {
  count: number;
  found: number;
}

/**
 * Runs the statements that forget. One that the server refuses is repeated with fewer rows, down to the one that it is about: that is passed over for a while, and told, and the rest goes.
 * Nothing else is needed for it than the order in which each statement takes its rows.
 */
export class Forgetting {
  private readonly passedOver = new Map<string, Map<string, EpochMs>>();
  private refused: RefusedRow[] = [];

  /** What was found since the last call. */
  takeRefused(): RefusedRow[] {
    const { refused } = this;
    this.refused = [];
    return refused;
  }

  /** Up to `limit` rows. `values`: those of the statement before its limit. */
  async forget(
    run: Run,
    now: EpochMs,
    statement: Statement,
    limit: number,
    ...values: readonly unknown[]
  ): Promise<Forgotten> {
    const passed = this.passedBy(statement, now);
    const ask = async (size: number, really: boolean): Promise<Forgotten & { first: string | null }> => {
      const [row] = await run<Forgotten & { first: string | null }>(
        statement,
        ...values,
        size,
        [...passed.keys()],
        really,
      );
      return row!;
    };
    try {
      return await ask(limit, true);
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    const sum = { count: 0, found: 0 };
    const refused: RefusedRow[] = [];
    let inVain = 0;
    for (let size = Math.ceil(limit / 2); sum.count < limit && refused.length < mostPassedOver;) {
      try {
        const { count, found } = await ask(size, true);
        sum.found = sum.count + found;
        sum.count += count;
        inVain = 0;
        if (count < size) break;
        size = Math.min(size * 2, limit - sum.count);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        if (size > 1) {
          size = Math.floor(size / 2);
          continue;
        }
        const { first } = await ask(1, false);
        if (first === null || ++inVain === mostInVain) throw error;
        passed.set(first, now + retryInMs);
        refused.push({ row: `${kinds[statement]} ${first}`, error, retryInMs });
      }
    }
    this.refused.push(...refused);
    return sum;
  }

  private passedBy(statement: Statement, now: EpochMs): Map<string, EpochMs> {
    const kind = kinds[statement];
    const passed = this.passedOver.get(kind) ?? new Map<string, EpochMs>();
    this.passedOver.set(kind, passed);
    for (const [id, until] of passed) if (until <= now || until > now + retryInMs) passed.delete(id);
    return passed;
  }
}
