import assert from 'node:assert/strict';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  assertNear,
  attemptsOf,
  claimOne,
  failWithRetry,
  fireDue,
  fireOne,
  gapsOf,
  hour,
  jobOf,
  minute,
  only,
  ref,
  runsOf,
  second,
  settle,
  startWorker,
  holdOf,
} from './fixture.js';

const pause = { reason: 'audit', by: 'ops' };
const nothingMissed = (nextAt: number | null) => () => ({ nextAt, gap: null });

export const pauseLaws = lawsOf('pause', {
  'stops the cursor, and notes who paused and why': async ({ storage }) => {
    await addRecurring(storage);
    const job = await storage.pauseJob(ref('job'), pause);
    assert.deepEqual(job, await jobOf(storage));
    assert.equal(job?.paused?.reason, 'audit');
    assert.equal(job?.paused?.by, 'ops');
    assertNear(job.paused.at, await storage.now(), 'The time of the pause');
    assert.equal(job.nextRunAt, null);
    const worker = await startWorker(storage);
    assert.deepEqual((await storage.dueCursors(worker, 10)).cursors, []);
    assert.equal((await storage.nextWakeAt(worker)).cursorAt, null);
  },

  'is a change, and so is its end: a revision of before is stale': async ({ storage }) => {
    for (const add of [addRecurring, addOneOff]) {
      const { revision } = await add(storage, { dueInMs: hour });
      const paused = await storage.pauseJob(ref('job'), pause);
      assert.equal(await storage.updateJob(ref('job'), { payload: 1 }, revision), 'stale');
      await storage.resumeJob(ref('job'), nothingMissed(null));
      assert.equal(await storage.updateJob(ref('job'), { payload: 1 }, paused!.revision), 'stale');
      await storage.deleteJob(ref('job'));
    }
  },

  'begins an open gap where the cursor stood': async ({ storage }) => {
    const { nextRunAt } = await addRecurring(storage, { dueInMs: hour });
    await storage.pauseJob(ref('job'), pause);
    const gap = only(await gapsOf(storage), 'gap');
    assert.equal(gap.verdict, 'paused');
    assert.deepEqual(gap.from, nextRunAt);
    assert.equal(gap.until, null);
  },

  'keeps the first pause when it is paused again': async ({ storage, clock }) => {
    await addRecurring(storage);
    const first = await storage.pauseJob(ref('job'), pause);
    await clock.advance(minute);
    const second = await storage.pauseJob(ref('job'), { reason: 'other', by: 'else' });
    assert.deepEqual(second, first);
    assert.equal((await gapsOf(storage)).length, 1);
  },

  'refuses a firing that was planned before the pause': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    const { cursors } = await storage.dueCursors(worker, 10);
    await storage.pauseJob(ref('job'), pause);
    const { jobUid, nominalAt, revision } = only(cursors, 'due cursor');
    const births = [{ nominalAt, dueAt: nominalAt, missed: 0 }];
    const firing = {
      jobUid,
      nominalAt,
      revision,
      until: nominalAt,
      fired: 1,
      overlap: 'skip',
      births,
      gaps: [],
    } as const;
    const result = await storage.fire(worker, [{ ...firing, nextAt: nominalAt + hour }], 10);
    assert.deepEqual(result.moved, []);
    assert.equal((await jobOf(storage)).state, 'paused');
  },

  'holds runs that wait until the job is resumed, then at their old times': async ({ storage }) => {
    await addRecurring(storage, { id: 'recurring' });
    const worker = await startWorker(storage);
    await fireDue(storage, worker, { room: 0 });
    await addOneOff(storage, { id: 'due' });
    await addOneOff(storage, { id: 'later', dueInMs: hour });
    const ids = ['recurring', 'due', 'later'];
    const before = await Promise.all(ids.map(async (id) => only(await runsOf(storage, id), 'run').dueAt));
    for (const id of ids) {
      await storage.pauseJob(ref(id), pause);
      const run = only(await runsOf(storage, id), 'run');
      assert.equal(run.state, 'paused');
      assert.equal(run.dueAt, null);
    }
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    assert.equal((await storage.nextWakeAt(worker)).runAt, null);
    for (const id of ids) await storage.resumeJob(ref(id), nothingMissed(null));
    const after = await Promise.all(ids.map(async (id) => only(await runsOf(storage, id), 'run').dueAt));
    assert.deepEqual(after, before);
    assert.equal((await storage.claim(worker, 10)).runs.length, 2);
  },

  'lets a running run go on; one that comes back is held': async ({ storage }) => {
    for (const add of [addRecurring, addOneOff]) {
      await add(storage);
      const worker = await startWorker(storage);
      const run = add === addRecurring ? await fireOne(storage, worker) : await claimOne(storage, worker);
      await storage.pauseJob(ref('job'), pause);
      await failWithRetry(storage, run);
      assert.deepEqual((await storage.claim(worker, 10)).runs, [], 'A retry should be held.');
      await storage.resumeJob(ref('job'), nothingMissed(null));
      const retry = await claimOne(storage, worker);
      await storage.pauseJob(ref('job'), pause);
      await storage.giveBack([holdOf(retry)]);
      assert.deepEqual((await storage.claim(worker, 10)).runs, [], 'A run given back should be held.');
      await storage.resumeJob(ref('job'), nothingMissed(null));
      const again = await claimOne(storage, worker);
      assert.equal(again.attempt, 2);
      await settle(storage, again);
      await storage.deleteJob(ref('job'));
    }
  },

  'holds the run of a lost worker while its job is paused': async ({ storage, clock }) => {
    await addOneOff(storage);
    await claimOne(storage, await startWorker(storage, { leaseMs: minute }));
    await storage.pauseJob(ref('job'), pause);
    await clock.advance(2 * minute);
    await storage.releaseLost();
    const worker = await startWorker(storage);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    await storage.resumeJob(ref('job'), nothingMissed(null));
    assert.equal((await claimOne(storage, worker)).lostCount, 1);
  },

  'holds a run that waits for its retry': async ({ storage }) => {
    await addOneOff(storage);
    const worker = await startWorker(storage);
    await failWithRetry(storage, await claimOne(storage, worker));
    await storage.pauseJob(ref('job'), pause);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    await storage.resumeJob(ref('job'), nothingMissed(null));
    assert.equal((await claimOne(storage, worker)).attempt, 2);
  },

  'leaves a job with a verdict as it is': async ({ storage }) => {
    await addOneOff(storage);
    await settle(storage, await claimOne(storage, await startWorker(storage)), {
      outcome: 'failed',
      error: 'x',
    });
    const before = await jobOf(storage);
    assert.deepEqual(await storage.pauseJob(ref('job'), pause), before);
  },
});

