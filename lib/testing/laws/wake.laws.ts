import assert from 'node:assert/strict';
import type { Wake } from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  assertNear,
  claimOne,
  fireDue,
  fireOne,
  hour,
  minute,
  oneOff,
  ref,
  second,
  settle,
  startWorker,
  holdOf,
} from './fixture.js';
import { listen } from './signal.fixture.js';

export const wakeLaws = lawsOf('wake', {
  'has no reason where there is nothing': async ({ storage }) => {
    const { now, pauseEndsAt = null, ...reasons } = await storage.nextWakeAt(await startWorker(storage));
    assert.deepEqual(reasons, { cursorAt: null, runAt: null, leaseEndsAt: null });
    assert.equal(pauseEndsAt, null);
    assertNear(now, await storage.now(), 'The time of the answer');
  },

  'is the earliest cursor, also when it is past': async ({ storage }) => {
    const later = await addRecurring(storage, { id: 'later', dueInMs: hour });
    const worker = await startWorker(storage);
    assert.equal((await storage.nextWakeAt(worker)).cursorAt, later.nextRunAt?.getTime());
    const past = await addRecurring(storage, { id: 'past', dueInMs: -minute });
    assert.equal((await storage.nextWakeAt(worker)).cursorAt, past.nextRunAt?.getTime());
  },

  'is the earliest run that nobody has, also when it is past': async ({ storage }) => {
    const later = await addOneOff(storage, { id: 'later', dueInMs: hour, priority: 0 });
    const worker = await startWorker(storage);
    assert.equal((await storage.nextWakeAt(worker)).runAt, later.nextRunAt?.getTime());
    const past = await addOneOff(storage, { id: 'past', dueInMs: -minute, priority: 9 });
    assert.equal((await storage.nextWakeAt(worker)).runAt, past.nextRunAt?.getTime());
    await claimOne(storage, worker);
    assert.equal((await storage.nextWakeAt(worker)).runAt, later.nextRunAt?.getTime());
  },

  'ignores what the worker cannot execute': async ({ storage }) => {
    await addRecurring(storage, { id: 'a', handler: 'other' });
    await addOneOff(storage, { id: 'b', handler: 'other' });
    await addRecurring(storage, { id: 'c', queue: 'other' });
    await addOneOff(storage, { id: 'd', queue: 'other' });
    const { cursorAt, runAt } = await storage.nextWakeAt(await startWorker(storage));
    assert.deepEqual([cursorAt, runAt], [null, null]);
    const able = await storage.nextWakeAt(
      await startWorker(storage, { handlers: ['other'], queues: ['default'] }),
    );
    assert.notEqual(able.cursorAt, null);
    assert.notEqual(able.runAt, null);
  },

  'is not hidden by what stands in front of it and only others can execute': async ({ storage }) => {
    const template = await oneOff(storage, { handler: 'other', dueInMs: -hour });
    const crowd = Array.from({ length: 1_000 }, (_, index) => ({ ...template, id: `other-${index}` }));
    await storage.insertJobs(crowd, 'raise');
    const worker = await startWorker(storage);
    assert.equal((await storage.nextWakeAt(worker)).runAt, null);
    const later = await addOneOff(storage, { id: 'later', dueInMs: hour });
    assert.equal((await storage.nextWakeAt(worker)).runAt, later.nextRunAt?.getTime());
    const past = await addOneOff(storage, { id: 'past', dueInMs: -minute });
    assert.equal((await storage.nextWakeAt(worker)).runAt, past.nextRunAt?.getTime());
  },

  'is the end of the lease of another worker that holds runs': async ({ storage }) => {
    await addOneOff(storage);
    const holder = await startWorker(storage, { leaseMs: minute });
    const worker = await startWorker(storage, { leaseMs: hour });
    const run = await claimOne(storage, holder);
    assertNear(
      (await storage.nextWakeAt(worker)).leaseEndsAt,
      (await storage.now()) + minute,
      'The end of the lease',
    );
    assert.notEqual(
      (await storage.nextWakeAt(holder)).leaseEndsAt,
      (await storage.nextWakeAt(worker)).leaseEndsAt,
      'The own lease is kept, not awaited.',
    );
    const { leaseUntil } = await storage.renew(holder.workerId, 2 * minute, 1, [run.id]);
    assert.equal((await storage.nextWakeAt(worker)).leaseEndsAt, leaseUntil);
    await settle(storage, run);
  },

  'is past where a dead worker still holds runs, until they are released': async ({ storage, clock }) => {
    await addOneOff(storage);
    await claimOne(storage, await startWorker(storage, { leaseMs: minute }));
    await clock.advance(hour);
    const worker = await startWorker(storage);
    const { now, leaseEndsAt } = await storage.nextWakeAt(worker);
    assert.ok(leaseEndsAt !== null && leaseEndsAt < now);
    await storage.releaseLost();
    const after = await storage.nextWakeAt(worker);
    assert.equal(after.leaseEndsAt, null);
    assert.ok(after.runAt !== null && after.runAt <= after.now);
  },
});

