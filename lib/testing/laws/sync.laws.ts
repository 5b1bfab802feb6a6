import assert from 'node:assert/strict';
import type { StoredDefinition } from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  claimOne,
  eightAtOnce,
  fireDue,
  fireOne,
  hour,
  jobOf,
  minute,
  only,
  ref,
  settle,
  startWorker,
} from './fixture.js';
import { app, changeStored, declared, insertDeclared, sync, synced } from './sync.fixture.js';

export const syncLaws = lawsOf('sync', {
  'stores what is new': async ({ storage }) => {
    const job = await declared(storage, { payload: 'p' });
    const result = await insertDeclared(storage, [job]);
    assert.deepEqual(result.conflicts, []);
    assert.deepEqual(result.changes, [{ kind: 'insert', job }]);
    const stored = await jobOf(storage);
    assert.deepEqual([stored.source, stored.app, stored.payload], ['code', app, 'p']);
    assert.deepEqual(stored.nextRunAt, new Date(job.nextAt!));
    await fireOne(storage, await startWorker(storage));
  },

  'shows the plan the stored jobs of its own app, and nothing else': async ({ storage }) => {
    await addRecurring(storage, { id: 'by-api' });
    await addOneOff(storage, { id: 'once-by-api' });
    await insertDeclared(storage, [await declared(storage, { id: 'theirs', app: 'other' })], {
      app: 'other',
    });
    const job = await declared(storage, { definitionHash: 'h1', timeZone: 'Asia/Seoul' });
    await insertDeclared(storage, [job]);
    await storage.pauseJob(ref('job'), { reason: null, by: null });
    let seen: readonly StoredDefinition[] = [];
    await synced(storage, {
      plan: (stored, now) => {
        seen = stored;
        assert.ok(Math.abs(now - job.nextAt!) < minute, 'The plan should get the time of the storage.');
        return [];
      },
    });
    const { uid, ...definition } = only(seen, 'stored definition');
    assert.ok(uid.length > 0);
    assert.deepEqual(definition, {
      id: 'job',
      namespace: 'default',
      definitionHash: 'h1',
      trigger: job.trigger,
      timeZone: 'Asia/Seoul',
      handler: 'work',
      changed: null,
      app,
      previousIds: [],
      paused: true,
      orphanedAt: null,
      orphanedReason: null,
      firedUntil: null,
    });
  },

  'leaves everything as it is when the plan has no changes': async ({ storage }) => {
    await insertDeclared(storage, [await declared(storage)]);
    await addRecurring(storage, { id: 'by-api' });
    const before = await storage.queryJobs({}, {});
    const result = await synced(storage, { setHash: 'set-2' });
    assert.deepEqual([result.changes, result.conflicts], [[], []]);
    assert.deepEqual(await storage.queryJobs({}, {}), before);
  },

  'rewrites what has changed; the cursor and the history stay': async ({ storage }) => {
    const job = await declared(storage);
    await insertDeclared(storage, [job]);
    const worker = await startWorker(storage);
    await settle(storage, await fireOne(storage, worker));
    const before = await jobOf(storage);
    const changed = {
      ...job,
      payload: 'new',
      priority: 1,
      definitionHash: 'h2',
      nextAt: job.nextAt! + 9 * hour,
    };
    await changeStored(storage, (uid) => ({ kind: 'update', uid, job: changed, moveCursor: false }));
    const after = await jobOf(storage);
    assert.deepEqual([after.payload, after.priority], ['new', 1]);
    assert.deepEqual(after.nextRunAt, before.nextRunAt);
    assert.equal(after.runCount, 1);
    assert.deepEqual(after.createdAt, before.createdAt);
    assert.ok(after.revision > before.revision);
    await synced(storage, {
      plan: (stored) => {
        assert.equal(stored[0].definitionHash, 'h2');
        return [];
      },
    });
  },

  'moves the cursor where the schedule has changed': async ({ storage }) => {
    const job = await declared(storage);
    await insertDeclared(storage, [job]);
    const trigger = { type: 'interval', every: 5_000 } as const;
    const changed = { ...job, trigger, nextAt: job.nextAt! + 9 * hour };
    await changeStored(storage, (uid) => ({ kind: 'update', uid, job: changed, moveCursor: true }));
    const after = await jobOf(storage);
    assert.deepEqual(after.trigger, trigger);
    assert.deepEqual(after.nextRunAt, new Date(changed.nextAt));
  },

  'leaves a paused job without a cursor': async ({ storage }) => {
    const job = await declared(storage);
    await insertDeclared(storage, [job]);
    await storage.pauseJob(ref('job'), { reason: null, by: null });
    await changeStored(storage, (uid) => ({ kind: 'update', uid, job, moveCursor: true }));
    const after = await jobOf(storage);
    assert.deepEqual([after.state, after.nextRunAt], ['paused', null]);
    assert.deepEqual((await storage.dueCursors(await startWorker(storage), 10)).cursors, []);
  },

  'lets a run go on while its definition changes': async ({ storage }) => {
    const job = await declared(storage);
    await insertDeclared(storage, [job]);
    const run = await fireOne(storage, await startWorker(storage));
    await changeStored(storage, (uid) => ({
      kind: 'update',
      uid,
      job: { ...job, payload: 2 },
      moveCursor: false,
    }));
    assert.equal((await jobOf(storage)).state, 'running');
    await settle(storage, run);
    assert.equal((await jobOf(storage)).runCount, 1);
  },

  'keeps the history of a job that gets another id': async ({ storage, clock }) => {
    const job = await declared(storage, { id: 'old' });
    await insertDeclared(storage, [job]);
    const worker = await startWorker(storage, { leaseMs: 9 * hour });
    await settle(storage, await fireOne(storage, worker));
    await clock.advance(2 * hour);
    await fireDue(storage, worker, { room: 0 });
    const before = await jobOf(storage, 'old');
    const renamed = { ...job, id: 'new' };
    await changeStored(storage, (uid) => ({ kind: 'update', uid, job: renamed, moveCursor: false }));
    assert.equal(await storage.getJob(ref('old')), null);
    const after = await jobOf(storage, 'new');
    assert.deepEqual(
      [after.runCount, after.createdAt, after.nextRunAt],
      [1, before.createdAt, before.nextRunAt],
    );
    assert.equal((await claimOne(storage, worker)).jobId, 'new');
    await addRecurring(storage, { id: 'old' });
  },

  'removes what the plan deletes': async ({ storage }) => {
    await insertDeclared(storage, [await declared(storage)]);
    await changeStored(storage, (uid) => ({ kind: 'delete', uid }));
    assert.equal(await storage.getJob(ref('job')), null);
    assert.deepEqual((await storage.dueCursors(await startWorker(storage), 10)).cursors, []);
  },

  'never takes an id from a job of somebody else': async ({ storage }) => {
    await addRecurring(storage, { id: 'by-api', payload: 'api' });
    await addOneOff(storage, { id: 'once-by-api', payload: 'api' });
    await insertDeclared(storage, [await declared(storage, { id: 'theirs', app: 'other' })], {
      app: 'other',
    });
    const before = await storage.queryJobs({}, {});
    const ids = ['by-api', 'mine', 'once-by-api', 'theirs'];
    const jobs = await Promise.all(ids.map((id) => declared(storage, { id, payload: 'code' })));
    const result = await insertDeclared(storage, jobs);
    assert.deepEqual(result.conflicts.map((conflict) => conflict.id).sort(), [
      'by-api',
      'once-by-api',
      'theirs',
    ]);
    assert.equal(only(result.changes, 'change').kind, 'insert');
    const after = await storage.queryJobs({}, {});
    assert.deepEqual(
      after.items.filter((job) => job.id !== 'mine'),
      before.items,
    );
    assert.equal((await jobOf(storage, 'mine')).source, 'code');
  },

  'leaves a job under its old id when the new one is taken': async ({ storage }) => {
    await addRecurring(storage, { id: 'taken' });
    const job = await declared(storage, { id: 'old' });
    await insertDeclared(storage, [job]);
    const before = await jobOf(storage, 'old');
    const renamed = { ...job, id: 'taken', payload: 'new' };
    const result = await changeStored(storage, (uid) => ({
      kind: 'update',
      uid,
      job: renamed,
      moveCursor: false,
    }));
    assert.deepEqual(result.conflicts, [ref('taken')]);
    assert.deepEqual(result.changes, []);
    assert.deepEqual(await jobOf(storage, 'old'), before);
  },

  'shows how a declared one-off has ended, until it is run again': async ({ storage }) => {
    const worker = await startWorker(storage);
    const states = { failed: 'failed', timed_out: 'failed', cancelled: 'cancelled' } as const;
    for (const [outcome, state] of Object.entries(states)) {
      const at = new Date(await storage.now()).toISOString();
      await insertDeclared(storage, [await declared(storage, { trigger: { type: 'at', at } })]);
      const run = await fireOne(storage, worker, { nextAt: null });
      assert.equal((await jobOf(storage)).state, 'running');
      await settle(storage, run, { outcome: outcome as keyof typeof states, error: 'boom' });
      assert.equal((await jobOf(storage)).state, state);
      assert.equal(await storage.countJobs({ state }), 1, `It should be found by its state "${state}".`);
      assert.equal(await storage.countJobs({ state: 'completed' }), 0);
      await storage.runNow(ref('job'));
      await settle(storage, await claimOne(storage, worker));
      assert.equal((await jobOf(storage)).state, 'completed');
      await storage.deleteJob(ref('job'));
    }
  },

  'keeps a declared one-off after its run, so that the next deploy does not repeat it': async ({
    storage,
  }) => {
    const at = new Date(await storage.now()).toISOString();
    await insertDeclared(storage, [await declared(storage, { trigger: { type: 'at', at } })]);
    const worker = await startWorker(storage);
    await settle(storage, await fireOne(storage, worker, { nextAt: null }));
    assert.equal((await jobOf(storage)).state, 'completed');
    await synced(storage, {
      plan: (stored) => {
        assert.equal(only(stored, 'stored definition').id, 'job');
        return [];
      },
    });
    assert.deepEqual((await storage.dueCursors(worker, 10)).cursors, []);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
  },

  'writes nothing when the plan throws': async ({ storage }) => {
    const worker = await startWorker(storage, { app });
    const plan = (): never => {
      throw new RangeError('cannot plan');
    };
    await assert.rejects(sync(storage, { workerId: worker.workerId, plan }), /cannot plan/);
    assert.equal(await storage.countJobs({}), 0);
    assert.equal(only(await storage.queryWorkers(), 'worker').generation, null);
  },

  'serves eight processes that start at once': async ({ storage, open }) => {
    const adapters = [storage, await open()];
    const job = await declared(storage);
    const results = await eightAtOnce(adapters, (adapter) =>
      synced(adapter, {
        ids: ['job'],
        plan: (stored) => (stored.length > 0 ? [] : [{ kind: 'insert', job }]),
      }),
    );
    assert.equal(results.flatMap((result) => result.changes).length, 1);
    assert.deepEqual(
      results.flatMap((result) => result.conflicts),
      [],
    );
    assert.equal(new Set(results.map((result) => result.generation)).size, 1);
    assert.equal(await storage.countJobs({}), 1);
  },
});
