import assert from 'node:assert/strict';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  attemptsOf,
  claimOne,
  eightAtOnce,
  failWithRetry,
  fireDue,
  fireOne,
  firingOf,
  hour,
  jobOf,
  minute,
  only,
  ref,
  second,
  settle,
  startWorker,
} from './fixture.js';

const pause = { reason: null, by: null };

export const updateLaws = lawsOf('update', {
  'changes what is given and leaves the rest': async ({ storage, clock }) => {
    const before = await addRecurring(storage, {
      name: 'a',
      payload: 1,
      metadata: { x: 1 },
      dueInMs: minute,
    });
    await clock.advance(minute);
    const after = await storage.updateJob(ref('job'), { payload: 2, priority: 0 });
    assert.ok(typeof after === 'object');
    assert.deepEqual(after, await jobOf(storage));
    const { revision, updatedAt, ...rest } = after;
    const { revision: oldRevision, updatedAt: _, ...old } = before;
    assert.deepEqual(rest, { ...old, payload: 2, priority: 0 });
    assert.ok(revision > oldRevision);
    assert.ok(updatedAt.getTime() >= before.updatedAt.getTime() + minute);
  },

  'keeps the cursor when only the payload changes': async ({ storage }) => {
    const { nextRunAt } = await addRecurring(storage);
    await storage.updateJob(ref('job'), { payload: 'new' });
    assert.deepEqual((await jobOf(storage)).nextRunAt, nextRunAt);
    assert.equal((await fireOne(storage, await startWorker(storage))).payload, 'new');
  },

  'moves the cursor with a changed trigger, and counts fired instants anew': async ({ storage, clock }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage, { leaseMs: 9 * hour });
    await settle(storage, await fireOne(storage, worker));
    const nextAt = (await storage.now()) + 2 * minute;
    const trigger = { type: 'interval', every: 120_000 } as const;
    await storage.updateJob(ref('job'), { trigger, nextAt });
    assert.deepEqual((await jobOf(storage)).nextRunAt, new Date(nextAt));
    await clock.advance(3 * minute);
    const cursor = only((await storage.dueCursors(worker, 10)).cursors, 'due cursor');
    assert.equal(cursor.nominalAt, nextAt);
    assert.equal(cursor.fired, 0);
    assert.deepEqual(cursor.trigger, trigger);
  },

  'ends the schedule with a time of null': async ({ storage }) => {
    await addRecurring(storage);
    await storage.updateJob(ref('job'), { trigger: { type: 'manual' }, nextAt: null });
    assert.equal((await jobOf(storage)).nextRunAt, null);
    assert.deepEqual((await storage.dueCursors(await startWorker(storage), 10)).cursors, []);
  },

  'refuses a stale revision and changes nothing': async ({ storage }) => {
    const { revision } = await addRecurring(storage);
    const changed = await storage.updateJob(ref('job'), { payload: 1 }, revision);
    assert.ok(typeof changed === 'object');
    assert.equal(await storage.updateJob(ref('job'), { payload: 2 }, revision), 'stale');
    assert.equal((await jobOf(storage)).payload, 1);
    assert.ok(typeof (await storage.updateJob(ref('job'), { payload: 3 }, changed.revision)) === 'object');
  },

  'lets one of eight concurrent updates of one revision through': async ({ storage, open }) => {
    for (const add of [addRecurring, addOneOff]) {
      const { revision } = await add(storage);
      const adapters = [storage, await open()];
      const results = await eightAtOnce(adapters, (adapter, index) =>
        adapter.updateJob(ref('job'), { payload: index }, revision),
      );
      const winner = only(
        results.flatMap((result) => (typeof result === 'object' ? [result] : [])),
        'update',
      );
      assert.equal((await jobOf(storage)).payload, winner.payload);
      await storage.deleteJob(ref('job'));
    }
  },

  'refuses a firing that was planned before the change': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    const cursor = only((await storage.dueCursors(worker, 10)).cursors, 'due cursor');
    await storage.updateJob(ref('job'), { policies: { overlap: 'allow' } });
    const result = await storage.fire(worker, [firingOf(cursor)], 10);
    assert.deepEqual(result.moved, []);
    assert.deepEqual(result.runs, []);
    assert.deepEqual((await jobOf(storage)).nextRunAt, new Date(cursor.nominalAt));
  },

  'gives runs that wait the new definition': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage, { handlers: ['work', 'other'], queues: ['default', 'slow'] });
    await fireDue(storage, worker, { room: 0 });
    const patch = {
      handler: 'other',
      queue: 'slow',
      priority: 1,
      payload: 'new',
      policies: { maxRetries: 7 },
    };
    await storage.updateJob(ref('job'), patch);
    const old = { ...worker, handlers: ['work'] };
    assert.deepEqual((await storage.claim(old, 10)).runs, []);
    const { handler, queue, priority, payload, policies } = await claimOne(storage, worker);
    assert.deepEqual({ handler, queue, priority, payload, policies }, patch);
  },

  'shows the cursor to workers that have the new handler': async ({ storage }) => {
    await addRecurring(storage);
    const before = await startWorker(storage);
    const after = await startWorker(storage, { handlers: ['other'], queues: ['slow'] });
    await storage.updateJob(ref('job'), { handler: 'other', queue: 'slow' });
    assert.deepEqual((await storage.dueCursors(before, 10)).cursors, []);
    assert.equal((await storage.nextWakeAt(before)).cursorAt, null);
    assert.notEqual((await storage.nextWakeAt(after)).cursorAt, null);
    assert.equal((await fireOne(storage, after)).handler, 'other');
  },

  'does not touch a run that goes on; its retry uses the new definition': async ({ storage }) => {
    for (const add of [addRecurring, addOneOff]) {
      await add(storage, { payload: 'old' });
      const worker = await startWorker(storage, { handlers: ['work', 'other'] });
      const run = add === addRecurring ? await fireOne(storage, worker) : await claimOne(storage, worker);
      await storage.updateJob(ref('job'), { payload: 'new', handler: 'other' });
      assert.equal((await jobOf(storage)).state, 'running');
      await failWithRetry(storage, run);
      const retry = await claimOne(storage, worker);
      assert.equal(retry.id, run.id);
      assert.equal(retry.attempt, 2);
      assert.equal(retry.payload, 'new');
      assert.equal(retry.handler, 'other');
      await settle(storage, retry);
      await storage.deleteJob(ref('job'));
    }
  },

  'moves a one-off that waits': async ({ storage, clock }) => {
    await addOneOff(storage);
    const worker = await startWorker(storage, { leaseMs: hour });
    const nextAt = (await storage.now()) + 10 * minute;
    const trigger = { type: 'at', at: new Date(nextAt).toISOString() } as const;
    await storage.updateJob(ref('job'), { trigger, nextAt });
    assert.deepEqual((await jobOf(storage)).nextRunAt, new Date(nextAt));
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    await clock.advance(11 * minute);
    assert.equal((await claimOne(storage, worker)).nominalAt, nextAt);
  },

  'moves a one-off that waits for its retry': async ({ storage, clock }) => {
    await addOneOff(storage);
    const worker = await startWorker(storage, { leaseMs: hour });
    const run = await claimOne(storage, worker);
    await failWithRetry(storage, run);
    await storage.updateJob(ref('job'), { nextAt: (await storage.now()) + 10 * minute });
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    await clock.advance(11 * minute);
    await settle(storage, await claimOne(storage, worker));
    assert.equal((await attemptsOf(storage, { finalOnly: true })).length, 1);
  },

  'makes a one-off that runs due anew, and lets the run end without retries': async ({ storage }) => {
    await addOneOff(storage);
    const worker = await startWorker(storage);
    const first = await claimOne(storage, worker);
    await storage.updateJob(ref('job'), { nextAt: (await storage.now()) - second });
    const again = await claimOne(storage, worker);
    assert.notEqual(again.id, first.id);
    await failWithRetry(storage, first);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    assert.equal(only(await attemptsOf(storage, { runId: first.id }), 'ledger row').final, true);
    await settle(storage, again);
    assert.equal(await storage.getJob(ref('job')), null);
  },

  'gives a one-off with a verdict a new run when it gets a new time': async ({ storage }) => {
    await addOneOff(storage);
    const worker = await startWorker(storage);
    const first = await claimOne(storage, worker);
    await settle(storage, first, { outcome: 'failed', error: 'boom' });
    await storage.updateJob(ref('job'), { payload: 'mended' });
    assert.equal((await jobOf(storage)).state, 'failed');
    await storage.updateJob(ref('job'), { nextAt: (await storage.now()) - second });
    const again = await claimOne(storage, worker);
    assert.notEqual(again.id, first.id);
    assert.equal(again.attempt, 1);
    assert.equal(again.payload, 'mended');
  },

  'changes a paused job without making it fire': async ({ storage }) => {
    const worker = await startWorker(storage);
    await addRecurring(storage);
    await storage.pauseJob(ref('job'), pause);
    await storage.updateJob(ref('job'), { payload: 0 });
    assert.deepEqual((await storage.dueCursors(worker, 10)).cursors, []);
    assert.equal((await storage.nextWakeAt(worker)).cursorAt, null);
    const due = (await storage.now()) - second;
    await storage.updateJob(ref('job'), {
      payload: 1,
      trigger: { type: 'interval', every: 5_000 },
      nextAt: due,
    });
    assert.deepEqual((await storage.dueCursors(worker, 10)).cursors, []);
    assert.equal((await jobOf(storage)).state, 'paused');
    await storage.deleteJob(ref('job'));

    await addOneOff(storage, { dueInMs: hour });
    await storage.pauseJob(ref('job'), pause);
    await storage.updateJob(ref('job'), { payload: 2, nextAt: due });
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    await storage.resumeJob(ref('job'), () => ({ nextAt: null, gap: null }));
    const run = await claimOne(storage, worker);
    assert.equal(run.payload, 2);
    assert.equal(run.nominalAt, due);
  },
});
