import { InvalidOptionError, StorageError } from '../model/errors.js';
import { isOf } from '../model/recognized.js';
import type { JobFilter, JobRef } from '../model/job.js';
import type { Calendars } from '../model/trigger.js';
import type { BulkChange, BulkOutcome } from '../ports/bulk.change.js';
import type { JobAccess } from './job.access.js';
import { ManySteps, stepKeys, type ManyStepOptions } from './many.steps.js';
import { jobFilter, jobFilterKeys, type JobConditions } from './job.query.js';
import { givenConditions, knownOptions, trueOrFalse } from './option.checks.js';
import { wholeFilterHints } from './option.hints.js';
import { pauseKeys, type PauseOptions, type PauseOrders } from './pause.orders.js';
import { isResumedFromNow, planResume, resumeKeys, type ResumeOptions } from './resume.plan.js';

/** Conditions on jobs, as `queryJobs` takes them. @publicApi */
export type ManyFilter = JobConditions;

/** @publicApi */
export interface ManyOptions extends ManyStepOptions {
  /** Has to be said where the filter has no condition: all jobs of all namespaces. @default false */
  all?: boolean;
  /** Only count. @default false */
  dryRun?: boolean;
}

/** What a change of many jobs came to. @publicApi */
export interface ManyResult {
  /** Jobs that met the filter. */
  matched: number;
  /** Those that are different now; fewer where some were so already, or others were faster. 0 in a dry run. */
  changed: number;
  /** Jobs that were left as they were, with what stood in the way; the first 1,000. */
  failed: { ref: JobRef; error: unknown }[];
  /** The first 10 that met the filter, by namespace and id. */
  first: JobRef[];
}

const jobsPerPage = 1_000;
const jobsPerStep = 100;
const mostFailures = 1_000;
const mostFirst = 10;
const keys = ['all', 'dryRun', 'manager', ...stepKeys];

/** Changes all jobs that meet a filter: page by page, each once, a hundred in one step; what comes or goes meanwhile disturbs nobody. */
export class BulkChanges {
  constructor(
    private readonly calendars: Calendars,
    /** Of times without an offset. */
    private readonly timeZone: string,
    private readonly pauseOrders: PauseOrders,
  ) {}

  async pause(
    filter: ManyFilter,
    options: ManyOptions & PauseOptions,
    access: JobAccess,
  ): Promise<ManyResult> {
    const { reason, by, until, ...rest } = knownOptions(
      options,
      [...keys, ...pauseKeys],
      'pauseMany()',
    ) as typeof options;
    const said = { ...(reason !== undefined && { reason }), ...(by !== undefined && { by }) };
    const pause = await this.pauseOrders.of({ ...said, ...(until !== undefined && { until }) }, access.jobs);
    return this.change(filter, rest, access, { kind: 'pause', pause });
  }

  resume(filter: ManyFilter, given: ManyOptions & ResumeOptions, access: JobAccess): Promise<ManyResult> {
    const { calendars } = this;
    const { fromNow, ...options } = knownOptions(
      given,
      [...keys, ...resumeKeys],
      'resumeMany()',
    ) as typeof given;
    const isFromNow = isResumedFromNow({ fromNow });
    const plan =
      ({ namespace }: { namespace: string }) =>
      (...[job, now]: Parameters<ReturnType<Extract<BulkChange, { kind: 'resume' }>['plan']>>) =>
        planResume(namespace, job, now, calendars, isFromNow);
    return this.change(filter, options, access, { kind: 'resume', plan });
  }

  cancel(filter: ManyFilter, options: ManyOptions, access: JobAccess): Promise<ManyResult> {
    return this.change(filter, options, access, { kind: 'cancel' });
  }

  delete(filter: ManyFilter, options: ManyOptions, access: JobAccess): Promise<ManyResult> {
    return this.change(filter, options, access, { kind: 'delete' });
  }

  private async change(
    given: ManyFilter,
    options: ManyOptions,
    { jobs, changed }: JobAccess,
    change: BulkChange,
  ): Promise<ManyResult> {
    const owner = `${change.kind}Many()`;
    knownOptions(options, keys, owner);
    const filter = filterOf(given, options, owner, this.timeZone);
    const result: ManyResult = { matched: 0, changed: 0, failed: [], first: [] };
    const steps = new ManySteps(options);
    const apply = (refs: JobRef[]): Promise<BulkOutcome[]> => jobs.changeJobs(refs, change);
    if (trueOrFalse(options.dryRun ?? false, 'dryRun')) {
      result.matched = await jobs.countJobs(filter);
      result.first = (await jobs.queryRefs(filter, { limit: mostFirst })).items;
      return result;
    }
    let cursor: string | null = null;
    for (let limit = steps.next(jobsPerPage); limit > 0; limit = steps.next(jobsPerPage)) {
      const page = await jobs.queryRefs(filter, { limit, ...(cursor && { cursor }) });
      result.first.push(...page.items.slice(0, mostFirst - result.first.length));
      for (let start = 0; start < page.items.length && steps.next(1) > 0; start += jobsPerStep) {
        const refs = page.items.slice(start, start + jobsPerStep);
        result.matched += refs.length;
        await step(refs, apply, result);
        steps.done(refs.length, result.changed);
      }
      ({ cursor } = page);
      if (cursor === null) break;
    }
    if (result.changed > 0) changed({ kind: change.kind === 'cancel' ? 'cancel' : 'change' });
    return result;
  }
}

/** Of a step that is refused each half is tried by itself, so that one job does not stop the others. */
async function step(
  refs: JobRef[],
  apply: (refs: JobRef[]) => Promise<BulkOutcome[]>,
  result: ManyResult,
): Promise<void> {
  try {
    result.changed += (await apply(refs)).filter((outcome) => outcome === 'changed').length;
  } catch (error) {
    // The storage is away: so it is for all others.
    if (isOf(error, StorageError)) throw error;
    if (refs.length > 1) {
      const middle = refs.length >> 1;
      await step(refs.slice(0, middle), apply, result);
      await step(refs.slice(middle), apply, result);
    } else if (result.failed.length < mostFailures) result.failed.push({ ref: refs[0]!, error });
  }
}

/** The filter, validated. Throws InvalidOptionError, also when it has no condition and nobody said that all are meant. */
export function filterOf(
  given: ManyFilter,
  options: ManyOptions,
  owner: string,
  timeZone = 'UTC',
): JobFilter {
  const { all } = knownOptions(options, [...keys, ...pauseKeys], owner) as ManyOptions;
  const paths = Object.keys(given ?? {}).filter((key) => key.startsWith('metadata.'));
  knownOptions(given, [...jobFilterKeys, ...paths], `the filter of ${owner}`, wholeFilterHints);
  givenConditions(given, owner);
  const filter = jobFilter(given, timeZone);
  if (Object.keys(filter).length === 0 && !trueOrFalse(all ?? false, 'all')) {
    throw new InvalidOptionError(
      'filter',
      `is empty, so ${owner} would concern all jobs there are. If that is meant, say so: ${owner.slice(0, -2)}({}, { all: true }).`,
    );
  }
  return filter;
}
