import assert from 'node:assert/strict';
import type { StorageAdapter } from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  attemptsOf,
  claimOne,
  fireOne,
  hour,
  jobOf,
  minute,
  only,
  ref,
  settle,
  startWorker,
} from './fixture.js';

async function appsOf(storage: StorageAdapter, ...ids: string[]): Promise<(string | null)[]> {
  return Promise.all(ids.map(async (id) => (await jobOf(storage, id)).app));
}

export const inheritLaws = lawsOf('what an app inherits', {
  'is what was made at run time in one without live workers: with cursor, runs and dead letters': async ({
    storage,
  }) => {
    const old = await startWorker(storage, { app: 'before' });
    await addRecurring(storage, { id: 'dead', app: 'before' });
    await settle(storage, await fireOne(storage, old), { outcome: 'failed', error: 'boom' });
    await addRecurring(storage, { id: 'cron', app: 'before' });
    await addRecurring(storage, { id: 'by-hand', app: 'before', dueInMs: hour });
    await storage.runNow(ref('by-hand'));
    await addOneOff(storage, { id: 'once', app: 'before' });
    await addOneOff(storage, { id: 'later', app: 'before', dueInMs: hour });
    await storage.unregister(old.workerId);
    const shop = await startWorker(storage, { app: 'shop' });
    assert.deepEqual(await storage.inherit('shop', ['before']), { taken: 5, open: [] });
    assert.deepEqual(
      await appsOf(storage, 'dead', 'cron', 'by-hand', 'once', 'later'),
      Array(5).fill('shop'),
    );
    const claimed = (await storage.claim(shop, 10)).runs;
    assert.deepEqual(claimed.map(({ jobId, app }) => `${app} ${jobId}`).toSorted(), [
      'shop by-hand',
      'shop once',
    ]);
    const due = (await storage.dueCursors(shop, 10)).cursors.map(({ jobId }) => jobId);
    assert.ok(due.includes('cron'));
    const failed = only(await attemptsOf(storage), 'attempt');
    await storage.retryRuns([failed.runId]);
    assert.equal((await claimOne(storage, shop)).app, 'shop');
    assert.deepEqual(await storage.inherit('shop', ['before']), { taken: 0, open: [] });
  },

  'is nothing of an app that has a live worker, until that is gone': async ({ storage, clock }) => {
    const old = await startWorker(storage, { app: 'before', leaseMs: minute });
    const shop = await startWorker(storage, { app: 'shop', leaseMs: hour });
    await addRecurring(storage, { id: 'cron', app: 'before' });
    await addOneOff(storage, { id: 'once', app: 'before' });
    assert.deepEqual(await storage.inherit('shop', ['before']), { taken: 0, open: ['before'] });
    assert.deepEqual((await storage.claim(shop, 10)).runs, []);
    assert.equal((await claimOne(storage, old)).jobId, 'once');
    await clock.advance(2 * minute);
    await storage.releaseLost();
    assert.deepEqual(await storage.inherit('shop', ['before']), { taken: 2, open: [] });
    assert.equal((await claimOne(storage, shop)).jobId, 'once');
  },

  'is no declared job, and nothing of apps that are not named, or of no app': async ({ storage }) => {
    await addRecurring(storage, { id: 'declared', app: 'before', source: 'code' });
    await addRecurring(storage, { id: 'others', app: 'other' });
    await addOneOff(storage, { id: 'once', app: 'other' });
    await addOneOff(storage, { id: 'anybodys', app: null });
    assert.deepEqual(await storage.inherit('shop', ['before']), { taken: 0, open: [] });
    assert.deepEqual(await appsOf(storage, 'declared', 'others', 'once', 'anybodys'), [
      'before',
      'other',
      'other',
      null,
    ]);
  },

  'is due at once where it was put off, as nobody could execute it': async ({ storage }) => {
    await addOneOff(storage, { id: 'once', app: 'before' });
    await storage.deferStranded();
    const shop = await startWorker(storage, { app: 'shop' });
    assert.deepEqual((await storage.claim(shop, 10)).runs, []);
    await storage.inherit('shop', ['before']);
    assert.equal((await claimOne(storage, shop)).jobId, 'once');
  },
});