export const resumeLaws = lawsOf('resume', {
  'goes on where it has fired beyond, if its plan says that this counts no more, and else after that':
    async ({ storage }) => {
      const { nextRunAt } = await addRecurring(storage, { dueInMs: -second });
      const worker = await startWorker(storage);
      const now = await storage.now();
      const due = nextRunAt!.getTime();
      const far = due + 1_000 * hour;
      await settle(storage, await fireOne(storage, worker, { nextAt: far + hour, until: far }));
      const wanted = now + minute;
      await storage.pauseJob(ref('job'), pause);
      const still = await storage.resumeJob(ref('job'), () => ({ nextAt: wanted, gap: null }));
      assert.ok(still!.nextRunAt!.getTime() > far);
      await storage.pauseJob(ref('job'), pause);
      const plan = (): { nextAt: number; gap: null; restarts: boolean } => ({
        ...{ nextAt: now - second, gap: null },
        restarts: true,
      });
      const resumed = await storage.resumeJob(ref('job'), plan);
      assert.equal(resumed!.nextRunAt!.getTime(), now - second);
      const run = await fireOne(storage, worker, { nextAt: far });
      assert.equal(run.nominalAt, now - second);
      await storage.pauseJob(ref('job'), pause);
      const [outcome] = await storage.changeJobs([ref('job')], { kind: 'resume', plan: () => plan });
      assert.equal(outcome, 'changed');
      assert.equal((await jobOf(storage)).nextRunAt!.getTime(), now - second);
    },

  'ends what was born ahead and has never begun, if its plan says that this counts no more': async ({
    storage,
  }) => {
    const { nextRunAt } = await addRecurring(storage, { dueInMs: -second });
    const worker = await startWorker(storage);
    const far = nextRunAt!.getTime() + 1_000 * hour;
    const births = [{ nominalAt: far, dueAt: far, missed: 0 }];
    await fireDue(storage, worker, { births, nextAt: far + hour, until: far });
    assert.equal((await runsOf(storage)).length, 1);
    await storage.pauseJob(ref('job'), pause);
    const now = await storage.now();
    await storage.resumeJob(ref('job'), () => ({ nextAt: now - second, gap: null, restarts: true }));
    assert.deepEqual(await runsOf(storage), []);
    assert.equal(only(await attemptsOf(storage), 'attempt').outcome, 'cancelled');
    const run = await fireOne(storage, worker, { nextAt: far });
    assert.equal(run.nominalAt, now - second);
  },

  'has the schedule that its plan gives it, by itself and among many': async ({ storage }) => {
    await addRecurring(storage, { dueInMs: hour });
    const now = await storage.now();
    const { createdAt } = await jobOf(storage);
    for (const [nth, every] of [minute, second].entries()) {
      const trigger = { type: 'interval', every, anchor: new Date(now - hour).toISOString() } as const;
      const plan = (given: { createdAt: number }) => {
        assert.equal(given.createdAt, createdAt.getTime());
        return { nextAt: now + every, gap: null, restarts: true, trigger };
      };
      await storage.pauseJob(ref('job'), pause);
      if (nth === 0) await storage.resumeJob(ref('job'), plan);
      else await storage.changeJobs([ref('job')], { kind: 'resume', plan: () => plan });
      const job = await jobOf(storage);
      assert.deepEqual(job.trigger, trigger);
      assert.equal(job.nextRunAt!.getTime(), now + every);
    }
    const { items } = await storage.queryJobs({ triggerType: ['interval'] }, { limit: 2 });
    assert.equal(items.length, 1);
  },

  'sets the cursor as planned, from the place where it stood': async ({ storage, clock }) => {
    const { nextRunAt } = await addRecurring(storage, { timeZone: 'Asia/Seoul' });
    await storage.pauseJob(ref('job'), pause);
    await clock.advance(hour);
    const now = await storage.now();
    const planned: unknown[] = [];
    const job = await storage.resumeJob(ref('job'), (given, storageNow) => {
      planned.push(given);
      assertNear(storageNow, now, 'The time given to the plan');
      return { nextAt: now + minute, gap: null };
    });
    const { trigger, timeZone, createdAt } = await jobOf(storage);
    const pausedFrom = nextRunAt!.getTime();
    const asked = { id: 'job', trigger, timeZone, pausedFrom, createdAt: createdAt.getTime() };
    assert.deepEqual(only(planned, 'call of the plan'), asked);
    assert.deepEqual(job, await jobOf(storage));
    assert.equal(job?.paused, null);
    assert.deepEqual(job?.nextRunAt, new Date(now + minute));
    await clock.advance(2 * minute);
    assert.equal((await fireOne(storage, await startWorker(storage))).nominalAt, now + minute);
  },

  'replaces the open gap by what was missed': async ({ storage, clock }) => {
    await addRecurring(storage);
    await storage.pauseJob(ref('job'), pause);
    await clock.advance(hour);
    const now = await storage.now();
    const gap = {
      from: now - hour,
      until: now - minute,
      verdict: 'paused',
      count: 59,
      reason: 'audit',
    } as const;
    await storage.resumeJob(ref('job'), () => ({ nextAt: now + minute, gap }));
    const { from, until, ...rest } = only(await gapsOf(storage), 'gap');
    assert.deepEqual([from, until], [new Date(gap.from), new Date(gap.until)]);
    assert.deepEqual(rest, {
      jobId: 'job',
      namespace: 'default',
      verdict: 'paused',
      count: 59,
      reason: 'audit',
    });
  },

  'leaves no gap when nothing was missed': async ({ storage }) => {
    await addRecurring(storage, { dueInMs: hour });
    await storage.pauseJob(ref('job'), pause);
    await storage.resumeJob(ref('job'), nothingMissed((await storage.now()) + hour));
    assert.deepEqual(await gapsOf(storage), []);
  },

  'leaves a job that is not paused as it is': async ({ storage }) => {
    await addRecurring(storage, { dueInMs: hour });
    const before = await jobOf(storage);
    assert.deepEqual(await storage.resumeJob(ref('job'), nothingMissed(0)), before);
    assert.deepEqual(await jobOf(storage), before);
  },

  'goes on counting fired instants': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    await settle(storage, await fireOne(storage, worker));
    await storage.pauseJob(ref('job'), pause);
    await storage.resumeJob(ref('job'), nothingMissed((await storage.now()) - second));
    assert.equal(only((await storage.dueCursors(worker, 10)).cursors, 'due cursor').fired, 1);
  },

  'changes nothing when the plan throws': async ({ storage }) => {
    await addRecurring(storage);
    const before = await storage.pauseJob(ref('job'), pause);
    const plan = (): never => {
      throw new RangeError('no next time');
    };
    await assert.rejects(storage.resumeJob(ref('job'), plan), /no next time/);
    assert.deepEqual(await jobOf(storage), before);
    assert.equal(only(await gapsOf(storage), 'gap').until, null);
  },

  'asks for no plan where there is no schedule': async ({ storage }) => {
    await addOneOff(storage);
    await storage.pauseJob(ref('job'), pause);
    await storage.resumeJob(ref('job'), () => assert.fail('A one-off needs no plan.'));
    await claimOne(storage, await startWorker(storage));
  },

  'ends a pause that came while the job ran': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    const run = await fireOne(storage, worker);
    await storage.pauseJob(ref('job'), pause);
    await storage.resumeJob(ref('job'), nothingMissed((await storage.now()) + hour));
    assert.equal((await jobOf(storage)).state, 'running');
    assert.deepEqual((await storage.claim(worker, 10)).runs, [], 'The run has a worker.');
    await settle(storage, run);
    assert.equal((await jobOf(storage)).state, 'scheduled');
    assert.equal((await attemptsOf(storage)).length, 1);
  },
});
