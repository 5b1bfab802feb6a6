import assert from 'node:assert/strict';
import type { Renewal, WorkerCondition } from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  assertNear,
  attemptsOf,
  claimOne,
  eightAtOnce,
  failWithRetry,
  fireOne,
  hour,
  jobOf,
  minute,
  only,
  ref,
  runsOf,
  second,
  settle,
  settlementOf,
  startWorker,
  holdOf,
  accepts,
} from './fixture.js';

export const leaseLaws = lawsOf('lease', {
  'begins with the registration and shows the worker': async ({ storage }) => {
    const registration = {
      id: 'w-1',
      name: 'instance',
      app: 'shop',
      generation: 4,
      host: 'h',
      pid: 7,
      version: '2.0.0',
      zoneData: '2025b',
      queues: ['a', 'b'],
      handlers: ['x', 'y'],
      retention: null,
      slots: 12,
    };
    const { now, leaseUntil } = await storage.register(registration, minute);
    assert.equal(leaseUntil, now + minute);
    assertNear(now, await storage.now(), 'The time of the answer');
    const {
      startedAt,
      leaseUntil: until,
      running,
      condition,
      ...shown
    } = only(await storage.queryWorkers(), 'worker');
    assert.deepEqual(shown, registration);
    assertNear(startedAt, now, 'startedAt');
    assert.deepEqual(until, new Date(leaseUntil));
    assert.equal(running, 0);
    assert.equal(condition, null);
  },

  'tells how its worker fares, until it tells otherwise': async ({ storage }) => {
    const { workerId } = await startWorker(storage);
    const condition = async (): Promise<WorkerCondition | null> =>
      only(await storage.queryWorkers(), 'worker').condition;
    const told = { clockOffsetMs: -12.5, loopLagMs: 40 };
    await storage.renew(workerId, minute, 0, [], null, told);
    assert.deepEqual(await condition(), told);
    await storage.renew(workerId, minute, 0);
    assert.deepEqual(await condition(), told);
    await storage.renew(workerId, minute, 0, [], null, { clockOffsetMs: 0, loopLagMs: 0 });
    assert.deepEqual(await condition(), { clockOffsetMs: 0, loopLagMs: 0 });
  },

  'is prolonged by a renewal': async ({ storage, clock }) => {
    await addOneOff(storage);
    const worker = await startWorker(storage, { leaseMs: minute });
    const run = await claimOne(storage, worker);
    let told: number | null = null;
    const stood: number[] = [];
    for (let beat = 0; beat < 12; beat++) {
      await clock.advance(40 * second);
      const renewal: Renewal = await storage.renew(worker.workerId, minute, 1);
      const { now, leaseUntil } = renewal;
      assert.equal(leaseUntil, now + minute);
      const { stoodUntil } = renewal;
      if (told !== null && stoodUntil != null) {
        // A renewal whose answer was lost, and which was asked for again, finds what it has done itself.
        assert.ok(stoodUntil === told || stoodUntil === leaseUntil, 'It tells where it stood before.');
        stood.push(stoodUntil - told);
      }
      told = leaseUntil;
    }
    assert.ok(stood.length === 0 || stood.includes(0), 'It tells where it stood before.');
    assert.deepEqual(await storage.releaseLost().then(({ runs }) => runs), []);
    assert.equal(only(await storage.queryWorkers(), 'worker').running, 1);
    await settle(storage, run);
  },

  'cannot be renewed once it has ended': async ({ storage, clock }) => {
    const worker = await startWorker(storage, { leaseMs: minute });
    await clock.advance(minute + second);
    for (let round = 0; round < 2; round++) {
      const { leaseUntil, cancelled } = await storage.renew(worker.workerId, minute, 0);
      assert.equal(leaseUntil, null);
      assert.deepEqual(cancelled, []);
    }
    assert.equal((await storage.renew('never-registered', minute, 0)).leaseUntil, null);
    assert.deepEqual((await storage.claim(worker, 1)).runs, []);
  },

  'ends at once when the worker leaves': async ({ storage }) => {
    await addOneOff(storage);
    const worker = await startWorker(storage);
    const run = await claimOne(storage, worker);
    await storage.unregister(worker.workerId);
    assert.equal((await storage.renew(worker.workerId, minute, 0)).leaseUntil, null);
    const released = await storage.releaseLost();
    assert.equal(only(released.runs, 'released run').runId, run.id);
    await storage.unregister('never-registered');
  },

  'belongs to the worker, not to its name': async ({ storage, clock }) => {
    await addOneOff(storage);
    await claimOne(storage, await startWorker(storage, { name: 'pod-1', leaseMs: minute }));
    await clock.advance(2 * minute);
    const again = await startWorker(storage, { name: 'pod-1' });
    assert.equal((await storage.releaseLost()).runs.length, 1);
    await claimOne(storage, again);
  },

  'covers what the worker can execute from now on': async ({ storage }) => {
    const { workerId } = await startWorker(storage, { handlers: ['a'] });
    await storage.updateWorker(workerId, { handlers: ['a', 'b'], generation: 3 });
    const { handlers, generation } = only(await storage.queryWorkers(), 'worker');
    assert.deepEqual([...handlers].sort(), ['a', 'b']);
    assert.equal(generation, 3);
  },
});

