import assert from 'node:assert/strict';
import { lawsOf } from '../law.js';
import {
  addRecurring,
  claimOne,
  eightAtOnce,
  fireDue,
  firingOf,
  gapsOf,
  hour,
  jobOf,
  minute,
  only,
  ref,
  runsOf,
  startWorker,
} from './fixture.js';

export const fireLaws = lawsOf('fire', {
  'gives birth to a run, claimed by the worker, and moves the cursor': async ({ storage }) => {
    const { nextRunAt } = await addRecurring(storage, {
      name: 'Report',
      payload: { p: 1 },
      metadata: { m: 1 },
      policies: { timeoutMs: 5 },
      priority: 3,
      timeZone: 'Asia/Seoul',
    });
    const nominalAt = nextRunAt!.getTime();
    const worker = await startWorker(storage);
    const { cursors } = await storage.dueCursors(worker, 10);
    const { jobUid, revision, ...cursor } = only(cursors, 'due cursor');
    assert.deepEqual(cursor, {
      jobId: 'job',
      namespace: 'default',
      handler: 'work',
      nominalAt,
      fired: 0,
      trigger: {
        type: 'cron',
        expression: '* * * * *',
      },
      timeZone: 'Asia/Seoul',
      policies: { timeoutMs: 5 },
    });
    const result = await storage.fire(worker, [firingOf({ jobUid, revision, ...cursor })], 10);
    assert.deepEqual(result.moved, [jobUid]);
    assert.equal(result.unclaimed, 0);
    assert.deepEqual(result.skipped, []);
    const { id, ...run } = only(result.runs, 'run');
    assert.deepEqual(run, {
      worker: worker.workerId,
      fence: 1,
      attempt: 1,
      lostCount: 0,
      jobUid,
      jobId: 'job',
      jobName: 'Report',
      app: null,
      namespace: 'default',
      handler: 'work',
      queue: 'default',
      priority: 3,
      origin: 'schedule',
      payload: { p: 1 },
      metadata: { m: 1 },
      policies: { timeoutMs: 5 },
      timeZone: 'Asia/Seoul',
      nominalAt,
      dueAt: nominalAt,
      missed: 0,
    });
    assert.deepEqual((await jobOf(storage)).nextRunAt, new Date(nominalAt + hour));
    const stored = only(await runsOf(storage), 'run');
    assert.equal(stored.id, id);
    assert.equal(stored.worker, worker.workerId);
    assert.equal(stored.state, 'running');
  },

  'creates an occurrence once, of eight concurrent firers on two adapters': async ({ storage, open }) => {
    for (let index = 0; index < 5; index++) await addRecurring(storage, { id: `job-${index}` });
    const adapters = [storage, await open()];
    const workers = await eightAtOnce(adapters, (adapter) => startWorker(adapter));
    const cursors = await eightAtOnce(adapters, (adapter, index) => adapter.dueCursors(workers[index], 10));
    const results = await eightAtOnce(adapters, (adapter, index) =>
      adapter.fire(
        workers[index],
        cursors[index].cursors.map((cursor) => firingOf(cursor)),
        10,
      ),
    );
    assert.equal(results.flatMap((result) => result.moved).length, 5);
    assert.equal(new Set(results.flatMap((result) => result.moved)).size, 5);
    assert.equal(results.flatMap((result) => result.runs).length, 5);
    for (let index = 0; index < 5; index++) only(await runsOf(storage, `job-${index}`), 'run');
  },

  'fires what it can when another part of the call is stale': async ({ storage }) => {
    await addRecurring(storage, { id: 'stale' });
    await addRecurring(storage, { id: 'good' });
    const worker = await startWorker(storage);
    const { cursors } = await storage.dueCursors(worker, 10);
    await storage.updateJob(ref('stale'), { payload: 1 });
    await storage.deleteJob(ref('stale'));
    const result = await storage.fire(
      worker,
      cursors.map((cursor) => firingOf(cursor)),
      10,
    );
    assert.equal(only(result.runs, 'run').jobId, 'good');
    assert.equal(result.moved.length, 1);
  },

  'claims no more than there is room; the rest is for anybody': async ({ storage }) => {
    for (let index = 0; index < 5; index++) await addRecurring(storage, { id: `job-${index}` });
    const worker = await startWorker(storage);
    const result = await fireDue(storage, worker, { room: 2 });
    assert.equal(result.moved.length, 5);
    assert.equal(result.runs.length, 2);
    assert.equal(result.unclaimed, 3);
    const other = await startWorker(storage);
    const { runs } = await storage.claim(other, 10);
    assert.equal(runs.length, 3);
    assert.equal(new Set([...result.runs, ...runs].map((run) => run.id)).size, 5);
  },

  'leaves births that are due later to wait for their time': async ({ storage, clock }) => {
    const { nextRunAt } = await addRecurring(storage);
    const worker = await startWorker(storage, { leaseMs: hour });
    const nominalAt = nextRunAt!.getTime();
    const births = [{ nominalAt, dueAt: nominalAt + 5 * minute, missed: 0 }];
    const result = await fireDue(storage, worker, { births });
    assert.deepEqual(result.runs, []);
    assert.equal(result.unclaimed, 1);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    assert.equal((await storage.nextWakeAt(worker)).runAt, nominalAt + 5 * minute);
    await clock.advance(6 * minute);
    const run = await claimOne(storage, worker);
    assert.equal(run.nominalAt, nominalAt);
    assert.equal(run.dueAt, nominalAt + 5 * minute);
  },

  'fires for a worker without a lease, which gets no runs': async ({ storage, clock }) => {
    await addRecurring(storage);
    const dead = await startWorker(storage, { leaseMs: minute });
    await clock.advance(2 * minute);
    const result = await fireDue(storage, dead);
    assert.equal(result.moved.length, 1);
    assert.deepEqual(result.runs, []);
    assert.equal(result.unclaimed, 1);
    await claimOne(storage, await startWorker(storage));
  },

  'gives birth to all occurrences of one firing, in their order': async ({ storage }) => {
    const { nextRunAt } = await addRecurring(storage, { dueInMs: -3 * minute });
    const first = nextRunAt!.getTime();
    const births = [0, 1, 2].map((step) => ({
      nominalAt: first + step * minute,
      dueAt: first + step * minute,
      missed: step,
    }));
    const worker = await startWorker(storage);
    const result = await fireDue(storage, worker, {
      births,
      overlap: 'allow',
      fired: 3,
      nextAt: first + hour,
    });
    assert.deepEqual(
      result.runs.map((run) => [run.nominalAt, run.missed]),
      births.map((birth) => [birth.nominalAt, birth.missed]),
    );
  },

  'catches up with one run of the latest instant and one gap of the others, whatever runs do where they overlap':
    async ({ storage }) => {
      const worker = await startWorker(storage);
      for (const overlap of ['skip', 'queue', 'cancel-running', 'allow'] as const) {
        const { nextRunAt } = await addRecurring(storage, {
          id: overlap,
          dueInMs: -hour,
          policies: { overlap },
        });
        const from = nextRunAt!.getTime();
        const until = from + 9 * minute;
        const latest = from + 10 * minute;
        const gap = { from, until, verdict: 'missed', count: 10, reason: 'misfire' } as const;
        const births = [{ nominalAt: latest, dueAt: latest, missed: 10 }];
        const nextAt = latest + 2 * hour;
        const result = await fireDue(storage, worker, {
          overlap,
          births,
          gaps: [gap],
          until: latest,
          nextAt,
        });
        assert.deepEqual([result.skipped, result.unclaimed], [[], 0]);
        const run = only(result.runs, 'run');
        assert.deepEqual([run.nominalAt, run.missed], [latest, 10]);
        const stored = only(await gapsOf(storage, overlap), 'gap');
        assert.deepEqual(
          [stored.verdict, stored.from, stored.until, stored.count],
          ['missed', new Date(from), new Date(until), 10],
        );
        only(await runsOf(storage, overlap), 'stored run');
      }
    },

  'gives the worker no run whose handler or queue it does not have': async ({ storage }) => {
    await addRecurring(storage, { id: 'handler', handler: 'other' });
    await addRecurring(storage, { id: 'queue', queue: 'slow' });
    const able = await startWorker(storage, { handlers: ['work', 'other'], queues: ['default', 'slow'] });
    const { cursors } = await storage.dueCursors(able, 10);
    const firings = cursors.map((cursor) => firingOf(cursor));
    const result = await storage.fire(await startWorker(storage), firings, 10);
    assert.deepEqual([result.moved.length, result.runs, result.unclaimed], [2, [], 2]);
    assert.equal((await storage.claim(able, 10)).runs.length, 2);
  },

  'records the gaps of a firing': async ({ storage }) => {
    const { nextRunAt } = await addRecurring(storage, { dueInMs: -hour });
    const from = nextRunAt!.getTime();
    const missed = {
      from,
      until: from + 30 * minute,
      verdict: 'missed',
      count: 31,
      reason: 'misfire',
    } as const;
    const excluded = {
      from: from + minute,
      until: from + minute,
      verdict: 'excluded',
      count: 1,
      reason: 'holidays',
    } as const;
    const worker = await startWorker(storage);
    await fireDue(storage, worker, {
      births: [],
      gaps: [missed, excluded],
      nextAt: from + 2 * hour,
      fired: 0,
    });
    const gaps = await gapsOf(storage);
    assert.equal(gaps.length, 2);
    for (const { from: begin, until, ...gap } of [missed, excluded]) {
      const stored = gaps.find(({ verdict }) => verdict === gap.verdict);
      assert.deepEqual(stored, {
        jobId: 'job',
        namespace: 'default',
        from: new Date(begin),
        until: new Date(until),
        ...gap,
      });
    }
    assert.deepEqual(await runsOf(storage), []);
  },

  'writes no gap for a firing that came too late': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    const cursor = only((await storage.dueCursors(worker, 10)).cursors, 'due cursor');
    const { nominalAt } = cursor;
    const gaps = [
      { from: nominalAt, until: nominalAt, verdict: 'missed', count: 1, reason: 'misfire' },
    ] as const;
    await storage.fire(worker, [firingOf(cursor, { births: [], gaps })], 10);
    await storage.fire(worker, [firingOf(cursor, { births: [], gaps })], 10);
    assert.equal((await gapsOf(storage)).length, 1);
  },
});
