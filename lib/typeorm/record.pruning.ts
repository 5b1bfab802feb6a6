import {
  deadLettersKeptMs,
  gapVerdicts,
  keptMs,
  leastWithheldMs,
  longestKeptMs,
  longestRetention,
  withheld,
  type Pruned,
  type Retention,
} from '../model/retention.js';
import { binaryKeptMs, bulkActionsKeptMs, type EpochMs } from '../ports/storage.adapter.js';
import type { Database } from './database.js';
import { Forgetting } from './forgetting.js';
import { LedgerDays } from './ledger.days.js';
import { OutcomePruning } from './outcome.pruning.js';
import type { TableNames } from './sql/table.names.js';
import type { Run } from './statement.runner.js';

const rowsPerRound = 5_000;
const fewestRows = 100;
/** Each may have ten thousand steps. */
const flowsPerRound = 50;
/** For each all that may refer to it is looked through. */
const binariesPerRound = 100;
/** Of a day that will soon be dropped as a whole, deleting rows one by one is waste: just enough to be exact where there are few. */
const rowsOfBrokenDay = 1_000;
/** Their ends tell for how long a job has been declared by nobody. */
const workersKeptMs = 3_600_000;
/** Those of a run that has ended; a run that ends at this moment need not be looked at. */
const signalsKeptMs = 60_000;
const twoDaysMs = 2 * 86_400_000;

/** What there is to forget. */
interface Outdated {
  now: EpochMs;
  partitions: string[];
  bare: string[];
  attempts: boolean;
  gaps: boolean;
  jobs: boolean;
  dead_letters: boolean;
  workers: boolean;
  steps: boolean;
  flows: boolean;
  definitions: boolean;
  binaries: boolean;
  audit: boolean;
  run_logs: boolean;
  bulk_actions: boolean;
  run_progress: boolean;
  flow_history: boolean;
  definition_history: boolean;
  signals: boolean;
}

type OmitFirstTwo<T extends readonly unknown[]> = T extends readonly [unknown, unknown, ...infer Rest]
  ? Rest
  : never;

/**
 * Forgets what is older than it is kept, in steps of bounded size. Looks first, in one statement, where there is something. One step that fails keeps no other
 * from being done, and is smaller the next time, as it may have been too much for its deadline; nor does one row, see `Forgetting`.
 */
export class RecordPruning {
  private readonly outcomes = new OutcomePruning();
  private readonly forgetting = new Forgetting();
  private readonly ledgerDays: LedgerDays;
  private rows = rowsPerRound;

  constructor(t: TableNames) {
    this.ledgerDays = new LedgerDays(t);
  }

