import assert from 'node:assert/strict';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  fireOne,
  gapsOf,
  hour,
  jobOf,
  minute,
  only,
  ref,
  second,
  settle,
  startWorker,
} from './fixture.js';
import { app, changeStored, declared, insertDeclared, synced } from './sync.fixture.js';

const graceMs = 10 * minute;

export const orphanLaws = lawsOf('orphan', {
  'stops firing, and keeps the place of the cursor as an open gap': async ({ storage }) => {
    const job = await declared(storage);
    await insertDeclared(storage, [job]);
    await changeStored(storage, (uid) => ({ kind: 'orphan', uid }));
    const { state, orphanedAt, nextRunAt } = await jobOf(storage);
    assert.equal(state, 'orphaned');
    assert.notEqual(orphanedAt, null);
    assert.equal(nextRunAt, null);
    assert.deepEqual((await storage.dueCursors(await startWorker(storage), 10)).cursors, []);
    const { from, until, verdict, reason } = only(await gapsOf(storage), 'gap');
    assert.deepEqual([from, until, verdict, reason], [new Date(job.nextAt!), null, 'missed', 'orphaned']);
  },

  'refuses a firing that was planned before': async ({ storage }) => {
    await insertDeclared(storage, [await declared(storage)]);
    const worker = await startWorker(storage);
    const { cursors } = await storage.dueCursors(worker, 10);
    await changeStored(storage, (uid) => ({ kind: 'orphan', uid }));
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
    assert.deepEqual((await storage.fire(worker, [{ ...firing, nextAt: nominalAt + 1 }], 10)).moved, []);
  },

  'gets its cursor back where it stood when it is adopted': async ({ storage, clock }) => {
    const job = await declared(storage);
    await insertDeclared(storage, [job]);
    await changeStored(storage, (uid) => ({ kind: 'orphan', uid }));
    await clock.advance(hour);
    await changeStored(storage, (uid) => ({ kind: 'adopt', uid }));
    const { state, orphanedAt, nextRunAt } = await jobOf(storage);
    assert.deepEqual([state, orphanedAt, nextRunAt], ['pending', null, new Date(job.nextAt!)]);
    assert.deepEqual(await gapsOf(storage), [], 'The misfire policy decides about the time between.');
    assert.equal((await fireOne(storage, await startWorker(storage))).nominalAt, job.nextAt);
  },

  'ends with a changed definition, which may keep or move the cursor': async ({ storage }) => {
    const job = await declared(storage);
    await insertDeclared(storage, [job]);
    for (const moveCursor of [false, true]) {
      await changeStored(storage, (uid) => ({ kind: 'orphan', uid }));
      const changed = { ...job, payload: moveCursor, nextAt: job.nextAt! + hour };
      await changeStored(storage, (uid) => ({ kind: 'update', uid, job: changed, moveCursor }));
      const { orphanedAt, nextRunAt, payload } = await jobOf(storage);
      const expected = moveCursor ? changed.nextAt : job.nextAt!;
      assert.deepEqual([orphanedAt, nextRunAt, payload], [null, new Date(expected), moveCursor]);
      const gaps = await gapsOf(storage);
      // Where the cursor goes on from another place, the time without one stays on record.
      assert.equal(gaps.length, moveCursor ? 1 : 0);
      for (const gap of gaps) assert.notEqual(gap.until, null, 'No gap should stay open.');
    }
  },

  'that is paused is still paused when it is adopted': async ({ storage }) => {
    for (const first of ['pause', 'orphan'] as const) {
      const job = await declared(storage);
      await insertDeclared(storage, [job]);
      const pause = (): Promise<unknown> => storage.pauseJob(ref('job'), { reason: null, by: null });
      const orphan = (): Promise<unknown> => changeStored(storage, (uid) => ({ kind: 'orphan', uid }));
      for (const step of first === 'pause' ? [pause, orphan] : [orphan, pause]) await step();
      assert.equal((await jobOf(storage)).state, 'orphaned');
      assert.equal((await gapsOf(storage)).filter((gap) => gap.until === null).length, 1);
      await changeStored(storage, (uid) => ({ kind: 'adopt', uid }));
      const { state, nextRunAt } = await jobOf(storage);
      assert.deepEqual([state, nextRunAt], ['paused', null]);
      await storage.resumeJob(ref('job'), ({ pausedFrom }) => {
        assert.equal(pausedFrom, job.nextAt);
        return { nextAt: job.nextAt! + hour, gap: null };
      });
      assert.deepEqual((await jobOf(storage)).nextRunAt, new Date(job.nextAt! + hour));
      assert.deepEqual(await gapsOf(storage), []);
      await changeStored(storage, (uid) => ({ kind: 'delete', uid }));
    }
  },

  'that is resumed still does not fire': async ({ storage }) => {
    const job = await declared(storage);
    await insertDeclared(storage, [job]);
    await storage.pauseJob(ref('job'), { reason: null, by: null });
    await changeStored(storage, (uid) => ({ kind: 'orphan', uid }));
    await storage.resumeJob(ref('job'), (_, now) => ({ nextAt: now - second, gap: null }));
    assert.equal((await jobOf(storage)).state, 'orphaned');
    assert.deepEqual((await storage.dueCursors(await startWorker(storage), 10)).cursors, []);
  },

  'that was paused later and resumed comes back to where it stood': async ({ storage }) => {
    const job = await declared(storage);
    await insertDeclared(storage, [job]);
    await changeStored(storage, (uid) => ({ kind: 'orphan', uid }));
    await storage.pauseJob(ref('job'), { reason: null, by: null });
    await storage.resumeJob(ref('job'), (_, now) => ({ nextAt: now + hour, gap: null }));
    assert.equal(only(await gapsOf(storage), 'gap').verdict, 'missed');
    await changeStored(storage, (uid) => ({ kind: 'adopt', uid }));
    assert.deepEqual((await jobOf(storage)).nextRunAt, new Date(job.nextAt!));
  },

  'lets a run go on': async ({ storage }) => {
    await insertDeclared(storage, [await declared(storage)]);
    const run = await fireOne(storage, await startWorker(storage));
    await changeStored(storage, (uid) => ({ kind: 'orphan', uid }));
    await settle(storage, run);
    assert.equal((await jobOf(storage)).runCount, 1);
  },
});

