import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ManagerOption, SchedulerService, StorageAdapter } from '../../lib/index.js';
import {
  addOneOff,
  addRecurring,
  claimOne,
  failWithRetry,
  fireOne,
  hour,
  startWorker,
  type Held,
} from '../../lib/testing/laws/fixture.js';
import { TransactionalApp } from '../support/transactional.app.js';

const undone = new Error('undone');

const kinds = {
  'a one-off': async (storage: StorageAdapter) => {
    await addOneOff(storage, { id: 'a' });
    return claimOne(storage, await startWorker(storage, { leaseMs: hour }));
  },
  'a recurring job': async (storage: StorageAdapter) => {
    await addRecurring(storage, { id: 'a' });
    return fireOne(storage, await startWorker(storage, { leaseMs: hour }));
  },
};

type Start = (storage: StorageAdapter) => Promise<Held>;
const situations: Record<string, (storage: StorageAdapter, start: Start) => Promise<void>> = {
  'while it runs': async (storage, start) => void (await start(storage)),
  'while it waits for a retry': async (storage, start) => failWithRetry(storage, await start(storage), hour),
  'while it is paused': async (storage, start) => {
    await failWithRetry(storage, await start(storage), hour);
    await storage.pauseJob({ namespace: 'default', id: 'a' }, { reason: 'audit', by: 'ada' });
  },
};

const calls: Record<string, (scheduler: SchedulerService, within: ManagerOption) => Promise<unknown>> = {
  updateJob: (s, within) => s.updateJob('a', { payload: 'new' }, within),
  'updateJob to another time': (s, within) =>
    s.getJob('a', within).then((job) => {
      const trigger =
        job!.trigger.type === 'at'
          ? ({ type: 'at', at: '2100-01-01 00:00' } as const)
          : ({ type: 'cron', expression: '0 9 * * *' } as const);
      return s.updateJob('a', { trigger }, within);
    }),
  upsert: (s, within) => s.upsert({ id: 'a', handler: 'work', in: '2h', payload: 'new' }, within),
  pauseJob: (s, within) => s.pauseJob('a', within),
  resumeJob: (s, within) => s.resumeJob('a', within),
  cancelJob: (s, within) => s.cancelJob('a', within),
  cancelRun: async (s, within) => s.cancelRun((await s.getRuns({}, within)).items[0]!.id, within),
  runNow: (s, within) => s.runNow('a', within),
  deleteJob: (s, within) => s.deleteJob('a', within),
};

/** Where nothing is to be changed. */
const idle = [
  'pauseJob while it is paused',
  'resumeJob while it runs',
  'resumeJob while it waits for a retry',
];
/** A one-off that runs is given back as it is. */
const idleOneOff = ['runNow while it runs'];

describe('within a transaction of the caller', () => {
  let app: TransactionalApp;
  let scheduler: SchedulerService;
  let storage: StorageAdapter;

  beforeAll(async () => {
    app = await TransactionalApp.create('states');
    ({ scheduler } = await app.boot());
    scheduler.registerHandler('work', () => undefined);
    storage = await app.storage();
  });
  afterAll(() => app.close());
  beforeEach(() => app.empty());

  /** All that is on record of the jobs. */
  const record = async (within: { manager?: EntityManager } = {}) => ({
    jobs: (await scheduler.queryJobs({}, within)).items,
    runs: (await scheduler.getRuns({}, within)).items,
    gaps: (await scheduler.getGaps({}, within)).items,
    attempts: (await scheduler.getAttempts({}, within)).items,
    cancelled: await (within.manager ?? app.source).query<object[]>(
      `select id from "${app.schema}".run where cancel_requested order by id`,
    ),
  });

  for (const [kind, start] of Object.entries(kinds))
    for (const [situation, bring] of Object.entries(situations))
      for (const [name, call] of Object.entries(calls))
        test(`${name} of ${kind} ${situation} happens exactly if the transaction commits`, async () => {
          await bring(storage, start);
          const before = await record();
          const rolledBack = app.source.transaction(async (manager: EntityManager) => {
            await call(scheduler, { manager });
            throw undone;
          });
          await expect(rolledBack).rejects.toBe(undone);
          expect(await record()).toEqual(before);
          let within: unknown;
          await app.source.transaction(async (manager: EntityManager) => {
            await call(scheduler, { manager });
            within = await record({ manager });
            expect(await record()).toEqual(before);
          });
          expect(await record()).toEqual(within);
          const what = `${name} ${situation}`;
          const changesNothing = idle.includes(what) || (kind === 'a one-off' && idleOneOff.includes(what));
          if (changesNothing) expect(within).toEqual(before);
          else expect(within).not.toEqual(before);
        });
});