  /** Rejects with the first error when all that can be done is done. */
  async prune(run: Run, database: Database, wanted: Retention, agedMs: number): Promise<Pruned> {
    const others = await run<{ retention: Retention }>('wantedRetentions');
    const retention = longestRetention([wanted, ...others.map((row) => row.retention)]);
    const [aged] = await run<{ as_of: EpochMs; now: EpochMs }>('ageRecord', agedMs);
    const aheadMs = aged!.now - aged!.as_of;
    const longestMs = longestKeptMs(retention);
    const historyMs = retention.historyMs ?? 0;
    const gapsKept = gapVerdicts.map((verdict) => keptMs(retention, verdict));
    const [outdated] = await run<Outdated>(
      'findOutdated',
      longestMs,
      gapVerdicts,
      gapsKept,
      signalsKeptMs,
      historyMs,
      binaryKeptMs,
      retention.auditMs === undefined ? null : aged!.now - retention.auditMs,
      bulkActionsKeptMs,
    );
    const { now, attempts, workers } = outdated;
    const horizon = now - longestMs;
    const partitions = new Map(outdated.partitions.map((name) => [name, outdated.bare.includes(name)]));
    const { rows } = this;
    const errors = await this.ledgerDays.create(database, now, partitions);
    if (aheadMs > leastWithheldMs) {
      if (errors.length > 0) throw errors[0];
      return withheld(aheadMs);
    }
    const dropped = await this.ledgerDays.drop(database, now, horizon, partitions);
    errors.push(...dropped.errors);
    let isTooMuch = false;
    const step = async <T>(work: () => Promise<T>, otherwise: T): Promise<T> => {
      try {
        return await work();
      } catch (error) {
        isTooMuch = true;
        errors.push(error);
        return otherwise;
      }
    };
    const { forgetting } = this;
    const forget = (
      isNeeded: boolean,
      ...[statement, most, ...values]: OmitFirstTwo<Parameters<Forgetting['forget']>>
    ): Promise<number> =>
      step(
        async () => (isNeeded ? (await forgetting.forget(run, now, statement, most, ...values)).count : 0),
        0,
      );
    const gapHorizons = gapsKept.map((ms) => now - ms);
    const deadHorizon = now - deadLettersKeptMs(retention);
    const ofBrokenDay = longestMs >= twoDaysMs ? Math.min(rowsOfBrokenDay, rows) : rows;
    const undated = await forget(attempts, 'forgetUndated', rows, horizon);
    const gaps = await forget(outdated.gaps, 'forgetGaps', rows, gapVerdicts, gapHorizons);
    const jobs = await forget(outdated.jobs, 'forgetKept', rows);
    const deadLetters = await forget(outdated.dead_letters, 'forgetDead', rows, deadHorizon);
    const flows = await forget(outdated.flows, 'forgetFlows', flowsPerRound, horizon, historyMs > 0);
    // What was kept for the retry of a flow goes with it.
    const steps = await forget(outdated.steps, 'forgetRunSteps', rows, horizon);
    await forget(outdated.definitions, 'forgetDefinitions', rows, horizon, historyMs > 0);
    await forget(outdated.binaries, 'forgetBinaries', binariesPerRound, now - binaryKeptMs);
    const audit = await forget(outdated.audit, 'forgetAudit', rows, now - (retention.auditMs ?? 0));
    const archived = now - historyMs;
    const logs = await forget(outdated.run_logs, 'forgetRunLogs', rows, horizon);
    const bulk = await forget(outdated.bulk_actions, 'forgetBulkActions', rows, now - bulkActionsKeptMs);
    const progress = await forget(outdated.run_progress, 'forgetRunProgress', rows);
    const oldFlows = await forget(outdated.flow_history, 'forgetFlowHistory', flowsPerRound, archived);
    const oldVersions = await forget(outdated.definition_history, 'forgetDefinitionHistory', rows, archived);
    const signals = await forget(outdated.signals, 'forgetRunSignals', rows, now - signalsKeptMs);
    const dated = await forget(attempts, 'forgetAttempts', ofBrokenDay, horizon);
    const nothing = { attempts: 0, more: false };
    const short = await step(() => this.outcomes.step(run, now, retention, forgetting), nothing);
    await forget(workers, 'forgetWorkers', rowsPerRound, Math.min(horizon, now - workersKeptMs));
    this.rows = isTooMuch ? Math.max(Math.floor(rows / 2), fewestRows) : Math.min(rows * 2, rowsPerRound);
    if (errors.length > 0) throw errors[0];
    const refused = forgetting.takeRefused();
    return {
      more:
        short.more ||
        [undated, gaps, jobs, deadLetters, dated].includes(rows) ||
        steps >= rows ||
        flows >= flowsPerRound ||
        oldFlows >= flowsPerRound ||
        oldVersions >= rows ||
        signals >= rows ||
        audit >= rows ||
        logs >= rows ||
        bulk >= rows ||
        progress >= rows,
      withheldMs: 0,
      attempts: undated + dated + short.attempts,
      days: dropped.days,
      gaps,
      jobs,
      deadLetters,
      ...(audit > 0 && { audit }),
      ...(refused.length > 0 && { refused }),
    };
  }
}
