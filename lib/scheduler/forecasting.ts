import { InvalidOptionError } from '../model/errors.js';
import type { Job } from '../model/job.js';
import type { Calendars } from '../model/trigger.js';
import type { JobStore } from '../ports/storage.adapter.js';
import { compileTrigger } from '../triggers/compiled.trigger.js';
import { parseDuration } from '../triggers/duration.js';
import { parseAt } from '../triggers/instant.js';
import type { Forecast, ForecastOptions } from './forecast.js';
import { minuteMs, mostExamples, Tally, type ScheduleGroup, type Range } from './forecast.tally.js';
import { namespaceOf, refKey } from './job.identity.js';

const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const mostDays = 366;
const mostBuckets = 50_000;
const mostJobs = 100_000;
/** Fewer statements, and still no long turn of the event loop. */
const pageSize = 2_500;

/** What has to be known of a job. */
export type Forecastable = Pick<
  Job,
  'namespace' | 'id' | 'trigger' | 'timeZone' | 'nextRunAt' | 'pausedBy' | 'orphanedAt'
>;

/** What a forecast works with. */
export interface ForecastParts {
  jobs: JobStore;
  now: number;
  calendars: Calendars;
  timeZone: string;
  /** Jobs as they will be; null: it will be gone. @default as they are */
  edit?: (job: Forecastable) => Forecastable | null;
  /** Jobs that are not stored yet. */
  extra?: readonly Forecastable[];
}

/** The range and the buckets, checked. Throws InvalidOptionError, InvalidScheduleError. */
function rangeOf(
  { from, until, bucket }: ForecastOptions,
  { now, timeZone }: Pick<ForecastParts, 'now' | 'timeZone'>,
): { from: number; until: number; bucketMs: number } {
  const begin = from === undefined ? now : parseAt(from, timeZone, 'from').getTime();
  const end = until === undefined ? begin + dayMs : parseAt(until, timeZone, 'until').getTime();
  if (end <= begin) throw new InvalidOptionError('until', 'must be after "from".');
  if (end - begin > mostDays * dayMs) {
    throw new InvalidOptionError('until', `must be at most ${mostDays} days after "from".`);
  }
  const bucketMs = parseDuration(bucket ?? (end - begin <= dayMs ? minuteMs : hourMs), 'bucket');
  if (bucketMs % minuteMs !== 0) throw new InvalidOptionError('bucket', 'must be of whole minutes.');
  if ((end - begin) / bucketMs > mostBuckets) {
    throw new InvalidOptionError(
      'bucket',
      `makes more than ${mostBuckets} buckets of this range. Give a longer one.`,
    );
  }
  return { from: begin, until: end, bucketMs };
}

/** What will be due from `from` on and before `until`. Reads only, gives way to everything else in between, and is bounded: beyond that it says `atLeast`. */
export async function forecastJobs(given: ForecastOptions, parts: ForecastParts): Promise<Forecast> {
  const range = rangeOf(given, parts);
  const filter = given.namespace === undefined ? {} : { namespace: namespaceOf(given.namespace) };
  const tally = new Tally(range);
  const groups = new Map<string, ScheduleGroup>();
  let held = 0;
  const take = (job: Forecastable | null): void => {
    const group = job === null ? null : groupOf(job, range, parts.calendars);
    if (job === null || group === null) return;
    if (job.pausedBy !== null || job.orphanedAt !== null) held++;
    else gather(groups, group, job);
  };
  parts.extra?.forEach(take);
  let read = 0;
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await parts.jobs.queryJobs(filter, {
      limit: pageSize,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const job of page.items) take(parts.edit === undefined ? job : parts.edit(job));
    read += page.items.length;
    cursor = page.cursor;
    if (cursor !== null && read >= mostJobs) {
      tally.atLeast = true;
      break;
    }
  }
  let jobs = 0;
  for (const group of groups.values()) {
    jobs += group.jobs;
    await tally.add(group);
  }
  return { ...tally.result(), jobs, held };
}

type Grouped = Pick<ScheduleGroup, 'compiled' | 'timeZone' | 'first'>;

/** Where a job stands in the range; null: it has no time in it. A paused job has none of its own, so what it would do is what its schedule says. */
function groupOf(job: Forecastable, { from, until }: Range, calendars: Calendars): Grouped | null {
  const compiled = compileTrigger(job.trigger, refKey(job), calendars);
  const isHeld = job.nextRunAt === null && (job.pausedBy !== null || job.orphanedAt !== null);
  const next = isHeld ? compiled.next(from - 1) : (job.nextRunAt?.getTime() ?? null);
  if (next === null || next >= until) return null;
  // What is overdue runs when the range begins, if that is now.
  const first = next >= from ? next : compiled.fixedDelayMs === null ? compiled.next(from - 1) : from;
  return first === null || first >= until ? null : { compiled, timeZone: job.timeZone, first };
}

function gather(groups: Map<string, ScheduleGroup>, group: Grouped, job: Forecastable): void {
  const { trigger } = job;
  // With H each job has instants of its own.
  const own = 'expression' in trigger && /\bH/i.test(trigger.expression ?? '') ? refKey(job) : '';
  const key = `${group.first}\n${own}\n${JSON.stringify(trigger)}`;
  const known = groups.get(key);
  if (known === undefined) groups.set(key, { ...group, jobs: 1, examples: [refKey(job)] });
  else {
    known.jobs++;
    if (known.examples.length < mostExamples) known.examples.push(refKey(job));
  }
}
