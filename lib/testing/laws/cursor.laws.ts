import assert from 'node:assert/strict';
import type { Trigger } from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addRecurring,
  attemptsOf,
  fireDue,
  fireOne,
  firingOf,
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
} from './fixture.js';
import { changeStored, declared, insertDeclared } from './sync.fixture.js';

/** Nothing of it is due soon. */
const rarely = { type: 'cron' as const, expression: '30 4 29 2 *' };

export const cursorLaws = lawsOf('cursor', {
  'refuses a cursor that was moved since it was read': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    const cursor = only((await storage.dueCursors(worker, 10)).cursors, 'due cursor');
    await storage.fire(worker, [firingOf(cursor, { nextAt: cursor.nominalAt + 1 })], 10);
    const again = await storage.fire(worker, [firingOf(cursor)], 10);
    assert.deepEqual([again.moved, again.runs, again.unclaimed, again.skipped], [[], [], 0, []]);
    only(await runsOf(storage), 'run');
  },

  'creates no instant twice whose run is still there, even when it is set back': async ({ storage }) => {
    await addRecurring(storage, { trigger: rarely });
    const worker = await startWorker(storage);
    const run = await fireOne(storage, worker);
    await storage.updateJob(ref('job'), { nextAt: run.nominalAt });
    assert.ok((await jobOf(storage)).nextRunAt!.getTime() > run.nominalAt);
    const result = await fireDue(storage, worker, { overlap: 'allow' });
    assert.deepEqual([result.moved, result.runs, result.unclaimed], [[], [], 0]);
    assert.equal(only(await runsOf(storage), 'run').id, run.id);
    assert.deepEqual(await gapsOf(storage), []);
  },

  'goes on after what has fired, wherever a changed schedule is to go on': async ({ storage }) => {
    const every = (seconds: number): Trigger => ({ type: 'interval', every: seconds * second, anchor });
    const at = Math.ceil((await storage.now()) / minute) * minute;
    const anchor = new Date(at - hour).toISOString();
    const next = (seconds: number) => new Date(at + seconds * second);
    await addRecurring(storage, { trigger: every(60), nextAt: at });
    const worker = await startWorker(storage);
    // Read ahead, and fired while somebody works out where the schedule is to go on.
    const cursor = only(
      (await storage.dueCursors(worker, 10, 2 * minute)).cursors,
      'cursor that is due soon',
    );
    await storage.fire(worker, [firingOf(cursor, { nextAt: at + minute })], 0, 2 * minute);
    await storage.updateJob(ref('job'), { trigger: every(120), nextAt: at });
    assert.deepEqual((await jobOf(storage)).nextRunAt, next(120));
    await storage.pauseJob(ref('job'), { reason: null, by: null });
    const gap = only(await gapsOf(storage), 'open gap');
    assert.deepEqual([gap.from, gap.until], [next(120), null]);
  },

  'puts on record what a changed schedule passes over, as the one before has fired beyond it': async ({
    storage,
  }) => {
    const every = (seconds: number): Trigger => ({ type: 'interval', every: seconds * second, anchor });
    const at = Math.ceil((await storage.now()) / minute + 1) * minute;
    const anchor = new Date(at - hour).toISOString();
    await addRecurring(storage, { trigger: every(60), nextAt: at });
    const worker = await startWorker(storage);
    const cursor = only((await storage.dueCursors(worker, 10, 3 * minute)).cursors, 'cursor');
    await storage.fire(worker, [firingOf(cursor, { nextAt: at + minute })], 0, 3 * minute);
    const missed = async (): Promise<number[]> => {
      const gaps = (await gapsOf(storage)).toSorted((a, b) => a.from.getTime() - b.from.getTime());
      assert.ok(gaps.every((gap) => gap.verdict === 'missed' && gap.count === 1));
      assert.deepEqual(
        gaps.map(({ until }) => until),
        gaps.map(({ from }) => from),
      );
      return gaps.map(({ from }) => (from.getTime() - at) / second);
    };
    await storage.updateJob(ref('job'), { trigger: every(20), nextAt: at - 20 * second });
    assert.deepEqual((await jobOf(storage)).nextRunAt, new Date(at + 20 * second));
    assert.deepEqual(await missed(), [-20]);
    // Once more within the time ahead: what has a run or a gap is not on record again.
    await storage.updateJob(ref('job'), { trigger: every(10), nextAt: at - 20 * second });
    assert.deepEqual(await missed(), [-20, -10]);
    await storage.updateJob(ref('job'), { trigger: every(15), nextAt: at + 15 * second });
    assert.deepEqual(await missed(), [-20, -10]);
    only(await runsOf(storage), 'run');
  },

  'never fires an instant again after the cursor has come to its end, whatever becomes of the job': async ({
    storage,
  }) => {
    const at = (await storage.now()) - second;
    const trigger = { type: 'at' as const, at: new Date(at).toISOString() };
    const job = await declared(storage, { trigger, nextAt: at });
    await insertDeclared(storage, [job]);
    const worker = await startWorker(storage);
    await settle(storage, await fireOne(storage, worker, { nextAt: null }));
    const comesBack: Record<string, () => Promise<unknown>> = {
      'another zone': () => storage.updateJob(ref('job'), { timeZone: 'Asia/Seoul', nextAt: at }),
      'a deploy': () =>
        changeStored(storage, (uid) => ({ kind: 'update', uid, job, moveCursor: true }), { ids: ['job'] }),
      'an orphan that comes back': async () => {
        await changeStored(storage, (uid) => ({ kind: 'orphan', uid, reason: 'undeclared' }));
        await changeStored(storage, (uid) => ({ kind: 'adopt', uid }), { ids: ['job'] });
        await storage.updateJob(ref('job'), { nextAt: at });
      },
      'a pause': async () => {
        await storage.pauseJob(ref('job'), { reason: null, by: null });
        await storage.resumeJob(ref('job'), () => ({ nextAt: at, gap: null }));
      },
    };
    for (const [what, change] of Object.entries(comesBack)) {
      await change();
      const again = await fireDue(storage, worker, { nextAt: null, overlap: 'allow' });
      assert.deepEqual([again.runs, again.unclaimed], [[], 0], `Fired again by ${what}.`);
      assert.equal((await jobOf(storage)).nextRunAt, null, `It has come to its end, also by ${what}.`);
    }
    only(await attemptsOf(storage), 'ledger row');
  },

  'never fires an instant again after the resume of a scope has ended the cursor': async ({ storage }) => {
    await addRecurring(storage, { trigger: rarely });
    const worker = await startWorker(storage);
    const first = await fireOne(storage, worker, { nextAt: (await storage.now()) - 1 });
    await settle(storage, first);
    const scope = { kind: 'all' as const, name: '' };
    await storage.pauseScope(scope, { reason: null, by: null });
    await storage.resumeScope(scope, () => ({ nextAt: null, gap: null }));
    assert.equal((await jobOf(storage)).nextRunAt, null);
    await storage.updateJob(ref('job'), { nextAt: first.nominalAt });
    const again = await fireDue(storage, worker);
    assert.deepEqual([again.moved, again.runs, again.unclaimed], [[], [], 0]);
    assert.ok((await jobOf(storage)).nextRunAt!.getTime() > first.nominalAt);
  },

  'refuses a wrong revision': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    const cursor = only((await storage.dueCursors(worker, 10)).cursors, 'due cursor');
    const result = await storage.fire(worker, [firingOf(cursor, { revision: cursor.revision - 1 })], 10);
    assert.deepEqual(result.moved, []);
    assert.deepEqual(await runsOf(storage), []);
  },

  'ends the schedule when there is no next time': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    await settle(storage, await fireOne(storage, worker, { nextAt: null }));
    assert.equal((await jobOf(storage)).nextRunAt, null);
    assert.deepEqual((await storage.dueCursors(worker, 10)).cursors, []);
    assert.equal((await storage.nextWakeAt(worker)).cursorAt, null);
  },

  'counts fired instants as told': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    const { nominalAt } = await fireOne(storage, worker, { fired: 7, nextAt: (await storage.now()) - 1 });
    const cursor = only((await storage.dueCursors(worker, 10)).cursors, 'due cursor');
    assert.equal(cursor.fired, 7);
    assert.ok(cursor.nominalAt > nominalAt);
  },

  'shows due cursors earliest first, no more than asked for, none that are later': async ({ storage }) => {
    for (const [id, dueInMs] of [
      ['c', -second],
      ['a', -3 * second],
      ['later', minute],
      ['b', -2 * second],
    ] as const) {
      await addRecurring(storage, { id, dueInMs });
    }
    const worker = await startWorker(storage);
    const all = await storage.dueCursors(worker, 10);
    assert.deepEqual(
      all.cursors.map((cursor) => cursor.jobId),
      ['a', 'b', 'c'],
    );
    const two = await storage.dueCursors(worker, 2);
    assert.deepEqual(
      two.cursors.map((cursor) => cursor.jobId),
      ['a', 'b'],
    );
  },

  'shows cursors as far ahead as asked, and holds none of them by it': async ({ storage }) => {
    for (const [id, dueInMs] of [
      ['far', hour],
      ['near', minute],
      ['due', -second],
    ] as const) {
      await addRecurring(storage, { id, dueInMs });
    }
    const worker = await startWorker(storage);
    const idsWithin = async (aheadMs?: number) =>
      (await storage.dueCursors(worker, 10, aheadMs)).cursors.map((cursor) => cursor.jobId);
    assert.deepEqual(await idsWithin(), ['due']);
    assert.deepEqual(await idsWithin(0), ['due']);
    assert.deepEqual(await idsWithin(2 * minute), ['due', 'near']);
    assert.deepEqual(await idsWithin(2 * hour), ['due', 'near', 'far']);
    const { cursors } = await storage.dueCursors(worker, 2, 2 * hour);
    assert.deepEqual(
      cursors.map((cursor) => cursor.jobId),
      ['due', 'near'],
    );
    assert.deepEqual(await runsOf(storage), []);
    await storage.pauseJob(ref('near'), { reason: 'test', by: null });
    const result = await storage.fire(
      worker,
      cursors.map((cursor) => firingOf(cursor)),
      10,
    );
    assert.deepEqual(result.moved, [cursors[0]!.jobUid]);
    assert.deepEqual(await idsWithin(minute), []);
  },

  'shows a worker only cursors whose handler and queue it has': async ({ storage }) => {
    await addRecurring(storage, { id: 'mine' });
    await addRecurring(storage, { id: 'handler', handler: 'other' });
    await addRecurring(storage, { id: 'queue', queue: 'other' });
    const { cursors } = await storage.dueCursors(await startWorker(storage), 10);
    assert.equal(only(cursors, 'due cursor').jobId, 'mine');
    const nobody = await startWorker(storage, { handlers: [] });
    assert.deepEqual((await storage.dueCursors(nobody, 10)).cursors, []);
  },
});