export const undeclaredLaws = lawsOf('undeclared', {
  'jobs become orphans only after the grace, and are told once': async ({ storage, clock }) => {
    await insertDeclared(storage, [await declared(storage)]);
    assert.deepEqual(await storage.orphanUndeclared(app, graceMs), []);
    await clock.advance(9 * minute);
    assert.deepEqual(await storage.orphanUndeclared(app, graceMs), []);
    assert.equal((await jobOf(storage)).state, 'pending');
    await clock.advance(2 * minute);
    assert.deepEqual(await storage.orphanUndeclared(app, graceMs), [ref('job')]);
    assert.equal((await jobOf(storage)).state, 'orphaned');
    assert.deepEqual(await storage.orphanUndeclared(app, graceMs), []);
  },

  'are not those that any live worker declares, be it of an older generation': async ({ storage, clock }) => {
    const jobs = await Promise.all(['kept', 'dropped'].map((id) => declared(storage, { id })));
    const old = await startWorker(storage, { app, leaseMs: hour });
    await insertDeclared(storage, jobs, { setHash: 'old', workerId: old.workerId });
    const newer = await startWorker(storage, { app, leaseMs: 9 * hour });
    await synced(storage, { setHash: 'new', workerId: newer.workerId, ids: ['kept'] });
    for (let round = 0; round < 2; round++) {
      assert.deepEqual(await storage.orphanUndeclared(app, graceMs), []);
      await clock.advance(20 * minute);
    }
    await clock.advance(hour);
    assert.deepEqual(
      await storage.orphanUndeclared(app, graceMs),
      [],
      'The grace begins when the old worker is gone.',
    );
    await clock.advance(20 * minute);
    assert.deepEqual(await storage.orphanUndeclared(app, graceMs), [ref('dropped')]);
  },

  'are declared again: the grace begins anew, and orphans are adopted': async ({ storage, clock }) => {
    const job = await declared(storage);
    await insertDeclared(storage, [job]);
    await storage.orphanUndeclared(app, graceMs);
    await clock.advance(9 * minute);
    const worker = await startWorker(storage, { app, leaseMs: minute });
    await synced(storage, { ids: ['job'], workerId: worker.workerId });
    assert.deepEqual(await storage.orphanUndeclared(app, graceMs), []);
    await clock.advance(2 * minute);
    assert.deepEqual(await storage.orphanUndeclared(app, graceMs), []);
    await clock.advance(11 * minute);
    assert.deepEqual(await storage.orphanUndeclared(app, graceMs), [ref('job')]);
    const again = await startWorker(storage, { app });
    await synced(storage, { ids: ['job'], workerId: again.workerId });
    await storage.orphanUndeclared(app, graceMs);
    const { state, nextRunAt } = await jobOf(storage);
    assert.deepEqual([state, nextRunAt], ['pending', new Date(job.nextAt!)]);
  },

  'are declared by workers of their own app only': async ({ storage, clock }) => {
    await insertDeclared(storage, [await declared(storage)]);
    const stranger = await startWorker(storage, { app: 'other', leaseMs: 9 * hour });
    await synced(storage, { app: 'other', ids: ['job'], workerId: stranger.workerId });
    await storage.orphanUndeclared(app, graceMs);
    await clock.advance(hour);
    assert.deepEqual(await storage.orphanUndeclared(app, graceMs), [ref('job')]);
  },

  'are only declared jobs of the app': async ({ storage, clock }) => {
    await addRecurring(storage, { id: 'by-api' });
    await addOneOff(storage, { id: 'once' });
    await insertDeclared(storage, [await declared(storage, { id: 'theirs', app: 'other' })], {
      app: 'other',
    });
    for (let round = 0; round < 2; round++) {
      assert.deepEqual(await storage.orphanUndeclared(app, graceMs), []);
      await clock.advance(hour);
    }
    assert.equal(await storage.countJobs({ state: 'orphaned' }), 0);
  },
});
