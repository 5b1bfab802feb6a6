import assert from 'node:assert/strict';
import type { DefinitionChange } from '../../index.js';
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
import { app, carry, changeStored, declared, graceMs, insertDeclared, synced } from './sync.fixture.js';

export const orphanLaws = lawsOf('orphan', {
  'stops firing, and keeps the place of the cursor as an open gap': async ({ storage }) => {
    const job = await declared(storage);
    await insertDeclared(storage, [job]);
    await changeStored(storage, (uid) => ({ kind: 'orphan', uid, reason: 'undeclared' }));
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
    await changeStored(storage, (uid) => ({ kind: 'orphan', uid, reason: 'undeclared' }));
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
    await changeStored(storage, (uid) => ({ kind: 'orphan', uid, reason: 'undeclared' }));
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
      await changeStored(storage, (uid) => ({ kind: 'orphan', uid, reason: 'undeclared' }));
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
      const orphan = (): Promise<unknown> =>
        changeStored(storage, (uid) => ({ kind: 'orphan', uid, reason: 'undeclared' }));
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
    await changeStored(storage, (uid) => ({ kind: 'orphan', uid, reason: 'undeclared' }));
    await storage.resumeJob(ref('job'), (_, now) => ({ nextAt: now - second, gap: null }));
    assert.equal((await jobOf(storage)).state, 'orphaned');
    assert.deepEqual((await storage.dueCursors(await startWorker(storage), 10)).cursors, []);
  },

  'that was paused later and resumed comes back to where it stood': async ({ storage }) => {
    const job = await declared(storage);
    await insertDeclared(storage, [job]);
    await changeStored(storage, (uid) => ({ kind: 'orphan', uid, reason: 'undeclared' }));
    await storage.pauseJob(ref('job'), { reason: null, by: null });
    await storage.resumeJob(ref('job'), (_, now) => ({ nextAt: now + hour, gap: null }));
    assert.equal(only(await gapsOf(storage), 'gap').verdict, 'missed');
    await changeStored(storage, (uid) => ({ kind: 'adopt', uid }));
    assert.deepEqual((await jobOf(storage)).nextRunAt, new Date(job.nextAt!));
  },

  'lets a run go on': async ({ storage }) => {
    await insertDeclared(storage, [await declared(storage)]);
    const run = await fireOne(storage, await startWorker(storage));
    await changeStored(storage, (uid) => ({ kind: 'orphan', uid, reason: 'undeclared' }));
    await settle(storage, run);
    assert.equal((await jobOf(storage)).runCount, 1);
  },
});

export const supersededLaws = lawsOf('superseded', {
  'goes on where it is told to, and what it owed meanwhile stays on record': async ({ storage, clock }) => {
    const job = await declared(storage, { dueInMs: minute });
    await insertDeclared(storage, [job]);
    await changeStored(storage, (uid) => ({ kind: 'orphan', uid, reason: 'superseded' }));
    const held = only(await gapsOf(storage), 'gap');
    assert.deepEqual(
      [held.from, held.until, held.verdict, held.reason],
      [new Date(job.nextAt!), null, 'missed', 'superseded'],
    );
    assert.equal((await jobOf(storage)).state, 'orphaned');
    await clock.advance(hour);
    const nextAt = job.nextAt! + 61 * minute;
    await changeStored(storage, (uid) => ({ kind: 'adopt', uid, nextAt }));
    const { state, nextRunAt } = await jobOf(storage);
    assert.deepEqual([state, nextRunAt], ['pending', new Date(nextAt)]);
    const gap = only(await gapsOf(storage), 'gap');
    assert.notEqual(gap.until, null, 'The gap should have ended.');
    assert.ok(
      gap.count >= 59 && gap.count <= 61,
      `The gap should count an hour of instants, not ${gap.count}.`,
    );
    assert.equal(gap.reason, 'superseded');
  },

  'puts on record what it passes over, also what is to come: its method has dealt with that under another id':
    async ({ storage }) => {
      const now = await storage.now();
      const from = Math.ceil(now / minute) * minute + hour;
      const until = from + minute;
      const nextAt = until + minute;
      const ends = new Date(until).toISOString();
      type Job = Awaited<ReturnType<typeof declared>>;
      const ways: [id: string, trigger: object, isOrphan: boolean, at: number | null, way: Way][] = [
        ['adopted', {}, true, nextAt, (uid, _, at) => ({ kind: 'adopt', uid, nextAt: at })],
        ['at its end', { endAt: ends }, true, null, (uid, _, at) => ({ kind: 'adopt', uid, nextAt: at })],
        ['updated', {}, true, nextAt, (uid, job) => ({ kind: 'update', uid, job, moveCursor: true })],
        ['another method', {}, false, nextAt, (uid, job) => ({ kind: 'update', uid, job, moveCursor: true })],
      ];
      type Way = (uid: string, job: Job, at: number | null) => DefinitionChange;
      for (const [id, more, isOrphan, at, way] of ways) {
        const job = await declared(storage, { id });
        job.trigger = { ...(job.trigger as object), ...more } as Job['trigger'];
        await insertDeclared(storage, [{ ...job, nextAt: from }]);
        const change = (make: (uid: string) => DefinitionChange): Promise<unknown> =>
          synced(storage, {
            ids: [id],
            plan: (stored) => [
              make(
                only(
                  stored.filter((one) => one.id === id),
                  'stored definition',
                ).uid,
              ),
            ],
          });
        if (isOrphan) await change((uid) => ({ kind: 'orphan', uid, reason: 'superseded' }));
        await change((uid) => way(uid, { ...job, nextAt: at }, at));
        const { nextRunAt } = await jobOf(storage, id);
        assert.deepEqual(nextRunAt, at === null ? null : new Date(at), id);
        const gap = only(await gapsOf(storage, id), `gap of the one ${id}`);
        assert.deepEqual(
          [gap.from, gap.until, gap.verdict, gap.count],
          [new Date(from), new Date(until), 'missed', 2],
          id,
        );
      }
    },

  'is told with its reason to the next plan, and may become so as an orphan': async ({ storage }) => {
    await insertDeclared(storage, [await declared(storage)]);
    const reasonOf = async (): Promise<unknown> => {
      let reason: unknown;
      await synced(storage, {
        plan: (stored) => {
          reason = only(stored, 'stored definition').orphanedReason;
          return [];
        },
      });
      return reason;
    };
    assert.equal(await reasonOf(), null);
    for (const reason of ['undeclared', 'superseded'] as const) {
      await changeStored(storage, (uid) => ({ kind: 'orphan', uid, reason }));
      assert.equal(await reasonOf(), reason);
    }
    assert.equal(only(await gapsOf(storage), 'gap').reason, 'orphaned', 'The first gap stays.');
    await changeStored(storage, (uid) => ({ kind: 'adopt', uid }));
    assert.equal(await reasonOf(), null);
  },

  'and paused is still paused, from where it was, when it comes back': async ({ storage }) => {
    const job = await declared(storage);
    await insertDeclared(storage, [job]);
    await storage.pauseJob(ref('job'), { reason: null, by: null });
    await changeStored(storage, (uid) => ({ kind: 'orphan', uid, reason: 'superseded' }));
    await changeStored(storage, (uid) => ({ kind: 'adopt', uid, nextAt: job.nextAt! + hour }));
    assert.equal((await jobOf(storage)).state, 'paused');
    const { from, verdict, until } = only(await gapsOf(storage), 'gap');
    assert.deepEqual([from, verdict, until], [new Date(job.nextAt!), 'paused', null]);
  },
});

