import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InvalidOptionError, SchedulerService, TransactionNotSupportedError } from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

const manager = { query: async () => [] } as never;
const job = { id: 'b', handler: 'work' };

/** Every call that can be part of a transaction. */
const calls: [string, (scheduler: SchedulerService, options: object) => Promise<unknown>][] = [
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
  ['getAttempts', (s, o) => s.getAttempts({}, o)],
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
  ['pauseMany', (s, o) => s.pauseMany({ handler: 'work' }, o)],
  ['resumeMany', (s, o) => s.resumeMany({ handler: 'work' }, o)],
  ['cancelMany', (s, o) => s.cancelMany({ handler: 'work' }, o)],
  ['deleteMany', (s, o) => s.deleteMany({ handler: 'work' }, o)],
  ['pause', (s, o) => s.pause({ all: true }, o)],
  ['resume', (s, o) => s.resume({ all: true }, o)],
  ['getPauses', (s, o) => s.getPauses(o)],
  ['complete', (s, o) => s.complete('1', null, o)],
  ['fail', (s, o) => s.fail('1', 'no', o)],
  ['retryRun', (s, o) => s.retryRun('1', o)],
  ['discardRun', (s, o) => s.discardRun('1', o)],
  ['retryFailed', (s, o) => s.retryFailed({}, o)],
  ['discardFailed', (s, o) => s.discardFailed({}, o)],
];

/** Those that have nothing to do with a transaction: of this process, or waiting for what others commit. */
const apart = [
  'constructor',
  'registerHandler',
  'withdrawHandler',
  'offerHandler',
  'withTransaction',
  'forTenant',
  'waitForRun',
  'running',
  'health',
  'start',
  'stop',
];

test('every call that reads or changes jobs can be part of a transaction', () => {
  const internal = ['changed', 'access', 'accessOf'];
  const names = Object.getOwnPropertyNames(SchedulerService.prototype).filter(
    (name) => !apart.includes(name) && !internal.includes(name),
  );
  expect(calls.map(([name]) => name).toSorted()).toEqual(names.toSorted());
});

describe('transactions of the caller whose end nobody tells the storage in memory', () => {
  let app: NestApp;
  let current: unknown;

  beforeEach(async () => {
    current = undefined;
    app = await NestApp.boot({ chronis: { transactionContext: () => current as never } });
    app.scheduler.registerHandler('work', () => undefined);
    await app.scheduler.createIntervalJob({ id: 'a', handler: 'work', hours: 1 });
  });
  afterEach(() => app.close());

  test.each(calls)(
    '%s is refused, whichever way the transaction comes, and does nothing',
    async (_, call) => {
      const { scheduler } = app;
      const before = await scheduler.queryJobs();
      await expect(call(scheduler, { manager })).rejects.toThrow(TransactionNotSupportedError);
      const within = scheduler.withTransaction(manager, () => call(scheduler, {}));
      await expect(within).rejects.toThrow('the storage "memory" learns of the end of TypeORM');
      current = manager;
      await expect(call(scheduler, {})).rejects.toThrow(TransactionNotSupportedError);
      const alone = { manager: null };
      expect(await scheduler.queryJobs({}, alone)).toEqual(before);
      expect(await scheduler.getPauses(alone)).toEqual([]);
      expect((await scheduler.getRuns({}, alone)).items).toEqual([]);
    },
  );

  test('none is asked for by null, whatever the context says', async () => {
    current = manager;
    await app.scheduler.createDateJob({ ...job, in: '1h' }, { manager: null });
    const count = app.scheduler.withTransaction(null, () => app.scheduler.countJobs());
    expect(await count).toBe(2);
  });

  test('an option that no call has is refused', async () => {
    const misspelt = app.scheduler.createDateJob({ ...job, in: '1h' }, { manger: manager } as object);
    await expect(misspelt).rejects.toThrow('Did you mean "manager"?');
    await expect(app.scheduler.createMany([], null as never)).rejects.toThrow(InvalidOptionError);
  });

  test('the context of the module must be a function', async () => {
    const boot = NestApp.boot({ chronis: { transactionContext: manager } });
    await expect(boot).rejects.toThrow('transactionContext: must be a function');
  });
});
