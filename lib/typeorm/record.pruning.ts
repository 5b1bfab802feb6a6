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

/** What there is to forget. */
interface Outdated {
  now: EpochMs;
  partitions: string[];
  attempts: boolean;
  gaps: boolean;
  jobs: boolean;
  dead_letters: boolean;
  workers: boolean;
}

/** Forgets what is older than it is kept, in steps of bounded size. Looks first, in one statement, where there is something. */
export class RecordPruning {
  private readonly outcomes = new OutcomePruning();

  async prune(run: Run, database: Database, t: TableNames, retention: Retention): Promise<Pruned> {
    const longestMs = longestKeptMs(retention);
    const gapsKept = gapVerdicts.map((verdict) => keptMs(retention, verdict));
    const [outdated] = await run<Outdated>('findOutdated', longestMs, gapVerdicts, gapsKept);
    const { now } = outdated;
    const horizon = now - longestMs;
    const partitions = new Set(outdated.partitions);
    await createLedgerDays(database, t, now, partitions);
    const days = await dropLedgerDays(database, t, horizon, partitions);
    const forget = async (isNeeded: boolean, ...[statement, ...values]: Parameters<Run>): Promise<number> => {
      if (!isNeeded) return 0;
      const [{ count }] = await run<{ count: number }>(statement, ...values);
      return count;
    };
    const { attempts, workers } = outdated;
    const gapHorizons = gapsKept.map((ms) => now - ms);
    const deadHorizon = now - deadLettersKeptMs(retention);
    const ofBrokenDay = longestMs >= twoDaysMs ? rowsOfBrokenDay : rowsPerRound;
    const undated = await forget(attempts, 'forgetUndated', horizon, rowsPerRound);
    const gaps = await forget(outdated.gaps, 'forgetGaps', gapVerdicts, gapHorizons, rowsPerRound);
    const jobs = await forget(outdated.jobs, 'forgetKept', rowsPerRound);
    const deadLetters = await forget(outdated.dead_letters, 'forgetDead', deadHorizon, rowsPerRound);
    const dated = await forget(attempts, 'forgetAttempts', horizon, ofBrokenDay);
    const short = await this.outcomes.step(run, now, retention);
    await forget(workers, 'forgetWorkers', horizon);
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
