import assert from 'node:assert/strict';
import type { StorageAdapter } from '../../index.js';
import { lawsOf } from '../law.js';
import { addOneOff, addRecurring, claimOne, day, minute, second, settle, startWorker } from './fixture.js';

/** Without `now`; null: the storage takes none. */
async function stockOf(storage: StorageAdapter) {
  if (storage.takeStock === undefined) return null;
  const { now, ...stock } = await storage.takeStock();
  assert.equal(now, await storage.now());
  return stock;
}

const none = { queues: [], unclaimable: [], workers: { live: 0, lost: 0 }, pauses: [] };

export const stockLaws = lawsOf('the stock', {
  'of an empty storage is empty': async ({ storage }) => {
    const stock = await stockOf(storage);
    if (stock !== null) assert.deepEqual(stock, none);
  },

  'counts what is due by queue, and tells since when the first run or schedule is': async ({ storage }) => {
    const now = await storage.now();
    await addOneOff(storage, { id: 'b1', queue: 'b', dueInMs: -minute });
    await addOneOff(storage, { id: 'b2', queue: 'b', priority: 1, dueInMs: -2 * minute });
    await addOneOff(storage, { id: 'later', queue: 'c', dueInMs: minute });
    await addRecurring(storage, { id: 'unfired', queue: 'a', dueInMs: -second });
    await addRecurring(storage, { id: 'next', queue: 'c', handler: 'other', dueInMs: second });
    const stock = await stockOf(storage);
    if (stock === null) return;
    assert.deepEqual(stock.queues, [
      { queue: 'a', due: 0, oldestDueAt: now - second, deadLetters: 0 },
      { queue: 'b', due: 2, oldestDueAt: now - 2 * minute, deadLetters: 0 },
    ]);
  },

  'leaves out what a pause of a scope stops, and counts the pauses by kind': async ({ storage }) => {
    await addOneOff(storage, { id: 'held', queue: 'b' });
    await addRecurring(storage, { id: 'stopped', queue: 'b' });
    await addOneOff(storage, { id: 'due', queue: 'a' });
    await storage.pauseScope({ kind: 'queue', name: 'b' }, { reason: null, by: null });
    await storage.pauseScope({ kind: 'queue', name: 'c' }, { reason: null, by: null });
    await storage.pauseScope({ kind: 'handler', name: 'x' }, { reason: null, by: null });
    const stock = await stockOf(storage);
    if (stock === null) return;
    assert.deepEqual(
      stock.queues.map(({ queue, due }) => [queue, due]),
      [['a', 1]],
    );
    assert.deepEqual(stock.pauses, [
      { kind: 'handler', scopes: 1 },
      { kind: 'queue', scopes: 2 },
    ]);
  },

  'counts dead letters of one-offs and of schedules, and not what was kept of successes': async ({
    storage,
  }) => {
    const worker = await startWorker(storage, { leaseMs: day });
    await addOneOff(storage, { id: 'failed' });
    await settle(storage, await claimOne(storage, worker), { outcome: 'failed', error: 'no' });
    await addOneOff(storage, { id: 'kept', policies: { keepMs: day } });
    await settle(storage, await claimOne(storage, worker), { outcome: 'succeeded' });
    await addRecurring(storage, { id: 'recurring' });
    await storage.runNow({ namespace: 'default', id: 'recurring' });
    await settle(storage, await claimOne(storage, worker), { outcome: 'timed_out', error: 'late' });
    await storage.deleteJob({ namespace: 'default', id: 'recurring' });
    await addRecurring(storage, { id: 'other', dueInMs: minute });
    await storage.runNow({ namespace: 'default', id: 'other' });
    await settle(storage, await claimOne(storage, worker), { outcome: 'failed', error: 'no' });
    const stock = await stockOf(storage);
    if (stock === null) return;
    assert.deepEqual(
      stock.queues.map(({ queue, deadLetters }) => [queue, deadLetters]),
      [['default', 2]],
    );
    assert.deepEqual(stock.workers, { live: 1, lost: 0 });
  },

  'counts what no live worker can execute once it was put off, until one can': async ({ storage }) => {
    await startWorker(storage, { leaseMs: day });
    await addOneOff(storage, { id: 'stranded', handler: 'missing' });
    await storage.deferStranded();
    const stock = await stockOf(storage);
    if (stock === null) return;
    assert.deepEqual(stock.unclaimable, [{ handler: 'missing', runs: 1 }]);
    assert.deepEqual(stock.queues, []);
    await startWorker(storage, { leaseMs: day, handlers: ['missing'] });
    assert.deepEqual((await stockOf(storage))!.unclaimable, []);
  },

  'tells a worker as lost whose lease has ended with runs in its hands': async ({ storage, clock }) => {
    const worker = await startWorker(storage, { leaseMs: minute });
    await addOneOff(storage);
    await claimOne(storage, worker);
    await storage.renew(worker.workerId, minute, 1);
    await clock.advance(2 * minute);
    const stock = await stockOf(storage);
    if (stock === null) return;
    assert.deepEqual(stock.workers, { live: 0, lost: 1 });
    await storage.releaseLost();
    assert.deepEqual((await stockOf(storage))!.workers, { live: 0, lost: 0 });
  },
});
