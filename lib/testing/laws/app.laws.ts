import assert from 'node:assert/strict';
import { callbackOf, type Capability, type NewJob, type StorageAdapter } from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  attemptsOf,
  claimOne,
  firingOf,
  fireDue,
  fireOne,
  holdOf,
  hour,
  jobOf,
  minute,
  oneOff,
  only,
  pruneAll,
  recurring,
  ref,
  second,
  settle,
  settlementOf,
  startWorker,
} from './fixture.js';

const failure = { outcome: 'failed', error: 'boom' } as const;
const onFailure = { handler: 'alarm' };

/** Workers of two apps, with handlers of the same names. */
async function twoApps(
  storage: StorageAdapter,
  given: object = {},
): Promise<{ shop: Capability; billing: Capability }> {
  const handlers = ['work', 'alarm'];
  const shop = await startWorker(storage, { handlers, ...given, app: 'shop' });
  return { shop, billing: await startWorker(storage, { handlers, ...given, app: 'billing' }) };
}

/** The ids of what a worker gets. */
async function claimed(storage: StorageAdapter, worker: Capability): Promise<string[]> {
  return (await storage.claim(worker, 100)).runs.map(({ jobId }) => jobId);
}

export const appLaws = lawsOf('names of handlers are those of an app', {
  'so that only its workers see that a cursor is due': async ({ storage }) => {
    const { shop, billing } = await twoApps(storage);
    await addRecurring(storage, { app: 'shop' });
    assert.deepEqual((await storage.dueCursors(billing, 10)).cursors, []);
    only((await storage.dueCursors(shop, 10)).cursors, 'due cursor');
  },

  'so that only its workers are woken': async ({ storage }) => {
    const { shop, billing } = await twoApps(storage);
    await addRecurring(storage, { id: 'cursor', app: 'shop', dueInMs: hour });
    await addOneOff(storage, { id: 'run', app: 'shop', dueInMs: hour });
    await addOneOff(storage, { id: 'due', app: 'shop' });
    const { cursorAt, runAt } = await storage.nextWakeAt(billing);
    assert.deepEqual([cursorAt, runAt], [null, null]);
    const own = await storage.nextWakeAt(shop);
    assert.notEqual(own.cursorAt, null);
    assert.notEqual(own.runAt, null);
  },

  'so that only its workers claim a one-off': async ({ storage }) => {
    const { shop, billing } = await twoApps(storage);
    await addOneOff(storage, { app: 'shop' });
    assert.deepEqual(await claimed(storage, billing), []);
    assert.equal((await claimOne(storage, shop)).app, 'shop');
  },

  'also when a worker has several queues': async ({ storage }) => {
    const { shop, billing } = await twoApps(storage, { queues: ['default', 'mail'] });
    await addOneOff(storage, { app: 'shop', queue: 'mail' });
    assert.deepEqual(await claimed(storage, billing), []);
    await claimOne(storage, shop);
  },

  'so that only its workers get what is born of its schedule': async ({ storage }) => {
    const { shop, billing } = await twoApps(storage);
    await addRecurring(storage, { app: 'shop' });
    const { cursors } = await storage.dueCursors(shop, 10);
    // Whoever fires it: a process of the release before does not ask for the app.
    const fired = await storage.fire(
      billing,
      cursors.map((cursor) => firingOf(cursor)),
      10,
    );
    assert.deepEqual([fired.moved.length, fired.runs.length, fired.unclaimed], [1, 0, 1]);
    assert.deepEqual(await claimed(storage, billing), []);
    assert.equal((await claimOne(storage, shop)).app, 'shop');
  },

  'so that its workers have what is born in their hands': async ({ storage }) => {
    const { shop } = await twoApps(storage);
    await addRecurring(storage, { app: 'shop' });
    assert.equal((await fireOne(storage, shop)).app, 'shop');
  },

  'so that only its workers get what waited for an earlier run': async ({ storage }) => {
    const { shop, billing } = await twoApps(storage);
    await addRecurring(storage, { app: 'shop' });
    const first = await fireOne(storage, shop, { overlap: 'queue', nextAt: (await storage.now()) - 1 });
    await fireDue(storage, shop, { overlap: 'queue' });
    await settle(storage, first);
    assert.deepEqual(await claimed(storage, billing), []);
    await claimOne(storage, shop);
  },

  'so that only its workers get runs made by hand, past ones and retries': async ({ storage }) => {
    const { shop, billing } = await twoApps(storage);
    await addRecurring(storage, { app: 'shop', dueInMs: hour });
    await storage.runNow(ref('job'));
    const instants = [(await storage.now()) - hour];
    const order = { instants, overlap: 'allow', includeSucceeded: false, dryRun: false } as const;
    await storage.backfill(ref('job'), order);
    assert.deepEqual(await claimed(storage, billing), []);
    const { runs } = await storage.claim(shop, 10);
    assert.deepEqual(runs.map(({ app, origin }) => `${app} ${origin}`).toSorted(), [
      'shop backfill',
      'shop manual',
    ]);
    for (const run of runs) await settle(storage, run, failure);
    await storage.retryRuns(runs.map(({ id }) => id));
    assert.deepEqual(await claimed(storage, billing), []);
    assert.equal((await claimed(storage, shop)).length, 2);
  },

  'so that only its workers get a one-off that is run anew': async ({ storage }) => {
    const { shop, billing } = await twoApps(storage);
    await addOneOff(storage, { app: 'shop' });
    await settle(storage, await claimOne(storage, shop), failure);
    await storage.runNow(ref('job'));
    assert.deepEqual(await claimed(storage, billing), []);
    await claimOne(storage, shop);
  },

  'so that only its workers get what comes back': async ({ storage, clock }) => {
    const { shop, billing } = await twoApps(storage, { leaseMs: hour });
    await addOneOff(storage, { id: 'returned', app: 'shop' });
    await storage.giveBack([holdOf(await claimOne(storage, shop))]);
    assert.deepEqual(await claimed(storage, billing), []);
    assert.deepEqual(await claimed(storage, shop), ['returned']);
    const dying = await startWorker(storage, { app: 'shop', leaseMs: minute });
    await addOneOff(storage, { id: 'lost', app: 'shop' });
    await claimOne(storage, dying);
    await clock.advance(2 * minute);
    await storage.releaseLost();
    assert.deepEqual(await claimed(storage, billing), []);
    assert.deepEqual(await claimed(storage, shop), ['lost']);
  },

  'and those of callbacks are those of the app of their run': async ({ storage, clock }) => {
    const { billing } = await twoApps(storage, { leaseMs: hour });
    const dying = await startWorker(storage, { app: 'shop', leaseMs: minute });
    await addOneOff(storage, { id: 'fails', app: 'shop', policies: { onFailure } });
    const run = await claimOne(storage, dying);
    const settlement = await settlementOf(storage, run, failure);
    await storage.settle([{ ...settlement, callback: callbackOf(run, 'failed', settlement) }]);
    const policies = { onFailure, recovery: 'abandon' } as const;
    await addRecurring(storage, { id: 'returned', app: 'shop', policies });
    await storage.giveBack([holdOf(await fireOne(storage, dying))]);
    await addRecurring(storage, { id: 'lost', app: 'shop', policies });
    await fireOne(storage, dying);
    await addOneOff(storage, { id: 'lost-once', app: 'shop', policies });
    await claimOne(storage, dying);
    await clock.advance(2 * minute);
    await storage.releaseLost();
    assert.deepEqual(await claimed(storage, billing), []);
    const shop = await startWorker(storage, { app: 'shop', handlers: ['alarm'] });
    const { runs } = await storage.claim(shop, 10);
    assert.deepEqual(
      runs.map(({ app, origin, jobId }) => `${app} ${origin} ${jobId.split(':')[0]}`).toSorted(),
      ['fails', 'lost', 'lost-once', 'returned'].map((id) => `shop callback ${id}`),
    );
    assert.equal((await jobOf(storage, runs[0]!.jobId)).app, 'shop');
  },

  'so that what waits for an app without workers is put off, until one comes': async ({ storage }) => {
    await startWorker(storage, { app: 'billing' });
    await addOneOff(storage, { id: 'one-off', app: 'shop' });
    await addRecurring(storage, { id: 'recurring', app: 'shop', dueInMs: hour });
    await storage.runNow(ref('recurring'));
    assert.deepEqual(await storage.deferStranded(), [
      { app: 'shop', handler: 'work', queue: 'default', runs: 2 },
    ]);
    const shop = await startWorker(storage, { app: 'shop' });
    assert.deepEqual((await claimed(storage, shop)).toSorted(), ['one-off', 'recurring']);
  },

  'and what another app waits for hides nothing': async ({ storage }) => {
    const { billing } = await twoApps(storage);
    const jobs: NewJob[] = [];
    for (let n = 0; n < 50; n++) {
      jobs.push(await oneOff(storage, { id: `shop-${n}`, app: 'shop', dueInMs: -minute }));
      jobs.push(await recurring(storage, { id: `every-${n}`, app: 'shop', dueInMs: -minute }));
    }
    await storage.insertJobs(jobs, 'raise');
    await addOneOff(storage, { id: 'own', app: 'billing', dueInMs: -second });
    await addRecurring(storage, { id: 'own-cursor', app: 'billing', dueInMs: -second });
    const [cursor] = (await storage.dueCursors(billing, 1)).cursors;
    assert.equal(cursor?.jobId, 'own-cursor');
    assert.equal(only((await storage.claim(billing, 1)).runs, 'run').jobId, 'own');
  },

  'while a job without an app is for everybody who has the handler': async ({ storage }) => {
    const { shop, billing } = await twoApps(storage);
    await addOneOff(storage, { id: 'one-off', app: null });
    await addRecurring(storage, { id: 'recurring', app: null, policies: { onFailure } });
    assert.equal((await claimOne(storage, billing)).app, null);
    const run = await fireOne(storage, shop);
    assert.equal(run.app, null);
    const settlement = await settlementOf(storage, run, failure);
    await storage.settle([{ ...settlement, callback: callbackOf(run, 'failed', settlement) }]);
    assert.equal((await claimOne(storage, billing)).handler, 'alarm');
  },

  'and replacing a job, or changing its app, hands it over with what waits': async ({ storage }) => {
    const { shop, billing } = await twoApps(storage);
    await addOneOff(storage, { id: 'one-off', app: 'shop' });
    await addRecurring(storage, { id: 'recurring', app: 'shop' });
    const given = [
      await oneOff(storage, { id: 'one-off', app: 'billing' }),
      await recurring(storage, { id: 'recurring', app: 'billing' }),
    ];
    const replaced = await storage.insertJobs(given, 'replace');
    assert.deepEqual(
      replaced.map((result) => result.status === 'replaced' && result.job.app),
      ['billing', 'billing'],
    );
    assert.deepEqual((await storage.dueCursors(shop, 10)).cursors, []);
    await storage.runNow(ref('recurring'));
    assert.deepEqual(await claimed(storage, shop), []);
    for (const id of ['one-off', 'recurring']) {
      const job = await storage.updateJob(ref(id), { app: 'shop' });
      assert.ok(typeof job === 'object' && job.app === 'shop');
    }
    assert.deepEqual(await claimed(storage, billing), []);
    assert.deepEqual((await storage.dueCursors(billing, 10)).cursors, []);
    assert.deepEqual((await claimed(storage, shop)).toSorted(), ['one-off', 'recurring']);
    only((await storage.dueCursors(shop, 10)).cursors, 'due cursor');
  },

  'and a declared job stays that of its code when it is replaced': async ({ storage }) => {
    await addRecurring(storage, { app: 'shop', source: 'code' });
    const given = await recurring(storage, { app: 'billing', payload: 'new' });
    await storage.insertJobs([given], 'replace');
    const job = await jobOf(storage);
    assert.deepEqual([job.source, job.app, job.payload], ['code', 'shop', 'new']);
  },
});

