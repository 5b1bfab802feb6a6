import assert from 'node:assert/strict';
import { InvalidOptionError, type JobFilter, type StorageAdapter } from '../../index.js';
import { lawsOf } from '../law.js';
import { addOneOff, addRecurring, claimOne, hour, minute, ref, second, startWorker } from './fixture.js';

async function nextOf(storage: StorageAdapter, filter: JobFilter = {}, limit = 100): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  for (let page = 1; page === 1 || cursor !== null; page++) {
    const { items, cursor: next } = await storage.queryJobs(filter, {
      ...{ limit, orderBy: 'nextRunAt' },
      ...(cursor !== null && { cursor }),
    });
    assert.ok(items.length <= limit && page < 50, 'Paging should come to an end.');
    ids.push(...items.map(({ id }) => id));
    cursor = next;
  }
  return ids;
}

/** Of both kinds, some at the same time, in two namespaces, queues and priorities. */
async function addSome(storage: StorageAdapter): Promise<string[]> {
  const inMs = [5, 1, 3, 1, 3, 3, 2, 4, 3].map((n) => n * minute);
  const base = (await storage.now()) + hour;
  for (const [n, ms] of inMs.entries()) {
    const given = {
      id: `job-${n}`,
      namespace: n % 4 === 3 ? 'other' : 'default',
      queue: n % 3 === 0 ? 'slow' : 'default',
      handler: n % 5 === 0 ? 'mail' : 'work',
      priority: n % 2 === 0 ? 5 : 2,
      metadata: { n: n % 2 },
      nextAt: base + ms,
    };
    if (n % 2 === 0) await addRecurring(storage, given);
    else await addOneOff(storage, given);
  }
  return ['job-1', 'job-3', 'job-6', 'job-2', 'job-4', 'job-5', 'job-8', 'job-7', 'job-0'];
}

export const nextLaws = lawsOf('what comes next', {
  'is in the order of time, and where that is the same in that of namespaces and ids, page by page': async ({
    storage,
  }) => {
    const inOrder = await addSome(storage);
    for (const limit of [100, 9, 4, 3, 2, 1]) assert.deepEqual(await nextOf(storage, {}, limit), inOrder);
  },

  'is found by each condition as without the order': async ({ storage }) => {
    const inOrder = await addSome(storage);
    await storage.pauseScope({ kind: 'handler', name: 'mail' }, { reason: null, by: null });
    const filters: JobFilter[] = [
      { namespace: 'default' },
      { namespace: 'other' },
      { queue: 'slow' },
      { queue: ['slow', 'default'], handler: ['work'] },
      { handler: 'mail', namespace: 'default' },
      { triggerType: 'at' },
      { metadata: { n: 1 } },
      { state: 'pending' },
      { pausedBy: 'handler' },
      { idPrefix: 'job-', source: 'api' },
      { handler: [] },
    ];
    for (const filter of filters) {
      const met = (await storage.queryJobs(filter, {})).items.map(({ id }) => id);
      const expected = inOrder.filter((id) => met.includes(id));
      for (const limit of [100, 2, 1]) {
        assert.deepEqual(await nextOf(storage, filter, limit), expected, JSON.stringify(filter));
      }
    }
  },

  'is found beyond very many that are in another state': async ({ storage }) => {
    for (let n = 0; n < 20; n++) {
      await addOneOff(storage, { id: `paused-${n}`, handler: 'mail', dueInMs: minute });
      await addRecurring(storage, { id: `paused-too-${n}`, handler: 'mail', dueInMs: minute });
    }
    await addOneOff(storage, { id: 'once', dueInMs: 2 * hour });
    await addRecurring(storage, { id: 'again', dueInMs: hour });
    await storage.pauseScope({ kind: 'handler', name: 'mail' }, { reason: null, by: null });
    for (const limit of [1, 2, 3]) {
      assert.deepEqual(await nextOf(storage, { state: 'pending' }, limit), ['again', 'once']);
    }
    assert.equal((await nextOf(storage, { state: 'paused' }, 7)).length, 40);
  },

  'is only what comes before an instant, where one is given': async ({ storage }) => {
    const inOrder = await addSome(storage);
    const base = (await storage.queryJobs({}, { orderBy: 'nextRunAt', limit: 1 })).items[0]!.nextRunAt!;
    const nextBefore = new Date(base.getTime() + 2 * minute);
    assert.deepEqual(await nextOf(storage, { nextBefore }, 2), inOrder.slice(0, 3));
    assert.deepEqual(await nextOf(storage, { nextBefore, namespace: 'default' }), ['job-1', 'job-6']);
    assert.deepEqual(await nextOf(storage, { nextBefore, metadata: { n: 0 } }), ['job-6']);
    assert.equal(await storage.countJobs({ nextBefore }), 3);
    const ids = (await storage.queryJobs({ nextBefore }, {})).items.map(({ id }) => id);
    assert.deepEqual(ids, ['job-1', 'job-6', 'job-3']);
  },

  'has nothing of what has no next time': async ({ storage }) => {
    const worker = await startWorker(storage);
    await addOneOff(storage, { id: 'runs' });
    await claimOne(storage, worker);
    await addRecurring(storage, { id: 'by-hand', trigger: { type: 'manual' }, dueInMs: null });
    await addRecurring(storage, { id: 'paused', dueInMs: minute });
    await addOneOff(storage, { id: 'held', dueInMs: minute });
    for (const id of ['paused', 'held']) await storage.pauseJob(ref(id), { reason: null, by: null });
    await addRecurring(storage, { id: 'waits-for-an-end', nextAt: Infinity });
    await addOneOff(storage, { id: 'late', dueInMs: -second });
    await addRecurring(storage, { id: 'soon', dueInMs: second });
    assert.deepEqual(await nextOf(storage), ['late', 'soon']);
    assert.deepEqual(await nextOf(storage, { state: ['pending', 'paused', 'running'] }), ['late', 'soon']);
  },

  'is read on by the cursor of its own order alone': async ({ storage }) => {
    await addSome(storage);
    const { cursor } = await storage.queryJobs({}, { limit: 1 });
    await assert.rejects(
      storage.queryJobs({}, { limit: 1, orderBy: 'nextRunAt', cursor: cursor! }),
      InvalidOptionError,
    );
  },
});