export const undeclaredLaws = lawsOf('undeclared', {
  'jobs become orphans only after the grace, and are told once': async ({ storage, clock }) => {
    const worker = await carry(storage, 'set-1', { ids: ['job'], leaseMs: 9 * hour });
    await insertDeclared(storage, [await declared(storage)], { workerId: worker.workerId });
    await startWorker(storage, { app, leaseMs: 9 * hour });
    await clock.advance(hour);
    assert.deepEqual(await storage.orphanUndeclared(app, graceMs), []);
    await storage.unregister(worker.workerId);
    await clock.advance(9 * minute);
    assert.deepEqual(await storage.orphanUndeclared(app, graceMs), []);
    assert.equal((await jobOf(storage)).state, 'pending');
    await clock.advance(2 * minute);
    assert.deepEqual(await storage.orphanUndeclared(app, graceMs), [ref('job')]);
    assert.equal((await jobOf(storage)).state, 'orphaned');
    assert.deepEqual(await storage.orphanUndeclared(app, graceMs), []);
  },

  'are not those that any live worker declares, be it of an older set': async ({ storage, clock }) => {
    const jobs = await Promise.all(['kept', 'dropped'].map((id) => declared(storage, { id })));
    const old = await carry(storage, 'old', { ids: ['kept', 'dropped'], leaseMs: hour });
    await insertDeclared(storage, jobs, { setHash: 'old', workerId: old.workerId });
    await carry(storage, 'new', { ids: ['kept'], leaseMs: 9 * hour });
    for (let round = 0; round < 2; round++) {
      assert.deepEqual(await storage.orphanUndeclared(app, graceMs), []);
      await clock.advance(20 * minute);
    }
    await clock.advance(25 * minute);
    assert.deepEqual(
      await storage.orphanUndeclared(app, graceMs),
      [],
      'The grace begins when the old worker is gone.',
    );
    await clock.advance(20 * minute);
    assert.deepEqual(await storage.orphanUndeclared(app, graceMs), [ref('dropped')]);
  },

  'are no orphans when all workers were away, before one has been back for the grace': async ({
    storage,
    clock,
  }) => {
    const jobs = await Promise.all(['of-web', 'of-worker'].map((id) => declared(storage, { id })));
    const before = await carry(storage, 'all', { ids: ['of-web', 'of-worker'] });
    await insertDeclared(storage, jobs, { setHash: 'all', workerId: before.workerId });
    await clock.advance(hour);
    await carry(storage, 'web', { ids: ['of-web'], leaseMs: 9 * hour });
    assert.deepEqual(await storage.orphanUndeclared(app, graceMs), []);
    await clock.advance(11 * minute);
    assert.deepEqual(await storage.orphanUndeclared(app, graceMs), [ref('of-worker')]);
  },

  'are declared by workers of their own app only': async ({ storage, clock }) => {
    await insertDeclared(storage, [await declared(storage)]);
    await startWorker(storage, { app, leaseMs: 9 * hour });
    await carry(storage, 'theirs', { app: 'other', ids: ['job'], leaseMs: 9 * hour });
    await clock.advance(hour);
    assert.deepEqual(await storage.orphanUndeclared(app, graceMs), [ref('job')]);
  },

  'are only declared jobs of the app': async ({ storage, clock }) => {
    await addRecurring(storage, { id: 'by-api' });
    await addOneOff(storage, { id: 'once' });
    await insertDeclared(storage, [await declared(storage, { id: 'theirs', app: 'other' })], {
      app: 'other',
    });
    await startWorker(storage, { app, leaseMs: 9 * hour });
    await clock.advance(hour);
    assert.deepEqual(await storage.orphanUndeclared(app, graceMs), []);
    assert.equal(await storage.countJobs({ state: 'orphaned' }), 0);
  },
});
