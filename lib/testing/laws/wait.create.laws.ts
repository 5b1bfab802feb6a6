import assert from 'node:assert/strict';
import type { NewJob, StorageAdapter } from '../../index.js';
import { lawsOf } from '../law.js';
import { addOneOff, addRecurring, hour, jobOf, ref, settle } from './fixture.js';
import {
  after,
  assertStates,
  claimAll,
  claimIt,
  create,
  free,
  lasting,
  runIt,
  stateAt,
} from './wait.fixture.js';

/** Nothing of it is stored. */
async function refuses(storage: StorageAdapter, jobs: NewJob[], message: RegExp): Promise<void> {
  await assert.rejects(storage.insertJobs(jobs, 'raise'), message);
  for (const job of jobs) assert.equal(await storage.getJob(job), null, `"${job.id}" should not be there.`);
}

export const waitCreateLaws = lawsOf('jobs that are created to wait', {
  'may wait for one that is there: due later, running, paused or waiting itself': async ({ storage }) => {
    const worker = await lasting(storage);
    await addOneOff(storage, { id: 'running' });
    const running = await claimIt(storage, worker, 'running');
    await addOneOff(storage, { id: 'later', dueInMs: hour });
    await addOneOff(storage, { id: 'paused' });
    await storage.pauseJob(ref('paused'), { reason: null, by: null });
    await create(storage, { waiting: ['later'] });
    await create(storage, { c: ['running', 'later', 'paused', 'waiting'] });
    await settle(storage, running);
    assert.deepEqual((await jobOf(storage, 'c')).waitsFor, ['later', 'paused', 'waiting']);
    await storage.resumeJob(ref('paused'), () => ({ nextAt: null, gap: null }));
    await runIt(storage, worker, 'paused');
    await storage.runNow(ref('later'));
    await runIt(storage, worker, 'later');
    await runIt(storage, worker, 'waiting');
    await runIt(storage, worker, 'c');
  },

  'are stored in any order of the list': async ({ storage }) => {
    await create(storage, { d: ['c', 'b'], c: ['b', 'a'], b: ['a'], a: [] });
    const worker = await lasting(storage);
    for (const id of ['a', 'b', 'c', 'd']) await runIt(storage, worker, id);
  },

  'are refused with a parent that nobody knows, and nothing is stored': async ({ storage }) => {
    const jobs = [await free(storage, 'a'), await after(storage, 'c', ['a', 'b'])];
    await refuses(storage, jobs, /names "b", but the namespace "default" has no such job/);
    await storage.insertJobs([{ ...(await free(storage, 'b')), namespace: 'other' }], 'raise');
    await refuses(storage, jobs, /names "b", but the namespace "default" has no such job/);
  },

  'are refused with a parent that has ended: as what is said': async ({ storage }) => {
    const worker = await lasting(storage);
    await addOneOff(storage, { id: 'a' });
    await runIt(storage, worker, 'a');
    await refuses(
      storage,
      [await after(storage, 'c', ['a'])],
      /names "a", but .* ended already, as succeeded/,
    );
    await addOneOff(storage, { id: 'b' });
    await runIt(storage, worker, 'b', { outcome: 'failed', error: 'boom' });
    await refuses(storage, [await after(storage, 'c', ['b'])], /names "b", but .* as failed\. Retry it/);
  },

  'are refused with a parent that recurs': async ({ storage }) => {
    await addRecurring(storage, { id: 'a', dueInMs: hour });
    await refuses(storage, [await after(storage, 'c', ['a'])], /names "a", but that job recurs.*onSuccess/);
  },

  'are not stored where an id of the list is taken': async ({ storage }) => {
    await addOneOff(storage, { id: 'b', dueInMs: hour });
    const jobs = [await free(storage, 'a'), await free(storage, 'b'), await after(storage, 'c', ['a', 'b'])];
    await assert.rejects(storage.insertJobs(jobs, 'raise'), /"b"/);
    await assertStates(storage, { a: null, c: null });
  },

  'find what is there under "ignore", and create the rest': async ({ storage }) => {
    const worker = await lasting(storage);
    const jobs = [await free(storage, 'a'), await free(storage, 'b'), await after(storage, 'c', ['a', 'b'])];
    const statuses = async (): Promise<string[]> =>
      (await storage.insertJobs(jobs, 'ignore')).map(({ status }) => status);
    assert.deepEqual(await statuses(), ['created', 'created', 'created']);
    assert.deepEqual(await statuses(), ['existing', 'existing', 'existing']);
    const runs = await claimAll(storage, worker);
    assert.equal(runs.size, 2);
    for (const run of runs.values()) await settle(storage, run);
    assert.equal(await stateAt(storage, 'c'), 'pending');
    await runIt(storage, worker, 'c');
  },

  'a thousand of them': async ({ storage }) => {
    const worker = await lasting(storage);
    const ids = Array.from({ length: 1_000 }, (_, nth) => `p${nth}`);
    await create(storage, { ...Object.fromEntries(ids.map((id) => [id, []])), join: ids });
    const runs = await claimAll(storage, worker);
    assert.equal(runs.size, 1_000);
    const settled = [...runs.values()];
    for (const run of settled.slice(0, 3)) await settle(storage, run);
    assert.equal((await jobOf(storage, 'join')).waitsFor!.length, 997);
  },
});
