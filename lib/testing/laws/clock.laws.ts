import assert from 'node:assert/strict';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  claimOne,
  day,
  fireOne,
  hour,
  jobOf,
  minute,
  settle,
  startWorker,
} from './fixture.js';

/** Does something while this process believes that it is earlier or later. */
async function withLocalClockOff<T>(offsetMs: number, work: () => Promise<T>): Promise<T> {
  const realNow = Date.now;
  Date.now = () => realNow() + offsetMs;
  try {
    return await work();
  } finally {
    Date.now = realNow;
  }
}

export const clockLaws = lawsOf('clock', {
  'of the storage moves on as the subject says': async ({ storage, clock }) => {
    const before = await storage.now();
    await clock.advance(hour);
    const passed = (await storage.now()) - before;
    assert.ok(passed >= hour && passed < hour + minute, `An hour should have passed, but ${passed} ms did.`);
  },

  'is the same for all adapters': async ({ storage, open, clock }) => {
    const other = await open();
    await clock.advance(hour);
    const difference = (await other.now()) - (await storage.now());
    assert.ok(difference >= 0 && difference < minute);
  },

  'of a worker that runs ahead makes nothing due': async ({ storage }) => {
    await addOneOff(storage, { id: 'once', dueInMs: hour });
    await addRecurring(storage, { id: 'recurring', dueInMs: hour });
    const worker = await startWorker(storage);
    await withLocalClockOff(day, async () => {
      assert.deepEqual((await storage.claim(worker, 10)).runs, []);
      assert.deepEqual((await storage.dueCursors(worker, 10)).cursors, []);
    });
  },

  'of a worker that runs ahead ends no lease': async ({ storage }) => {
    await addOneOff(storage);
    const worker = await startWorker(storage);
    const run = await claimOne(storage, worker);
    await withLocalClockOff(day, async () => {
      assert.deepEqual((await storage.releaseLost()).runs, []);
      assert.notEqual((await storage.renew(worker.workerId, minute, 1)).leaseUntil, null);
    });
    await settle(storage, run);
  },

  'of a worker that is behind keeps nothing back': async ({ storage }) => {
    await withLocalClockOff(-day, async () => {
      await addOneOff(storage);
      await addRecurring(storage, { id: 'recurring' });
      const worker = await startWorker(storage);
      await claimOne(storage, worker);
      await fireOne(storage, worker);
    });
  },

  'of a worker, in what it reports, moves no schedule beyond now': async ({ storage }) => {
    const trigger = { type: 'interval', every: minute, mode: 'fixed-delay' } as const;
    await addRecurring(storage, { trigger });
    const run = await fireOne(storage, await startWorker(storage), { nextAt: Infinity });
    const finishedAt = (await storage.now()) + day;
    await settle(storage, run, { startedAt: finishedAt, finishedAt });
    const { nextRunAt } = await jobOf(storage);
    assert.ok(nextRunAt!.getTime() <= (await storage.now()) + minute);
  },
});

export const adapterLaws = lawsOf('adapter', {
  'names its kind, and whether others see its jobs': async ({ storage }) => {
    assert.ok(storage.kind.length > 0);
    assert.equal(typeof storage.shared, 'boolean');
    assert.ok(storage.lock.shared || !storage.shared, 'A shared storage needs a shared lock.');
  },

  'sees at once what another one wrote': async ({ storage, open }) => {
    const other = await open();
    await addRecurring(other, { id: 'a' });
    await jobOf(storage, 'a');
    await addOneOff(storage, { id: 'b' });
    await jobOf(other, 'b');
  },

  'rejects calls once it is closed; others go on': async ({ storage, open }) => {
    const other = await open();
    await other.close();
    await assert.rejects(other.now());
    await assert.rejects(other.countJobs({}));
    await addRecurring(storage);
  },
});