/** For storages that have a signal; the others pass. */
export const signalLaws = lawsOf('wake signal', {
  'tells another adapter of a job that is due': async ({ storage, open }) => {
    const other = await open();
    if (!other.wakeSignal) return;
    const { next, end } = await listen(other.wakeSignal);
    const now = await storage.now();
    await addOneOff(storage, { id: 'once' });
    await next((wake) => wake.kind === 'due' && wake.at <= now + second);
    await addRecurring(storage, { id: 'recurring' });
    await next((wake) => wake.kind === 'due' && wake.at <= now + second);
    await end();
  },

  'tells another adapter of a run that is due by hand or again': async ({ storage, open }) => {
    const other = await open();
    if (!other.wakeSignal) return;
    const worker = await startWorker(storage);
    await addRecurring(storage, { dueInMs: hour });
    const { next, end } = await listen(other.wakeSignal);
    const isDue = (wake: Wake): boolean => wake.kind === 'due';
    await storage.runNow(ref('job'));
    await next(isDue);
    const run = await claimOne(storage, worker);
    await storage.giveBack([holdOf(run)]);
    await next(isDue);
    await end();
  },

  'tells another adapter of a schedule that is resumed, or that goes on after a run': async ({
    storage,
    open,
  }) => {
    const other = await open();
    if (!other.wakeSignal) return;
    const worker = await startWorker(storage);
    await addRecurring(storage, { trigger: { type: 'interval', every: second, mode: 'fixed-delay' } });
    await storage.pauseJob(ref('job'), { reason: null, by: null });
    const { next, end } = await listen(other.wakeSignal);
    const isDue = (wake: Wake): boolean => wake.kind === 'due';
    await storage.resumeJob(ref('job'), (_, now) => ({ nextAt: now - second, gap: null }));
    await next(isDue);
    const run = await fireOne(storage, worker, { nextAt: Infinity });
    await settle(storage, run);
    await next(isDue);
    await end();
  },

  'tells another adapter of births that the firing worker has no room for': async ({ storage, open }) => {
    const other = await open();
    if (!other.wakeSignal) return;
    await addRecurring(storage);
    const { next, end } = await listen(other.wakeSignal);
    await fireDue(storage, await startWorker(storage), { room: 0 });
    await next((wake) => wake.kind === 'due');
    await end();
  },

  'tells the worker of a running run that it is to be cancelled': async ({ storage, open }) => {
    const other = await open();
    if (!other.wakeSignal) return;
    await addOneOff(other);
    await claimOne(other, await startWorker(other));
    const { next, end } = await listen(other.wakeSignal);
    await storage.cancelJob(ref('job'));
    await next((wake) => wake.kind === 'cancel');
    await end();
  },

  'tells its own process, and nobody after the end of the subscription': async ({ storage }) => {
    if (!storage.wakeSignal) return;
    const kept = await listen(storage.wakeSignal);
    let heard = 0;
    const end = await storage.wakeSignal.subscribe(() => heard++);
    await end();
    await addOneOff(storage);
    await kept.next((wake) => wake.kind === 'due');
    assert.equal(heard, 0);
    await kept.end();
  },
});
