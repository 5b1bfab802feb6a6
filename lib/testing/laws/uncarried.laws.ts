import assert from 'node:assert/strict';
import { lawsOf } from '../law.js';
import { fireOne, gapsOf, hour, jobOf, only, startWorker } from './fixture.js';
import {
  app,
  carry,
  changeStored,
  declared,
  graceMs,
  insertDeclared,
  synced,
  type SyncGiven,
} from './sync.fixture.js';

/** A sync of a process that carries nothing. */
const forNobody: SyncGiven = { workerId: null, setHash: 'uncarried' };

export const uncarriedLaws = lawsOf('uncarried set', {
  'stores orphans, which keep their place until they are adopted': async ({ storage, clock }) => {
    const job = await declared(storage, { payload: 'p' });
    const manual = await declared(storage, { id: 'manual', nextAt: null, trigger: { type: 'manual' } });
    const changes = [job, manual].map((each) => ({ kind: 'insert', job: each, orphaned: true }) as const);
    const result = await synced(storage, { ...forNobody, ids: ['job', 'manual'], plan: () => [...changes] });
    assert.deepEqual([result.generation, result.changes, result.conflicts], [0, changes, []]);
    const { state, source, app: owner, payload, nextRunAt } = await jobOf(storage);
    assert.deepEqual([state, source, owner, payload, nextRunAt], ['orphaned', 'code', app, 'p', null]);
    assert.equal((await jobOf(storage, 'manual')).state, 'orphaned');
    const { from, until, verdict, reason } = only(await gapsOf(storage), 'gap');
    assert.deepEqual([from, until, verdict, reason], [new Date(job.nextAt!), null, 'missed', 'orphaned']);
    const worker = await startWorker(storage, { leaseMs: 2 * hour });
    await clock.advance(hour);
    assert.deepEqual((await storage.dueCursors(worker, 10)).cursors, []);
    await synced(storage, {
      plan: (stored) => stored.map(({ uid }) => ({ kind: 'adopt', uid })),
    });
    assert.deepEqual((await jobOf(storage)).nextRunAt, new Date(job.nextAt!));
    assert.equal((await jobOf(storage, 'manual')).state, 'pending');
    assert.deepEqual(await gapsOf(storage), []);
    assert.equal((await fireOne(storage, worker)).nominalAt, job.nextAt);
  },

  'does not appear, and leaves nothing of itself': async ({ storage }) => {
    const carried = await carry(storage, 'a', { ids: ['a'] });
    const job = await declared(storage, { id: 'b' });
    const insert = { kind: 'insert', job, orphaned: true } as const;
    let seen: string[] = [];
    await synced(storage, {
      ...forNobody,
      ids: ['b'],
      plan: (_stored, _now, sets) => {
        seen = sets.flatMap(({ declarations }) => declarations.map(({ id }) => id));
        return [insert];
      },
    });
    assert.deepEqual(seen, ['a']);
    assert.equal(await storage.syncedSet({ app, setHash: 'uncarried', graceMs }), null);
    const workers = await storage.queryWorkers();
    assert.deepEqual(
      workers.map(({ id, generation }) => [id, generation]),
      [[carried.workerId, carried.generation]],
    );
    const next = await carry(storage, 'c');
    assert.equal(next.generation, carried.generation + 1);
  },

  'is in the way of no sync that a worker has done': async ({ storage }) => {
    const job = await declared(storage, { id: 'a' });
    await insertDeclared(storage, [job], { setHash: 'a' });
    const { workerId } = await carry(storage, 'a', { ids: ['a'] });
    const setHash = 'a';
    assert.notEqual(await storage.syncedSet({ app, setHash, graceMs }), null);
    const other = await declared(storage, { id: 'b' });
    const plan: SyncGiven['plan'] = () => [{ kind: 'insert', job: other, orphaned: true }];
    await synced(storage, { ...forNobody, ids: ['b'], plan });
    assert.notEqual(await storage.syncedSet({ app, setHash, graceMs }), null);
    assert.equal((await storage.renew(workerId, hour, 0)).outOfSync, false);
  },

  'finds the ids taken that others have': async ({ storage }) => {
    await insertDeclared(storage, [await declared(storage)]);
    const insert = {
      kind: 'insert',
      job: await declared(storage, { payload: 'other' }),
      orphaned: true,
    } as const;
    const { changes, conflicts } = await synced(storage, { ...forNobody, plan: () => [insert] });
    assert.deepEqual([changes, conflicts], [[], [{ namespace: 'default', id: 'job' }]]);
    assert.equal((await jobOf(storage)).state, 'pending');
    await changeStored(storage, (uid) => ({ kind: 'delete', uid }));
  },
});
