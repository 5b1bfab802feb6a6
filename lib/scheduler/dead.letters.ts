import { RunNotFailedError, RunNotFoundError } from '../model/errors.js';
import type { Run } from '../model/run.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import { knownOptions, lineOfText, trueOrFalse } from './option.checks.js';
import { failedRunFilter, type FailedRunFilter } from './run.query.js';

export interface BulkOptions {
  /** Only count. @default false */
  dryRun?: boolean;
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
    private readonly storage: StorageAdapter,
    private readonly wake: () => void,
  ) {}

  async retry(runId: string): Promise<Run> {
    const [run] = await this.storage.retryRuns([lineOfText(runId, 'runId')]);
    if (run === undefined) await this.refuse(runId);
    this.wake();
    return run;
  }

  async discard(runId: string): Promise<void> {
    const discarded = await this.storage.discardRuns([lineOfText(runId, 'runId')]);
    if (discarded.length === 0) await this.refuse(runId);
  }

  async retryAll(filter: FailedRunFilter, options: BulkOptions): Promise<BulkResult> {
    const result = await this.each(filter, options, (runIds) => this.storage.retryRuns(runIds));
    this.wake();
    return result;
  }

  discardAll(filter: FailedRunFilter, options: BulkOptions): Promise<BulkResult> {
    return this.each(filter, options, (runIds) => this.storage.discardRuns(runIds));
  }

  /** From the newest to the oldest: what fails again meanwhile has a higher id than where this stands, and is left alone. */
  private async each(
    given: FailedRunFilter,
    options: BulkOptions,
    change: (runIds: string[]) => Promise<readonly unknown[]>,
  ): Promise<BulkResult> {
    knownOptions(options, ['dryRun'], 'a bulk operation');
    const dryRun = trueOrFalse(options.dryRun ?? false, 'dryRun');
    const filter = failedRunFilter(given);
    const result = { found: 0, changed: 0 };
    let cursor: string | null = null;
    do {
      const page = await this.storage.queryRuns(filter, { limit: runsPerStep, ...(cursor && { cursor }) });
      result.found += page.items.length;
      if (!dryRun && page.items.length > 0)
        result.changed += (await change(page.items.map(({ id }) => id))).length;
      ({ cursor } = page);
    } while (cursor !== null);
    return result;
  }

  private async refuse(runId: string): Promise<never> {
    const [run] = (await this.storage.queryRuns({ runId }, { limit: 1 })).items;
    throw run ? new RunNotFailedError(runId, run.state) : new RunNotFoundError(runId);
  }
}
