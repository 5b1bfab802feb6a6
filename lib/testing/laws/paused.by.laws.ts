import assert from 'node:assert/strict';
import type { JobFilter, ScopeRef, StorageAdapter } from '../../index.js';
import { lawsOf } from '../law.js';
import { addOneOff, addRecurring, claimOne, fireOne, hour, ref, settle, startWorker } from './fixture.js';

const pause = { reason: 'audit', by: 'ops' };
const noGap = { nextAt: null, gap: null };

async function seen(storage: StorageAdapter, ...ids: string[]): Promise<unknown[]> {
  const found = [];
  for (const id of ids) {
    const job = (await storage.getJob(ref(id)))!;
    found.push([job.pausedBy, job.state]);
  }
  return found;
}

async function idsOf(storage: StorageAdapter, filter: JobFilter): Promise<string[]> {
  const { items } = await storage.queryJobs(filter, {});
  assert.equal(await storage.countJobs(filter), items.length);
  return items.map(({ id }) => id);
}

export const pausedByLaws = lawsOf('paused by', {
  'tells of a job what has paused it, of several pauses the narrowest': async ({ storage }) => {
    await addRecurring(storage, { handler: 'mail', queue: 'slow' });
    const narrowestLast: ScopeRef[] = [
      { kind: 'all', name: '' },
      { kind: 'namespace', name: 'default' },
      { kind: 'queue', name: 'slow' },
      { kind: 'handler', name: 'mail' },
    ];
    assert.deepEqual(await seen(storage, 'job'), [[null, 'pending']]);
    for (const scope of narrowestLast) {
      await storage.pauseScope(scope, pause);
      assert.deepEqual(await seen(storage, 'job'), [[scope.kind, 'paused']]);
    }
    const paused = await storage.pauseJob(ref('job'), pause);
    assert.equal(paused?.pausedBy, 'job');
    assert.deepEqual(await seen(storage, 'job'), [['job', 'paused']]);
    await storage.resumeJob(ref('job'), () => ({ nextAt: Date.now() + hour, gap: null }));
    for (const scope of narrowestLast.toReversed()) {
      assert.deepEqual(await seen(storage, 'job'), [[scope.kind, 'paused']]);
      await storage.resumeScope(scope, () => noGap);
    }
    assert.deepEqual(await seen(storage, 'job'), [[null, 'pending']]);
  },

  'concerns nothing of another handler, queue or namespace': async ({ storage }) => {
    await addRecurring(storage, { handler: 'mail', queue: 'slow' });
    await addOneOff(storage, { id: 'once', handler: 'mail', queue: 'slow' });
    for (const kind of ['handler', 'queue', 'namespace'] as const) {
      for (const name of ['', 'job', 'Mail', 'slow ', 'other'])
        await storage.pauseScope({ kind, name }, pause);
    }
    await storage.pauseScope({ kind: 'queue', name: 'mail' }, pause);
    await storage.pauseScope({ kind: 'handler', name: 'slow' }, pause);
    assert.deepEqual(await seen(storage, 'job', 'once'), [
      [null, 'pending'],
      [null, 'pending'],
    ]);
  },

  'is told of one-offs that wait and that run, not of those that have ended': async ({ storage }) => {
    const worker = await startWorker(storage);
    const policies = { keepMs: 'forever' as const };
    await addOneOff(storage, { id: 'ended', policies });
    await settle(storage, await claimOne(storage, worker));
    await addOneOff(storage, { id: 'runs' });
    await claimOne(storage, worker);
    await addOneOff(storage, { id: 'waits' });
    await storage.pauseScope({ kind: 'queue', name: 'default' }, pause);
    assert.deepEqual(await seen(storage, 'ended', 'runs', 'waits'), [
      [null, 'completed'],
      ['queue', 'running'],
      ['queue', 'paused'],
    ]);
    assert.deepEqual(await idsOf(storage, { pausedBy: 'queue' }), ['runs', 'waits']);
  },

  'leaves the state of a job whose run goes on, and of one that has come to its end': async ({ storage }) => {
    const worker = await startWorker(storage);
    await addRecurring(storage, { id: 'runs' });
    await fireOne(storage, worker);
    await addRecurring(storage, { id: 'over', dueInMs: null });
    await storage.pauseScope({ kind: 'handler', name: 'work' }, pause);
    assert.deepEqual(await seen(storage, 'over', 'runs'), [
      ['handler', 'completed'],
      ['handler', 'running'],
    ]);
  },

  'is what jobs are found by, as is their state': async ({ storage }) => {
    await addRecurring(storage, { id: 'a', queue: 'slow' });
    await addOneOff(storage, { id: 'b', queue: 'slow' });
    await addRecurring(storage, { id: 'c', handler: 'mail' });
    await addOneOff(storage, { id: 'd' });
    await addRecurring(storage, { id: 'e' });
    await storage.pauseScope({ kind: 'queue', name: 'slow' }, pause);
    await storage.pauseScope({ kind: 'handler', name: 'mail' }, pause);
    await storage.pauseJob(ref('d'), pause);
    assert.deepEqual(await idsOf(storage, { pausedBy: 'queue' }), ['a', 'b']);
    assert.deepEqual(await idsOf(storage, { pausedBy: ['job', 'handler'] }), ['c', 'd']);
    assert.deepEqual(await idsOf(storage, { pausedBy: 'all' }), []);
    assert.deepEqual(await idsOf(storage, { state: 'paused' }), ['a', 'b', 'c', 'd']);
    assert.deepEqual(await idsOf(storage, { state: 'pending' }), ['e']);
  },

  'is told by what creates a job under a pause': async ({ storage }) => {
    await storage.pauseScope({ kind: 'namespace', name: 'default' }, pause);
    const made = [await addRecurring(storage), await addOneOff(storage, { id: 'once' })];
    assert.deepEqual(
      made.map(({ pausedBy, state, paused }) => [pausedBy, state, paused]),
      [
        ['namespace', 'paused', null],
        ['namespace', 'paused', null],
      ],
    );
    for (const job of made) assert.deepEqual(await storage.getJob(ref(job.id)), job);
  },
});