export const releaseLaws = lawsOf('release', {
  'never touches runs of a live worker': async ({ storage, clock }) => {
    await addOneOff(storage);
    const worker = await startWorker(storage, { leaseMs: minute });
    const run = await claimOne(storage, worker);
    await clock.advance(50 * second);
    const { workers, runs } = await storage.releaseLost();
    assert.deepEqual([workers, runs], [[], []]);
    assert.deepEqual(await storage.heldBy(worker.workerId), [holdOf(run)]);
  },

  'makes the runs of a dead worker due again, with a ledger row': async ({ storage, clock }) => {
    for (const add of [addRecurring, addOneOff]) {
      await add(storage);
      const dead = await startWorker(storage, { leaseMs: minute });
      const run = add === addRecurring ? await fireOne(storage, dead) : await claimOne(storage, dead);
      await clock.advance(minute + second);
      const result = await storage.releaseLost();
      assert.deepEqual(result.workers, [dead.workerId]);
      assert.deepEqual(result.runs, [
        {
          runId: run.id,
          jobId: 'job',
          namespace: 'default',
          handler: 'work',
          worker: dead.workerId,
          verdict: null,
        },
      ]);
      const row = only(await attemptsOf(storage, { runId: run.id }), 'ledger row');
      assert.deepEqual([row.outcome, row.final, row.worker, row.attempt], ['lost', false, dead.workerId, 1]);
      const again = await claimOne(storage, await startWorker(storage));
      assert.deepEqual([again.id, again.attempt, again.lostCount], [run.id, 2, 1]);
      assert.ok(again.fence > run.fence);
      assert.deepEqual(await accepts(storage, [await settlementOf(storage, run)]), [], 'The stale owner.');
      await settle(storage, again);
      await storage.deleteJob(ref('job'));
    }
  },

  'is over after its length where the clock was ahead when it was renewed': async ({ storage, clock }) => {
    if (!clock.setBack) return;
    await addOneOff(storage);
    const holder = await startWorker(storage, { leaseMs: minute });
    const run = await claimOne(storage, holder);
    const worker = await startWorker(storage, { leaseMs: minute });
    clock.setBack(hour);
    const { now, leaseEndsAt } = await storage.nextWakeAt(worker);
    assert.ok(leaseEndsAt !== null && leaseEndsAt <= now, 'A release is asked for.');
    assert.deepEqual((await storage.releaseLost()).runs, []);
    assertNear((await storage.nextWakeAt(worker)).leaseEndsAt, now + minute, 'The end of the lease');
    await clock.advance(2 * minute);
    const { runs } = await storage.releaseLost();
    assert.deepEqual(
      runs.map(({ runId, verdict }) => ({ runId, verdict })),
      [{ runId: run.id, verdict: null }],
    );
  },

  'leaves nothing behind that was claimed by a time which the clock had before it was set back': async ({
    storage,
    clock,
  }) => {
    if (!clock.setBack) return;
    const job = await addOneOff(storage);
    const before = await storage.now();
    clock.setBack(hour);
    await clock.advance(5 * minute);
    const worker = await startWorker(storage, { leaseMs: minute });
    await storage.renew(worker.workerId, minute, 0, [], before + 5 * minute);
    const { runs } = await storage.claim(worker, 1, hour);
    assert.deepEqual(
      runs.map(({ jobId }) => jobId),
      [job.id],
    );
    await clock.advance(2 * minute);
    const released = await storage.releaseLost();
    assert.deepEqual(
      released.runs.map(({ runId }) => runId),
      runs.map(({ id }) => id),
    );
  },

  'goes on by renewals where the clock was ahead': async ({ storage, clock }) => {
    if (!clock.setBack) return;
    await addOneOff(storage);
    const holder = await startWorker(storage, { leaseMs: minute });
    const run = await claimOne(storage, holder);
    clock.setBack(hour);
    for (let beat = 0; beat < 6; beat++) {
      assert.deepEqual((await storage.releaseLost()).runs, []);
      await clock.advance(20 * second);
      const { leaseUntil } = await storage.renew(holder.workerId, minute, 1, [run.id]);
      assertNear(leaseUntil, (await storage.now()) + minute, 'The end of the lease');
    }
    await settle(storage, run);
  },

  'releases each run once, of eight concurrent callers': async ({ storage, open, clock }) => {
    for (let index = 0; index < 10; index++) await addOneOff(storage, { id: `job-${index}` });
    await storage.claim(await startWorker(storage, { leaseMs: minute }), 10);
    await clock.advance(2 * minute);
    const adapters = [storage, await open()];
    const results = await eightAtOnce(adapters, (adapter) => adapter.releaseLost());
    const runs = results.flatMap((result) => result.runs);
    assert.equal(runs.length, 10);
    assert.equal(new Set(runs.map((run) => run.runId)).size, 10);
    assert.equal((await attemptsOf(storage)).length, 10);
    assert.deepEqual((await storage.releaseLost()).workers, []);
  },

  'lets either the late result or the release decide, never both': async ({ storage, open, clock }) => {
    for (let round = 0; round < 5; round++) {
      await addOneOff(storage);
      const run = await claimOne(storage, await startWorker(storage, { leaseMs: minute }));
      await clock.advance(2 * minute);
      const settlement = await settlementOf(storage, run);
      const [accepted, released] = await Promise.all([
        accepts(storage, [settlement]),
        (await open()).releaseLost(),
      ]);
      assert.equal(accepted.length + released.runs.length, 1);
      assert.equal((await attemptsOf(storage, { runId: run.id })).length, 1);
      await storage.deleteJob(ref('job'));
    }
  },

  'ends a run that must not run twice as lost': async ({ storage, clock }) => {
    await addOneOff(storage, { policies: { recovery: 'abandon' } });
    const run = await claimOne(storage, await startWorker(storage, { leaseMs: minute }));
    await clock.advance(2 * minute);
    assert.equal(only((await storage.releaseLost()).runs, 'released run').verdict, 'lost');
    assert.deepEqual((await storage.claim(await startWorker(storage), 10)).runs, []);
    const row = only(await attemptsOf(storage, { runId: run.id }), 'ledger row');
    assert.deepEqual([row.outcome, row.final], ['lost', true]);
    const { state, lastVerdict, consecutiveFailures } = await jobOf(storage);
    assert.deepEqual([state, lastVerdict, consecutiveFailures], ['failed', 'lost', 1]);
  },

  'ends a recurring run that must not run twice; the job goes on': async ({ storage, clock }) => {
    await addRecurring(storage, { policies: { recovery: 'abandon' } });
    const dead = await startWorker(storage, { leaseMs: minute });
    await fireOne(storage, dead);
    await clock.advance(2 * hour);
    assert.equal(only((await storage.releaseLost()).runs, 'released run').verdict, 'lost');
    assert.equal(only(await runsOf(storage), 'dead letter').state, 'lost');
    await fireOne(storage, await startWorker(storage));
  },

  'retries a reported failure of a run that must not run twice': async ({ storage }) => {
    await addOneOff(storage, { policies: { recovery: 'abandon' } });
    const worker = await startWorker(storage);
    await failWithRetry(storage, await claimOne(storage, worker));
    assert.equal((await claimOne(storage, worker)).attempt, 2);
  },

  'ends a run whose workers died too often as lost': async ({ storage, clock }) => {
    for (const [policies, limit] of [
      [{}, 3],
      [{ maxLost: 1 }, 1],
      [{ maxLost: 2 }, 2],
    ] as const) {
      await addOneOff(storage, { policies });
      for (let losses = 1; losses <= limit; losses++) {
        await claimOne(storage, await startWorker(storage, { leaseMs: minute }));
        await clock.advance(2 * minute);
        const { verdict } = only((await storage.releaseLost()).runs, 'released run');
        assert.equal(verdict, losses === limit ? 'lost' : null);
      }
      assert.equal((await jobOf(storage)).state, 'failed');
      assert.deepEqual((await storage.claim(await startWorker(storage), 10)).runs, []);
      await storage.deleteJob(ref('job'));
    }
  },

  'ends a run as lost only by a death that it was alone in, or by twice as many': async ({
    storage,
    clock,
  }) => {
    const ids = ['a', 'b'];
    for (const id of ids) await addOneOff(storage, { id });
    await addOneOff(storage, { id: 'once', policies: { maxLost: 1 } });
    const die = async (limit: number) => {
      await storage.claim(await startWorker(storage, { leaseMs: minute }), limit);
      await clock.advance(2 * minute);
      const { runs } = await storage.releaseLost();
      return runs.map(({ jobId, verdict }) => `${jobId} ${verdict}`).sort();
    };
    assert.deepEqual(await die(3), ['a null', 'b null', 'once lost']);
    for (let losses = 2; losses <= 4; losses++) assert.deepEqual(await die(2), ['a null', 'b null']);
    const [alone] = await die(1);
    assert.match(alone!, / lost$/);
    await addOneOff(storage, { id: 'c' });
    const left = ids.find((id) => !alone!.startsWith(id));
    assert.deepEqual(await die(2), [`${left} null`, 'c null'].sort());
    assert.deepEqual(await die(2), [`${left} lost`, 'c null'].sort());
  },

  'ends the run of a dead worker whose job was deleted': async ({ storage, clock }) => {
    await addOneOff(storage);
    await claimOne(storage, await startWorker(storage, { leaseMs: minute }));
    await storage.deleteJob(ref('job'));
    await clock.advance(2 * minute);
    assert.equal(only((await storage.releaseLost()).runs, 'released run').verdict, 'lost');
    assert.deepEqual((await storage.claim(await startWorker(storage), 10)).runs, []);
    assert.equal(only(await attemptsOf(storage), 'ledger row').final, true);
  },

  'covers runs however long they go on, and whatever becomes of their time': async ({ storage, clock }) => {
    const holder = await startWorker(storage, { leaseMs: minute });
    await addRecurring(storage, { id: 'born' });
    const runs = [await fireOne(storage, holder)];
    for (const id of ['brief', 'long', 'cancelled', 'later']) {
      await addOneOff(storage, { id });
      runs.push(await claimOne(storage, holder));
    }
    const [, , long, cancelled] = runs;
    const given = { running: runs.length, longRunning: [long.id, cancelled.id, long.id, '987654321'] };
    await storage.renew(holder.workerId, minute, given.running, given.longRunning);
    await storage.cancelJob(ref('cancelled'));
    const nextAt = (await storage.now()) + hour;
    await storage.updateJob(ref('later'), {
      trigger: { type: 'at', at: new Date(nextAt).toISOString() },
      nextAt,
    });
    const held = (await storage.heldBy(holder.workerId)).map(({ runId }) => runId);
    assert.deepEqual(held.sort(), runs.map(({ id }) => id).sort());
    assert.deepEqual((await storage.renew(holder.workerId, minute, 5)).cancelled, [cancelled.id]);
    await settle(storage, long);
    await clock.advance(2 * minute);
    const worker = await startWorker(storage);
    const released = (await storage.releaseLost()).runs.map(({ jobId, verdict }) => `${jobId} ${verdict}`);
    assert.deepEqual(released.sort(), ['born null', 'brief null', 'cancelled cancelled', 'later lost']);
    assert.deepEqual(await storage.heldBy(holder.workerId), []);
    const again = (await storage.claim(worker, 10)).runs.map(({ jobId }) => jobId);
    assert.deepEqual(again.sort(), ['born', 'brief']);
    assert.equal((await storage.heldBy(worker.workerId)).length, 2);
  },

  'takes back only what the dead worker holds': async ({ storage, clock }) => {
    await addOneOff(storage, { id: 'a' });
    await claimOne(storage, await startWorker(storage, { leaseMs: minute }));
    await addOneOff(storage, { id: 'b' });
    const alive = await startWorker(storage, { leaseMs: hour });
    const kept = await claimOne(storage, alive);
    await addOneOff(storage, { id: 'c', dueInMs: hour });
    await clock.advance(2 * minute);
    assert.equal(only((await storage.releaseLost()).runs, 'released run').jobId, 'a');
    await settle(storage, kept);
  },
});
