import { InvalidOptionError } from '../model/errors.js';
import type { Job, JobRef } from '../model/job.js';
import type { Calendars, InstantInput } from '../model/trigger.js';
import { compileTrigger } from '../triggers/compiled.trigger.js';
import { parseAt } from '../triggers/instant.js';
import type { BackfillReport } from '../ports/backfill.js';
import type { JobAccess } from './job.access.js';
import { refKey } from './job.identity.js';
import { missingJob } from './missing.job.js';
import { oneOf, trueOrFalse, wholeNumber } from './option.checks.js';

/** How to backfill. @publicApi */
export interface BackfillOptions {
  /** `queue`: one after the other, each when the one before has its verdict · `allow`: as many at a time as workers are free. @default 'queue' */
  overlap?: 'queue' | 'allow';
  /** More instants than this, up to 10,000, are refused. @default 1,000 */
  limit?: number;
  /** Run again what has succeeded, as far back as the ledger goes. @default false */
  includeSucceeded?: boolean;
  /** Only count. @default false */
  dryRun?: boolean;
}

/** What a backfill came to, or in a dry run would. @publicApi */
export interface BackfillResult {
  /** Instants of the schedule in the range: those that got a run, and those that were left out. */
  instants: number;
  /** The first and the last instant that got a run; null: none did. */
  first: Date | null;
  last: Date | null;
  /** Runs that were created. */
  created: number;
  /** Their ids, in the order of their instants; empty in a dry run. */
  runIds: string[];
  /** Instants that got no run: one without verdict is there, they have succeeded, or the schedule itself is about to fire them. */
  leftOut: { active: number; succeeded: number; scheduled: number };
}

export const backfillKeys = [
  'overlap',
  'limit',
  'includeSucceeded',
  'dryRun',
] satisfies (keyof BackfillOptions)[];

const largestLimit = 10_000;

/** Throws JobNotFoundError, InvalidOptionError, InvalidScheduleError (from, until). */
export async function backfillJob(
  ref: JobRef,
  { from, until, now }: { from: InstantInput; until: InstantInput; now: number },
  given: BackfillOptions,
  { jobs, changed }: JobAccess,
  calendars: Calendars,
): Promise<BackfillResult> {
  const order = {
    overlap: oneOf(given.overlap ?? 'queue', 'overlap', ['queue', 'allow']),
    includeSucceeded: trueOrFalse(given.includeSucceeded ?? false, 'includeSucceeded'),
    dryRun: trueOrFalse(given.dryRun ?? false, 'dryRun'),
  };
  const limit = wholeNumber(given.limit ?? 1_000, 'limit', 1, largestLimit);
  const job = await jobs.getJob(ref);
  if (job === null) throw await missingJob(ref, jobs);
  const range = {
    from: parseAt(from, job.timeZone, 'from').getTime(),
    until: parseAt(until, job.timeZone, 'until').getTime(),
  };
  if (range.from > range.until) throw new InvalidOptionError('until', 'must not be before "from".');
  // What is still to come is the schedule's.
  const instants = instantsOf(job, { from: range.from, until: Math.min(range.until, now) }, limit, calendars);
  const report = await jobs.backfill(ref, { instants, ...order });
  if (report === null) throw await missingJob(ref, jobs);
  if (report.runIds.length > 0) changed();
  return resultOf(instants, report);
}

export function resultOf(
  instants: readonly number[],
  { created, runIds, ...leftOut }: BackfillReport,
): BackfillResult {
  return {
    instants: instants.length,
    first: dateOf(created[0]),
    last: dateOf(created.at(-1)),
    created: created.length,
    runIds,
    leftOut,
  };
}

function instantsOf(
  job: Job,
  { from, until }: { from: number; until: number },
  limit: number,
  calendars: Calendars,
): number[] {
  const compiled = compileTrigger(job.trigger, refKey(job), calendars);
  if ((job.trigger.type !== 'cron' && job.trigger.type !== 'interval') || compiled.fixedDelayMs !== null) {
    const kind = compiled.fixedDelayMs === null ? `type '${job.trigger.type}'` : "mode 'fixed-delay'";
    throw new InvalidOptionError(
      'id',
      `the schedule of the job "${job.id}" is of the ${kind}, which has no past instants. Only crons and fixed-rate intervals can be backfilled; runNow() runs any job.`,
    );
  }
  const instants: number[] = [];
  for (let at = compiled.next(from - 1); at !== null && at <= until; at = compiled.next(at)) {
    if (instants.length === limit) {
      const text = (ms: number): string => new Date(ms).toISOString();
      throw new InvalidOptionError(
        'limit',
        `the job "${job.id}" has more than ${limit} instants from ${text(from)} to ${text(until)}. Raise the limit (up to ${largestLimit}), or backfill a shorter range.`,
      );
    }
    instants.push(at);
  }
  return instants;
}

function dateOf(at: number | undefined): Date | null {
  return at === undefined ? null : new Date(at);
}
