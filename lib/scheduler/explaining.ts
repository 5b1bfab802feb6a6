import type { JobRef } from '../model/job.js';
import type { Calendars, InstantInput } from '../model/trigger.js';
import type { JobStore } from '../ports/storage.adapter.js';
import { parseAt } from '../triggers/instant.js';
import type { Circumstances, Recorded } from './explaining.circumstances.js';
import { readIsolated } from './explaining.isolation.js';
import { readRecord } from './explaining.reading.js';
import { explainByRecord } from './explaining.record.js';
import { endOfAsked, onlyInstant, recordOf } from './explaining.second.js';
import { explainBySchedule } from './explaining.schedule.js';
import type { Explanation, Verdict } from './explanation.js';
import { missingJob } from './missing.job.js';
import { toScopePause } from './pauses.js';

/** What explanations work with. */
export interface ExplainingParts {
  jobs: JobStore;
  now: number;
  calendars: Calendars;
  timeZone: string;
}

/** What became of this instant, or will: by the record first, then by what the job says. Reads only. Throws JobNotFoundError, InvalidScheduleError (instant). */
export async function explainInstant(
  ref: JobRef,
  instant: InstantInput,
  parts: ExplainingParts,
): Promise<Explanation> {
  const { jobs } = parts;
  const job = await jobs.getJob(ref);
  const zone = job?.timeZone ?? parts.timeZone;
  const asked = parseAt(instant, zone, 'instant').getTime();
  const end = endOfAsked(instant, asked);
  const found = await readRecord(ref, { from: asked, to: end }, jobs);
  const at = onlyInstant({ ref, job, calendars: parts.calendars }, found, asked, end);
  const recorded = recordOf(found, at);
  if (job === null && recorded.isEmpty) throw await missingJob(ref, jobs);
  const present = await readPresent(recorded, parts);
  const explained = explain({ ...present, ref, at, job, timeZone: zone, recorded });
  return { jobId: ref.id, namespace: ref.namespace, at: new Date(at), ...explained };
}

/** By the record first, then by what the job says. */
export function explain(circumstances: Circumstances): Verdict {
  return explainByRecord(circumstances) ?? explainBySchedule(circumstances);
}

/** What holds jobs and serves them at present. */
export async function readPresent(
  { runs }: Recorded,
  { jobs, now, calendars }: ExplainingParts,
): Promise<Pick<Circumstances, 'now' | 'pauses' | 'workers' | 'isolated' | 'ending' | 'calendars'>> {
  const [pauses, workers] = await Promise.all([jobs.queryPauses(), jobs.queryWorkers()]);
  const live = workers.filter(({ leaseUntil }) => leaseUntil.getTime() > now);
  const isolated = await readIsolated(runs, { now, workers: live }, jobs);
  const going = runs.find(({ finishedAt }) => finishedAt === null);
  const flow = going?.state === 'open' ? await jobs.flows?.getFlow(going.id) : null;
  const ending = flow?.ending ?? null;
  return { now, pauses: pauses.map(toScopePause), workers: live, isolated, ending, calendars };
}
