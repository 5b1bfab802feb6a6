import type { JobRef } from '../model/job.js';
import type { Calendars, InstantInput } from '../model/trigger.js';
import type { JobStore } from '../ports/storage.adapter.js';
import { parseAt } from '../triggers/instant.js';
import type { Circumstances, Recorded } from './explaining.circumstances.js';
import { explainByRecord } from './explaining.record.js';
import { explainBySchedule } from './explaining.schedule.js';
import type { Explanation } from './explanation.js';
import { missingJob } from './missing.job.js';
import { toScopePause } from './pauses.js';

/** Of each kind of record, from the newest back. */
const mostRows = 10_000;
const pageSize = 1_000;

/** What became of this instant, or will: by the record first, then by what the job says. Reads only. Throws JobNotFoundError, InvalidScheduleError (instant). */
export async function explainInstant(
  ref: JobRef,
  instant: InstantInput,
  { jobs, now, calendars, timeZone }: { jobs: JobStore; now: number; calendars: Calendars; timeZone: string },
): Promise<Explanation> {
  const job = await jobs.getJob(ref);
  const zone = job?.timeZone ?? timeZone;
  const at = parseAt(instant, zone, 'instant').getTime();
  const recorded = await readRecord(ref, at, jobs);
  if (job === null && recorded.isEmpty) throw await missingJob(ref, jobs);
  const [pauses, workers] = await Promise.all([jobs.queryPauses(), jobs.queryWorkers()]);
  const circumstances: Circumstances = {
    ref,
    at,
    now,
    job,
    timeZone: zone,
    recorded,
    pauses: pauses.map(toScopePause),
    workers: workers.filter(({ leaseUntil }) => leaseUntil.getTime() > now),
    calendars,
  };
  const found = explainByRecord(circumstances) ?? explainBySchedule(circumstances);
  return { jobId: ref.id, namespace: ref.namespace, at: new Date(at), ...found };
}

async function readRecord(ref: JobRef, at: number, jobs: JobStore): Promise<Recorded> {
  const filter = { namespace: ref.namespace, jobId: ref.id };
  const isAt = ({ nominalAt }: { nominalAt: Date }): boolean => nominalAt.getTime() === at;
  let isEmpty = true;
  let isWhole = true;
  const look = async <T>(
    read: (page: { limit: number; cursor?: string }) => Promise<{ items: T[]; cursor: string | null }>,
    isIt: (item: T) => boolean,
    isBefore: (item: T) => boolean = () => false,
  ): Promise<T[]> => {
    const found: T[] = [];
    let cursor: string | undefined;
    for (let rows = 0; rows < mostRows;) {
      const page = await read({ limit: pageSize, ...(cursor === undefined ? {} : { cursor }) });
      isEmpty &&= page.items.length === 0;
      found.push(...page.items.filter(isIt));
      const last = page.items.at(-1);
      if (page.cursor === null || last === undefined || isBefore(last)) return found;
      rows += page.items.length;
      ({ cursor } = page);
    }
    isWhole = false;
    return found;
  };
  // No attempt ends before the time that it is for.
  const attempts = await look(
    (page) => jobs.queryAttempts(filter, page),
    isAt,
    ({ finishedAt }) => finishedAt.getTime() < at,
  );
  const runs = await look((page) => jobs.queryRuns(filter, page), isAt);
  const gaps = await look(
    (page) => jobs.queryGaps(filter, page),
    ({ from, until }) => from.getTime() <= at && (until === null || at <= until.getTime()),
  );
  return { attempts, runs, gaps, isEmpty, isWhole };
}
