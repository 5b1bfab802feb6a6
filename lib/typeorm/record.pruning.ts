import {
  deadLettersKeptMs,
  gapVerdicts,
  keptMs,
  longestKeptMs,
  type Pruned,
  type Retention,
} from '../model/retention.js';
import type { EpochMs } from '../ports/storage.adapter.js';
import type { Database } from './database.js';
import { createLedgerDays, dropLedgerDays } from './ledger.days.js';
import { OutcomePruning } from './outcome.pruning.js';
import type { TableNames } from './sql/table.names.js';
import type { Run } from './statement.runner.js';

const rowsPerRound = 5_000;
/** Of a day that will soon be dropped as a whole, deleting rows one by one is waste: just enough to be exact where there are few. */
const rowsOfBrokenDay = 1_000;
const twoDaysMs = 2 * 86_400_000;

/** Forgets what is older than it is kept, in steps of bounded size. */
export class RecordPruning {
  private readonly outcomes = new OutcomePruning();

  async prune(run: Run, database: Database, t: TableNames, retention: Retention): Promise<Pruned> {
    const [{ now }] = await run<{ now: EpochMs }>('readTime');
    const longestMs = longestKeptMs(retention);
    const horizon = now - longestMs;
    const gapHorizons = gapVerdicts.map((verdict) => now - keptMs(retention, verdict));
    await createLedgerDays(database, t, now);
    const days = await dropLedgerDays(database, t, horizon);
    const forget = async (...[statement, ...values]: Parameters<Run>): Promise<number> => {
      const [{ count }] = await run<{ count: number }>(statement, ...values);
      return count;
    };
    const undated = await forget('forgetUndated', horizon, rowsPerRound);
    const gaps = await forget('forgetGaps', gapVerdicts, gapHorizons, rowsPerRound);
    const jobs = await forget('forgetKept', rowsPerRound);
    const deadLetters = await forget('forgetDead', now - deadLettersKeptMs(retention), rowsPerRound);
    const dated = await forget(
      'forgetAttempts',
      horizon,
      longestMs >= twoDaysMs ? rowsOfBrokenDay : rowsPerRound,
    );
    const short = await this.outcomes.step(run, now, retention);
    await run('forgetWorkers', horizon);
    return {
      more: short.more || [undated, gaps, jobs, deadLetters, dated].includes(rowsPerRound),
      attempts: undated + dated + short.attempts,
      days,
      gaps,
      jobs,
      deadLetters,
    };
  }
}
