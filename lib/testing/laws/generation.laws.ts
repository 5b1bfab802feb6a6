import assert from 'node:assert/strict';
import type { DefinitionChange } from '../../index.js';
import { lawsOf } from '../law.js';
import { jobOf, minute, only, startWorker } from './fixture.js';
import { app, changeStored, declared, insertDeclared, sync, synced } from './sync.fixture.js';

export const generationLaws = lawsOf('generation', {
  'is the number of a set, in the order of first sight, app by app': async ({ storage }) => {
    const first = await synced(storage, { setHash: 'a' });
    const second = await synced(storage, { setHash: 'b' });
    assert.ok(second.generation > first.generation);
    assert.equal((await synced(storage, { setHash: 'b' })).generation, second.generation);
    const other = await synced(storage, { app: 'other', setHash: 'b' });
    const later = await synced(storage, { app: 'other', setHash: 'a' });
    assert.ok(later.generation > other.generation);
  },

  'is noted with the worker': async ({ storage }) => {
    const worker = await startWorker(storage, { app });
    const { generation } = await synced(storage, { workerId: worker.workerId });
    assert.equal(only(await storage.queryWorkers(), 'worker').generation, generation);
  },

  'is confirmed where nothing is to be changed, and only there': async ({ storage }) => {
    if (!storage.confirmDefinitions) return;
    const job = await declared(storage);
    const worker = await startWorker(storage, { app });
    const request = (setHash: string, plan: () => DefinitionChange[] = () => []) => ({
      app,
      setHash,
      workerId: worker.workerId,
      declared: ['default/job'],
      plan,
    });
    assert.equal(await storage.confirmDefinitions(request('a')), null);
    const { generation } = await insertDeclared(storage, [job], { setHash: 'a' });
    const expected = { status: 'synced', generation, changes: [], conflicts: [], postponed: [] };
    assert.deepEqual(await storage.confirmDefinitions(request('a')), expected);
    assert.equal(only(await storage.queryWorkers(), 'worker').generation, generation);
    const found: string[] = [];
    const insert = (stored: readonly { id: string }[]): DefinitionChange[] => {
      found.push(...stored.map(({ id }) => id));
      return [{ kind: 'insert', job: { ...job, id: 'another' } }];
    };
    const other = { ...request('a'), plan: insert };
    assert.equal(await storage.confirmDefinitions(other), null);
    assert.deepEqual(found, [job.id]);
    assert.equal(await storage.getJob({ namespace: 'default', id: 'another' }), null);
    const newer = await startWorker(storage, { app });
    await synced(storage, { setHash: 'b', workerId: newer.workerId });
    assert.equal(await storage.confirmDefinitions(request('a')), null);
  },

  'is noted with each job that it wrote': async ({ storage }) => {
    const job = await declared(storage);
    let expected = (await insertDeclared(storage, [job], { setHash: 'a' })).generation;
    const noted = async (): Promise<void> => {
      await synced(storage, {
        setHash: 'z',
        plan: (stored) => {
          assert.equal(only(stored, 'stored definition').generation, expected);
          return [];
        },
      });
    };
    await noted();
    const update = (uid: string) => ({ kind: 'update', uid, job, moveCursor: false }) as const;
    expected = (await changeStored(storage, update, { setHash: 'b' })).generation;
    await noted();
    await changeStored(storage, (uid) => ({ kind: 'orphan', uid }), { setHash: 'b' });
    expected = (await changeStored(storage, (uid) => ({ kind: 'adopt', uid }), { setHash: 'c' })).generation;
    await noted();
  },

  'that is superseded writes no job while a live worker runs a newer one': async ({ storage }) => {
    const job = await declared(storage);
    const old = await insertDeclared(storage, [job], { setHash: 'old' });
    const newer = await startWorker(storage, { app });
    const next = await synced(storage, { setHash: 'new', workerId: newer.workerId });
    const before = await storage.queryJobs({}, {});
    const late = await startWorker(storage, { app });
    const result = await sync(storage, {
      setHash: 'old',
      workerId: late.workerId,
      plan: () => assert.fail('The plan of a superseded set should not be asked for.'),
    });
    assert.deepEqual(result, { status: 'superseded', generation: old.generation, by: next.generation });
    assert.deepEqual(await storage.queryJobs({}, {}), before);
    const noted = (await storage.queryWorkers()).find((worker) => worker.id === late.workerId);
    assert.equal(noted?.generation, old.generation);
  },

  'is not superseded by workers of another app': async ({ storage }) => {
    await synced(storage, { setHash: 'old' });
    const stranger = await startWorker(storage, { app: 'other' });
    for (const setHash of ['a', 'b', 'c']) {
      await synced(storage, { app: 'other', setHash, workerId: stranger.workerId });
    }
    await synced(storage, { setHash: 'old' });
  },

  'that is older is adopted once no live worker runs the newer one': async ({ storage, clock }) => {
    const job = await declared(storage, { payload: 'old' });
    await insertDeclared(storage, [job], { setHash: 'old' });
    const update = (payload: string) => (uid: string) =>
      ({ kind: 'update', uid, job: { ...job, payload }, moveCursor: false }) as const;
    for (const end of ['leaves', 'dies'] as const) {
      const newer = await startWorker(storage, { app, leaseMs: minute });
      await changeStored(storage, update('new'), { setHash: 'new', workerId: newer.workerId });
      assert.equal((await sync(storage, { setHash: 'old' })).status, 'superseded');
      if (end === 'leaves') await storage.unregister(newer.workerId);
      else await clock.advance(2 * minute);
      await changeStored(storage, update('old'), { setHash: 'old' });
      assert.equal((await jobOf(storage)).payload, 'old');
    }
  },

  'of a worker itself does not supersede what the same worker declares next': async ({ storage }) => {
    const worker = await startWorker(storage, { app });
    await synced(storage, { setHash: 'a', workerId: worker.workerId });
    await synced(storage, { setHash: 'b', workerId: worker.workerId });
    await synced(storage, { setHash: 'a', workerId: worker.workerId });
  },
});