/** The ids of jobs that are still on record when a process that keeps it for an hour has pruned it. */
async function keptAfterPruning(storage: StorageAdapter): Promise<string[]> {
  await pruneAll(storage, {}, hour);
  return (await attemptsOf(storage)).map(({ jobId }) => jobId).toSorted();
}

export const retentionLaws = lawsOf('retention', {
  'is the longest that a live worker of any app wants': async ({ storage, clock, open }) => {
    const janitor = await open();
    const retention = { defaultMs: 10 * hour, byVerdict: { failed: 20 * hour } };
    const keeper = await startWorker(storage, { app: 'shop', leaseMs: 100 * hour, retention });
    assert.deepEqual((await storage.queryWorkers())[0]!.retention, retention);
    await addOneOff(storage, { id: 'good' });
    await addOneOff(storage, { id: 'bad' });
    for (const run of (await storage.claim(keeper, 10)).runs) {
      await settle(storage, run, run.jobId === 'bad' ? failure : {});
    }
    await clock.advance(2 * hour);
    await startWorker(storage, { app: 'billing', retention: { defaultMs: hour, byVerdict: {} } });
    assert.deepEqual(await keptAfterPruning(janitor), ['bad', 'good']);
    await clock.advance(10 * hour);
    assert.deepEqual(await keptAfterPruning(janitor), ['bad']);
    await clock.advance(10 * hour);
    assert.deepEqual(await keptAfterPruning(janitor), []);
  },

  'of an app without live workers is what those wanted that were there last': async ({
    storage,
    clock,
    open,
  }) => {
    const janitor = await open();
    const keeper = await startWorker(storage, {
      app: 'shop',
      leaseMs: minute,
      retention: { defaultMs: 10 * hour, byVerdict: {} },
    });
    await addOneOff(storage);
    await settle(storage, await claimOne(storage, keeper));
    await storage.unregister(keeper.workerId);
    await storage.releaseLost();
    await clock.advance(2 * hour);
    // All of its instances are restarting, perhaps.
    assert.deepEqual(await keptAfterPruning(janitor), ['job']);
    await clock.advance(10 * hour);
    assert.deepEqual(await keptAfterPruning(janitor), []);
  },

  'of an app is shorter as soon as its live workers want it so': async ({ storage, clock, open }) => {
    const janitor = await open();
    const long = { defaultMs: 10 * hour, byVerdict: {} };
    const short = { defaultMs: hour, byVerdict: {} };
    const before = await startWorker(storage, { app: 'shop', leaseMs: minute, retention: long });
    await addOneOff(storage);
    await settle(storage, await claimOne(storage, before));
    await storage.unregister(before.workerId);
    await startWorker(storage, { app: 'shop', leaseMs: 100 * hour, retention: short });
    await clock.advance(2 * hour);
    assert.deepEqual(await keptAfterPruning(janitor), []);
  },
});
