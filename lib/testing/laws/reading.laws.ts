import assert from 'node:assert/strict';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  attemptsOf,
  claimOne,
  minute,
  ref,
  settle,
  startWorker,
} from './fixture.js';

/** Of storages that limit reads; the others are in order. */
export const readingLaws = lawsOf('reads with a limit of their own', {
  'come to what they come to without one, and so does what is changed beside them': async ({ storage }) => {
    if (storage.reading === undefined) return;
    await addRecurring(storage, { id: 'often' });
    await addOneOff(storage, { id: 'once' });
    const [jobs, count, runs] = await storage.reading(minute, async () => {
      const read = await Promise.all([
        storage.queryJobs({}, {}),
        storage.countJobs({}),
        storage.queryRuns({}, {}),
      ]);
      const run = await claimOne(storage, await startWorker(storage));
      await settle(storage, run, { result: 7 });
      await storage.pauseJob(ref('often'), { reason: null, by: null });
      return read;
    });
    assert.deepEqual(
      jobs.items.map(({ id }) => id),
      ['often', 'once'],
    );
    assert.deepEqual([count, runs.items.length], [2, 1]);
    assert.deepEqual(
      (await attemptsOf(storage, { jobId: 'once' })).map(({ result }) => result),
      [7],
    );
    assert.notEqual((await storage.getJob(ref('often')))!.paused, null);
  },

  'reject with what the work rejects with': async ({ storage }) => {
    if (storage.reading === undefined) return;
    const mine = new Error('mine');
    await assert.rejects(
      storage.reading(minute, async () => {
        await storage.countJobs({});
        throw mine;
      }),
      mine,
    );
  },
});
