import type { Tracing } from '../engine/tracing.js';
import { RunNotFailedError, RunNotFoundError } from '../model/errors.js';
import type { Run } from '../model/run.js';
import type { DurationInput } from '../model/trigger.js';
import { stillRuns } from '../ports/retry.refusals.js';
import { refuseEnding } from './ending.flows.js';
import type { JobStore } from '../ports/storage.adapter.js';
import { parseDelay } from '../triggers/duration.js';
import type { JobAccess } from './job.access.js';
import { ManySteps, stepKeys, type ManyStepOptions } from './many.steps.js';
import { knownOptions, lineOfText, trueOrFalse } from './option.checks.js';
import { failedRunFilter, type FailedRunFilter } from './run.query.js';

export interface BulkOptions extends ManyStepOptions {
  /** Only count. @default false */
  dryRun?: boolean;
}

export interface RetryOptions extends BulkOptions {
  /**
   * The retries are due at random, evenly over so long, instead of all now: so they neither come down together on what has just recovered, nor keep other
   * work waiting behind them. @default 0
   */
  spread?: DurationInput;
}

/** What a bulk operation came to. @publicApi */
export interface BulkResult {
  /** Runs that met the filter. */
  found: number;
  /** Those that were changed; fewer when somebody else was faster, 0 in a dry run. */
  changed: number;
}

const runsPerStep = 500;

/** Runs that gave up: retries and discards them, one by one and in bulk. */
export class DeadLetters {
  constructor(
    /** Of times without an offset. */
    private readonly timeZone: string,
    /** What this process executes of what has its verdict, or gets it. */
    private readonly engine: { readonly givenUp: readonly string[] },
    private readonly tracing: Tracing,
  ) {}

  async retry(runId: string, { jobs, changed }: JobAccess): Promise<Run> {
    const id = lineOfText(runId, 'runId');
    const trace = this.tracing.current();
    let [run] = await jobs.retryRuns([id], [], this.engine.givenUp, trace);
    if (run === undefined) {
      await refuseRunning(id, jobs, this.engine.givenUp);
      // What still ran may have ended just now.
      [run] = await jobs.retryRuns([id], [], this.engine.givenUp, trace);
    }
    if (run === undefined) return this.refuse(id, jobs);
    changed();
    return run;
  }

  async discard(runId: string, { jobs }: JobAccess): Promise<void> {
    const discarded = await jobs.discardRuns([lineOfText(runId, 'runId')]);
    if (discarded.length === 0) await this.refuse(runId, jobs);
  }

  async retryAll(
    filter: FailedRunFilter,
    options: RetryOptions,
    { jobs, changed }: JobAccess,
  ): Promise<BulkResult> {
    const { spread = 0 } = knownOptions(
      options,
      ['dryRun', 'spread', 'manager', ...stepKeys],
      'retryFailed()',
    ) as RetryOptions;
    const spreadMs = parseDelay(spread, 'spread');
    const result = await this.each(filter, options, jobs, (runIds) =>
      jobs.retryRuns(
        runIds,
        spreadMs === 0 ? [] : spreadOver(spreadMs, runIds.length),
        this.engine.givenUp,
        this.tracing.current(),
      ),
    );
    changed();
    return result;
  }

  discardAll(filter: FailedRunFilter, options: BulkOptions, { jobs }: JobAccess): Promise<BulkResult> {
    knownOptions(options, ['dryRun', 'manager', ...stepKeys], 'discardFailed()');
    return this.each(filter, options, jobs, (runIds) => jobs.discardRuns(runIds));
  }

  /** From the newest to the oldest: what fails again meanwhile has a higher id than where this stands, and is left alone. */
  private async each(
    given: FailedRunFilter,
    options: BulkOptions,
    jobs: JobStore,
    change: (runIds: string[]) => Promise<readonly unknown[]>,
  ): Promise<BulkResult> {
    const dryRun = trueOrFalse(options.dryRun ?? false, 'dryRun');
    const filter = failedRunFilter(given, this.timeZone);
    const result = { found: 0, changed: 0 };
    const steps = new ManySteps(options);
    let cursor: string | null = null;
    for (let limit = steps.next(runsPerStep); limit > 0; limit = steps.next(runsPerStep)) {
      const page = await jobs.queryRuns(filter, { limit, ...(cursor && { cursor }) });
      result.found += page.items.length;
      if (!dryRun && page.items.length > 0)
        result.changed += (await change(page.items.map(({ id }) => id))).length;
      steps.done(page.items.length, result.changed);
      ({ cursor } = page);
      if (cursor === null) break;
    }
    return result;
  }

  private async refuse(runId: string, jobs: JobStore): Promise<never> {
    const [run] = (await jobs.queryRuns({ runId }, { limit: 1 })).items;
    await refuseEnding(runId, jobs);
    throw run ? new RunNotFailedError(runId, run.state) : new RunNotFoundError(runId);
  }
}

/** One in each of so many equal parts, so that few are as even as many. */
function spreadOver(ms: number, count: number): number[] {
  return Array.from({ length: count }, (_, nth) => Math.floor(((nth + Math.random()) / count) * ms));
}

/** Of a workflow. */
async function refuseRunning(runId: string, jobs: JobStore, givenUp: readonly string[]): Promise<void> {
  const [run] = (await jobs.queryRuns({ runId, state: ['failed', 'timed_out', 'lost'] }, { limit: 1 })).items;
  const running = run === undefined ? [] : ((await jobs.flows?.queryRunningSteps(runId, givenUp)) ?? []);
  if (running.length > 0) throw stillRuns(runId, run!.state, running);
}
