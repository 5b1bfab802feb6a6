import type { SchedulerService } from '../../lib/index.js';

const job = { id: 'b', handler: 'work' };

/** One with options that it is to refuse or to follow. */
export type SchedulerCall = [
  name: string,
  call: (scheduler: SchedulerService, options: object) => Promise<unknown>,
];

/** Every call that can be part of a transaction. */
export const joinableCalls: SchedulerCall[] = [
  ['createJob', (s, o) => s.createJob({ ...job, trigger: { type: 'manual' } }, o)],
  ['createIntervalJob', (s, o) => s.createIntervalJob({ ...job, minutes: 1 }, o)],
  ['createCronJob', (s, o) => s.createCronJob({ ...job, expression: '0 9 * * *' }, o)],
  ['createDateJob', (s, o) => s.createDateJob({ ...job, in: '1h' }, o)],
  ['schedule', (s, o) => s.schedule('work', { in: '1h' }, o)],
  ['createMany', (s, o) => s.createMany([{ ...job, in: '1h' }], o)],
  ['upsert', (s, o) => s.upsert({ ...job, in: '1h' }, o)],
  ['getJob', (s, o) => s.getJob('a', o)],
  ['queryJobs', (s, o) => s.queryJobs({}, o)],
  ['countJobs', (s, o) => s.countJobs({}, o)],
  ['getRuns', (s, o) => s.getRuns({}, o)],
  ['getAudit', (s, o) => s.getAudit({}, o)],
  ['getAttempts', (s, o) => s.getAttempts({}, o)],
  ['getFailures', (s, o) => s.getFailures({}, o)],
  ['getRunSteps', (s, o) => s.getRunSteps('1', o)],
  ['getGaps', (s, o) => s.getGaps({}, o)],
  ['updateJob', (s, o) => s.updateJob('a', { payload: 1 }, o)],
  ['pauseJob', (s, o) => s.pauseJob('a', o)],
  ['resumeJob', (s, o) => s.resumeJob('a', o)],
  ['deleteJob', (s, o) => s.deleteJob('a', o)],
  ['cancelJob', (s, o) => s.cancelJob('a', o)],
  ['cancelRun', (s, o) => s.cancelRun('1', o)],
  ['resetJob', (s, o) => s.resetJob('a', o)],
  ['runNow', (s, o) => s.runNow('a', o)],
  ['backfill', (s, o) => s.backfill('a', new Date(0), new Date(7_200_000), o)],
  ['previewJob', (s, o) => s.previewJob('a', o)],
  ['coverage', (s, o) => s.coverage('a', o)],
  ['explain', (s, o) => s.explain('a', new Date(0), o)],
  ['forecast', (s, o) => s.forecast({}, o)],
  ['pauseMany', (s, o) => s.pauseMany({ handler: 'work' }, o)],
  ['resumeMany', (s, o) => s.resumeMany({ handler: 'work' }, o)],
  ['cancelMany', (s, o) => s.cancelMany({ handler: 'work' }, o)],
  ['deleteMany', (s, o) => s.deleteMany({ handler: 'work' }, o)],
  ['pause', (s, o) => s.pause({ all: true }, o)],
  ['resume', (s, o) => s.resume({ all: true }, o)],
  ['getPauses', (s, o) => s.getPauses(o)],
  ['complete', (s, o) => s.complete('1', null, o)],
  ['signal', (s, o) => s.signal('1', 'approved', null, o)],
  ['fail', (s, o) => s.fail('1', 'no', o)],
  ['retryRun', (s, o) => s.retryRun('1', o)],
  ['discardRun', (s, o) => s.discardRun('1', o)],
  ['retryFailed', (s, o) => s.retryFailed({}, o)],
  ['discardFailed', (s, o) => s.discardFailed({}, o)],
];

/** Those that have nothing to do with a transaction: of this process, waiting for what others commit, or counted out of what was committed. */
export const apartFromTransactions = [
  'constructor',
  'registerHandler',
  'withdrawHandler',
  'offerHandler',
  'withTransaction',
  'withActor',
  'forTenant',
  'waitForRun',
  'getRunLog',
  'getOverdue',
  'getStatistics',
  'rebuildStatistics',
  'running',
  'health',
  'status',
  'start',
  'stop',
];
