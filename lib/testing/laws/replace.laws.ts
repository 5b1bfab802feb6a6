import assert from 'node:assert/strict';
import type { NewJob, ScheduleOver, StorageAdapter, StoredSchedule } from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  attemptsOf,
  claimOne,
  failWithRetry,
  fireOne,
  hour,
  jobOf,
  minute,
  oneOff,
  only,
  recurring,
  ref,
  runsOf,
  settle,
  startWorker,
} from './fixture.js';
import { declared, insertDeclared } from './sync.fixture.js';

async function replace(storage: StorageAdapter, job: NewJob): Promise<void> {
  const [result] = await storage.insertJobs([job], 'replace');
  assert.equal(result.status, 'replaced');
}

export const replaceLaws = lawsOf('replace', {
  'gives the job the new definition and time, and keeps its history': async ({ storage }) => {
    const worker = await startWorker(storage);
    const before = await addRecurring(storage, { payload: 'old' });
    await settle(storage, await fireOne(storage, worker));
    const given = await recurring(storage, { payload: 'new', priority: 1, dueInMs: 2 * hour });
    const [result] = await storage.insertJobs([given], 'replace');
    assert.ok(result.status === 'replaced');
    const job = await jobOf(storage);
    assert.deepEqual(result.job, job);
    assert.equal(job.payload, 'new');
    assert.equal(job.priority, 1);
    assert.deepEqual(job.nextRunAt, new Date(given.nextAt!));
    assert.equal(job.runCount, 1);
    assert.equal(job.lastVerdict, 'succeeded');
    assert.deepEqual(job.createdAt, before.createdAt);
    assert.ok(job.revision > before.revision);
  },

  'asks what becomes of the schedule by the one that stands there, within one batch too': async ({
    storage,
  }) => {
    const before = await addRecurring(storage);
    const asked: StoredSchedule[] = [];
    const given = await recurring(storage, { dueInMs: 2 * hour });
    const nextAt = given.nextAt! + hour;
    const trigger = { ...given.trigger, every: 5 * minute } as NewJob['trigger'];
    const asking = (answer: ScheduleOver | null): NewJob => ({
      ...given,
      over: (stored) => {
        asked.push(structuredClone(stored));
        return answer;
      },
    });
    const moved = await storage.insertJobs([asking({ trigger, nextAt })], 'replace');
    assert.deepEqual(moved[0], { status: 'replaced', job: await jobOf(storage) });
    const { nextRunAt, ...job } = await jobOf(storage);
    assert.deepEqual([job.trigger, nextRunAt], [trigger, new Date(nextAt)]);
    await storage.insertJobs([asking({ trigger }), { ...asking({ trigger }), payload: 'last' }], 'replace');
    const kept = await jobOf(storage);
    assert.deepEqual([kept.trigger, kept.nextRunAt, kept.payload], [trigger, nextRunAt, 'last']);
    await storage.insertJobs([asking(null)], 'replace');
    const plain = await jobOf(storage);
    assert.deepEqual([plain.trigger, plain.nextRunAt], [given.trigger, new Date(given.nextAt!)]);
    const { source, timeZone } = before;
    assert.deepEqual(
      asked,
      [before.trigger, trigger, trigger, trigger].map((each) => ({ source, trigger: each, timeZone })),
    );
    await storage.insertJobs([{ ...asking(null), id: 'new' }], 'replace');
    assert.equal(asked.length, 4);
  },

  'creates what is not there yet': async ({ storage }) => {
    const [result] = await storage.insertJobs([await recurring(storage)], 'replace');
    assert.equal(result.status, 'created');
  },

  'moves a one-off that waits': async ({ storage }) => {
    await addOneOff(storage, { payload: 'old' });
    const given = await oneOff(storage, { payload: 'new', dueInMs: hour });
    await replace(storage, given);
    const worker = await startWorker(storage);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    assert.equal((await jobOf(storage)).payload, 'new');
    assert.deepEqual(only(await runsOf(storage), 'run').dueAt, new Date(given.nextAt!));
  },

  'a one-off without a time is due now, in place of one that waits for later and of a job that recurs':
    async ({ storage }) => {
      await addOneOff(storage, { id: 'waits', dueInMs: hour });
      await addRecurring(storage, { id: 'recurs', dueInMs: hour });
      const worker = await startWorker(storage);
      for (const id of ['waits', 'recurs']) {
        await replace(storage, await oneOff(storage, { id, dueInMs: hour, nextAt: null }));
        const now = await storage.now();
        const { nextRunAt } = await jobOf(storage, id);
        assert.ok(nextRunAt!.getTime() <= now, `The job that ${id} is due.`);
        const run = await claimOne(storage, worker);
        assert.equal(run.jobId, id);
        assert.equal(run.nominalAt, nextRunAt!.getTime());
      }
    },

  'a declared job whose new time is now is due now': async ({ storage }) => {
    await insertDeclared(storage, [await declared(storage, { dueInMs: hour })]);
    await replace(storage, await oneOff(storage, { dueInMs: hour, nextAt: null }));
    const { nextRunAt } = await jobOf(storage);
    assert.ok(nextRunAt!.getTime() <= (await storage.now()));
  },

  'makes a one-off that runs due anew, and lets the run go on': async ({ storage }) => {
    await addOneOff(storage, { payload: 'old' });
    const worker = await startWorker(storage);
    const first = await claimOne(storage, worker);
    await replace(storage, await oneOff(storage, { payload: 'new' }));
    const again = await claimOne(storage, worker);
    assert.equal(again.payload, 'new');
    assert.notEqual(again.id, first.id);
    await settle(storage, first);
    assert.equal((await jobOf(storage)).state, 'running');
    await settle(storage, again);
    assert.equal((await attemptsOf(storage, { finalOnly: true })).length, 2);
  },

  'gives a one-off that gave up a new run': async ({ storage }) => {
    await addOneOff(storage);
    const worker = await startWorker(storage);
    const first = await claimOne(storage, worker);
    await settle(storage, first, { outcome: 'failed', error: 'boom' });
    await replace(storage, await oneOff(storage));
    const again = await claimOne(storage, worker);
    assert.notEqual(again.id, first.id);
    assert.equal(again.attempt, 1);
  },

  'turns a recurring job into a one-off': async ({ storage }) => {
    await addRecurring(storage);
    await replace(storage, await oneOff(storage, { payload: 'once' }));
    const worker = await startWorker(storage);
    assert.deepEqual((await storage.dueCursors(worker, 10)).cursors, []);
    const run = await claimOne(storage, worker);
    assert.equal(run.payload, 'once');
    assert.equal(run.jobUid, null);
    assert.equal((await jobOf(storage)).trigger.type, 'at');
    assert.equal(await storage.countJobs({}), 1);
    await settle(storage, run);
    assert.equal(await storage.getJob(ref('job')), null);
  },

  'turns a one-off into a recurring job': async ({ storage }) => {
    await addOneOff(storage);
    await replace(storage, await recurring(storage, { payload: 'often' }));
    const worker = await startWorker(storage);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    assert.equal((await fireOne(storage, worker)).payload, 'often');
    assert.equal(await storage.countJobs({}), 1);
    const cancelled = only(await attemptsOf(storage), 'ledger row');
    assert.equal(cancelled.outcome, 'cancelled');
  },

  'lets a run that goes on end without retries when the kind changes': async ({ storage }) => {
    await addOneOff(storage);
    const worker = await startWorker(storage);
    const run = await claimOne(storage, worker);
    await replace(storage, await recurring(storage, { dueInMs: minute }));
    await failWithRetry(storage, run);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    assert.equal(only(await attemptsOf(storage), 'ledger row').final, true);
    assert.equal((await jobOf(storage)).trigger.type, 'cron');
  },

  'leaves a paused job paused': async ({ storage }) => {
    await addRecurring(storage);
    await storage.pauseJob(ref('job'), { reason: 'audit', by: 'ops' });
    await replace(storage, await recurring(storage, { payload: 'new' }));
    const job = await jobOf(storage);
    assert.equal(job.state, 'paused');
    assert.equal(job.payload, 'new');
    const worker = await startWorker(storage);
    assert.deepEqual((await storage.dueCursors(worker, 10)).cursors, []);
  },

  'replaces within one batch: the last of two equal ids stays': async ({ storage }) => {
    const batch = [await recurring(storage, { payload: 1 }), await recurring(storage, { payload: 2 })];
    const results = await storage.insertJobs(batch, 'replace');
    assert.deepEqual(
      results.map((result) => result.status),
      ['created', 'replaced'],
    );
    assert.equal((await jobOf(storage)).payload, 2);
  },
});
