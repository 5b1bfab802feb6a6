import type { Job, Pause, PausedBy } from '../model/job.js';
import type { Circumstances } from './explaining.circumstances.js';
import { jobWords, pausedWhat, pauseOf, runWords, timeIn, whoPaused } from './explaining.words.js';
import { verdict, type DecidingRow, type Verdict } from './explanation.js';

interface Wanted {
  handler: string;
  queue: string;
}

/** Whether no live worker could execute it; null: some could. */
export function explainUnserved(
  { handler, queue }: Wanted,
  { ref, job, workers }: Circumstances,
  row: Verdict['row'],
): Verdict | null {
  const app = job?.app ?? null;
  const ofApp = workers.filter((worker) => app === null || worker.app === app);
  const able = ofApp.filter(({ handlers }) => handlers.includes(handler));
  const whose = app === null ? '' : ` of the app "${app}"`;
  if (able.length === 0) {
    return verdict(
      'waits',
      'no-handler',
      `${jobWords(ref)} waits: no live worker${whose} has the handler "${handler}".`,
      row,
    );
  }
  if (able.some(({ queues }) => queues.includes(queue))) return null;
  return verdict(
    'waits',
    'queue-not-consumed',
    `${jobWords(ref)} waits: no live worker that has the handler "${handler}" takes the queue "${queue}".`,
    row,
  );
}

/** Whether all live workers that could execute it execute something else alone; null: one does not. */
export function explainIsolated(wanted: Wanted, all: Circumstances, row: Verdict['row']): Verdict | null {
  const { ref, job, workers, isolated, timeZone } = all;
  const app = job?.app ?? null;
  const able = workers.filter(
    (worker) =>
      (app === null || worker.app === app) &&
      worker.handlers.includes(wanted.handler) &&
      worker.queues.includes(wanted.queue),
  );
  const alone = able.map(({ id }) => isolated.get(id));
  if (alone.length === 0 || !alone.every((each) => each !== undefined)) return null;
  const { run, until } = alone.reduce((first, each) => (each.until < first.until ? each : first));
  const { id: runId, namespace, jobId, handler, lostCount } = run;
  const which = runWords({ runId, namespace, jobId, handler });
  return verdict(
    'waits',
    'isolated-run',
    `${jobWords(ref)} waits for the end of ${which}, or until ${timeIn(timeZone, until)} at the latest: the workers of that have died (${lostCount}), so it is executed alone, and nothing else begins in its process.`,
    row,
  );
}

/** What a pause of this kind says; null: there is none any more. */
export function explainHeld(
  by: PausedBy,
  all: Circumstances,
  row: DecidingRow | null = null,
): Verdict | null {
  const { job, pauses, timeZone, at, now } = all;
  if (job === null) return null;
  const answer = at > now ? 'will-not-run' : 'did-not-run';
  const untilOf = (pause: Pause): string =>
    pause.until === null
      ? 'until that is resumed.'
      : `until ${timeIn(timeZone, pause.until)}, when that ends.`;
  if (by === 'job') {
    if (job.paused === null) return null;
    const sentence = `${pausedWhat(by, job)}${whoPaused(job.paused, timeZone)}: it does not run ${untilOf(job.paused)}`;
    return verdict(answer, 'paused-job', sentence, row ?? { kind: 'job', job });
  }
  const pause = pauseOf(by, job, pauses);
  if (pause === null) return null;
  const sentence = `${pausedWhat(by, job)}${whoPaused(pause, timeZone)}: ${jobWords(job)} does not run ${untilOf(pause)}`;
  return verdict(answer, `paused-${by}`, sentence, { kind: 'pause', pause });
}

/** Which jobs it waits for; null: none. */
export function waitingForJobs({ ref }: Circumstances, job: Job, row: DecidingRow): Verdict | null {
  if (job.waitsFor === null) return null;
  const names = job.waitsFor.slice(0, 5).map((id) => `"${id}"`);
  const more = job.waitsFor.length - names.length;
  return verdict(
    'waits',
    'waits-for-jobs',
    `${jobWords(ref)} waits for ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''} to succeed.`,
    row,
  );
}
