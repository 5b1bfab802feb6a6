import assert from 'node:assert/strict';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  attemptsOf,
  claimOne,
  eightAtOnce,
  fireDue,
  fireOne,
  hour,
  jobOf,
  minute,
  only,
  ref,
  runsOf,
  settle,
  settlementOf,
  startWorker,
  holdOf,
  accepts,
} from './fixture.js';

export const settleLaws = lawsOf('settle', {
  'ends what must not run twice as lost where it would be handed back': async ({ storage }) => {
    const policies = { recovery: 'abandon' as const };
    await addOneOff(storage, { id: 'once', policies });
    await addRecurring(storage, { id: 'often', policies });
    const worker = await startWorker(storage);
    for (const run of [await fireOne(storage, worker), await claimOne(storage, worker)]) {
      await settle(storage, run, { outcome: 'handed_back' });
      const row = only(await attemptsOf(storage, { runId: run.id }), 'ledger row');
      assert.deepEqual([row.outcome, row.final, row.attempt, row.fence], ['lost', true, 1, run.fence]);
      assert.match(row.error!, /must not run twice/);
      const { lastVerdict, consecutiveFailures, runCount } = await jobOf(storage, run.jobId);
      assert.deepEqual([lastVerdict, consecutiveFailures, runCount], ['lost', 1, 1]);
    }
    assert.deepEqual((await storage.claim(await startWorker(storage), 10)).runs, []);
  },

  'writes one final row of the ledger, and the run is gone': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    const run = await fireOne(storage, worker);
    const finishedAt = await storage.now();
    await settle(storage, run, { startedAt: finishedAt - 500, finishedAt, result: { sent: 3 } });
    assert.deepEqual(only(await attemptsOf(storage), 'ledger row'), {
      runId: run.id,
      jobId: 'job',
      namespace: 'default',
      handler: 'work',
      queue: 'default',
      origin: 'schedule',
      nominalAt: new Date(run.nominalAt),
      attempt: 1,
      fence: run.fence,
      worker: worker.workerId,
      outcome: 'succeeded',
      final: true,
      error: null,
      fingerprint: null,
      result: { sent: 3 },
      startedAt: new Date(finishedAt - 500),
      finishedAt: new Date(finishedAt),
      retryOf: null,
    });
    assert.deepEqual(await runsOf(storage), []);
  },

  'takes a settlement once: repeated, it is refused and writes nothing': async ({ storage, open }) => {
    for (const add of [addRecurring, addOneOff]) {
      for (const retryInMs of [undefined, minute]) {
        await add(storage);
        const worker = await startWorker(storage);
        const run = add === addRecurring ? await fireOne(storage, worker) : await claimOne(storage, worker);
        const given = { outcome: 'failed', error: 'boom', ...(retryInMs && { retryInMs }) } as const;
        const settlement = await settlementOf(storage, run, given);
        assert.deepEqual(await accepts(storage, [settlement]), [run.id]);
        const before = await jobOf(storage);
        assert.deepEqual(await accepts(await open(), [settlement]), []);
        assert.equal((await attemptsOf(storage, { runId: run.id })).length, 1);
        assert.deepEqual(await jobOf(storage), before);
        await storage.deleteJob(ref('job'));
      }
    }
  },

  'takes one of eight concurrent settlements of one attempt': async ({ storage, open }) => {
    await addOneOff(storage);
    const run = await claimOne(storage, await startWorker(storage));
    const adapters = [storage, await open()];
    const accepted = await eightAtOnce(adapters, async (adapter) =>
      accepts(adapter, [await settlementOf(adapter, run)]),
    );
    assert.deepEqual(accepted.flat(), [run.id]);
    assert.equal((await attemptsOf(storage)).length, 1);
  },

  'takes the same settlement twice in one call for one': async ({ storage }) => {
    await addOneOff(storage);
    const settlement = await settlementOf(storage, await claimOne(storage, await startWorker(storage)));
    const accepted = await accepts(storage, [settlement, settlement]);
    assert.equal(new Set(accepted).size, 1);
    assert.equal((await attemptsOf(storage)).length, 1);
  },

  'refuses a fence that is not the present one': async ({ storage }) => {
    await addOneOff(storage);
    const worker = await startWorker(storage);
    const first = await claimOne(storage, worker);
    await storage.giveBack([holdOf(first)]);
    assert.deepEqual(await accepts(storage, [await settlementOf(storage, first)]), [], 'Nobody owns it.');
    const second = await claimOne(storage, await startWorker(storage));
    assert.deepEqual(
      await accepts(storage, [await settlementOf(storage, first)]),
      [],
      'Another one owns it.',
    );
    const future = { ...second, fence: second.fence + 1 };
    assert.deepEqual(await accepts(storage, [await settlementOf(storage, future)]), [], 'Nobody has it yet.');
    assert.deepEqual(await attemptsOf(storage), []);
    await settle(storage, second);
  },

  'refuses a run that it does not know': async ({ storage }) => {
    await addOneOff(storage);
    const run = await claimOne(storage, await startWorker(storage));
    await settle(storage, run);
    assert.deepEqual(await accepts(storage, [await settlementOf(storage, run)]), []);
    assert.deepEqual(await accepts(storage, [await settlementOf(storage, { ...run, id: '987654321' })]), []);
  },

  'takes the good ones of a call that also holds a stale one': async ({ storage }) => {
    for (const id of ['a', 'b', 'c']) await addOneOff(storage, { id });
    const worker = await startWorker(storage);
    const { runs } = await storage.claim(worker, 10);
    await storage.giveBack([holdOf(runs[1])]);
    const settlements = await Promise.all(runs.map((run) => settlementOf(storage, run)));
    const accepted = await accepts(storage, settlements);
    assert.deepEqual([...accepted].sort(), [runs[0].id, runs[2].id].sort());
    assert.deepEqual(
      (await attemptsOf(storage)).map((row) => row.runId).sort(),
      [runs[0].id, runs[2].id].sort(),
    );
    assert.equal((await claimOne(storage, worker)).id, runs[1].id);
  },

  'settles many runs of both kinds in one call, with different outcomes': async ({ storage }) => {
    const worker = await startWorker(storage);
    await addRecurring(storage, { id: 'recurring' });
    const recurring = await fireOne(storage, worker);
    for (const id of ['ok', 'retry', 'back', 'dead']) await addOneOff(storage, { id });
    const { runs } = await storage.claim(worker, 10);
    const givens = {
      ok: {},
      retry: { outcome: 'failed', error: 'x', retryInMs: minute },
      back: { outcome: 'handed_back' },
      dead: { outcome: 'timed_out', error: 'y' },
    } as const;
    const settlements = [await settlementOf(storage, recurring, { outcome: 'failed', error: 'z' })];
    for (const run of runs) {
      settlements.push(await settlementOf(storage, run, givens[run.jobId as keyof typeof givens]));
    }
    assert.equal((await accepts(storage, settlements)).length, 5);
    const rows = await attemptsOf(storage);
    assert.deepEqual(rows.map((row) => `${row.jobId} ${row.outcome} ${row.final}`).sort(), [
      'back handed_back false',
      'dead timed_out true',
      'ok succeeded true',
      'recurring failed true',
      'retry failed false',
    ]);
    assert.equal(await storage.getJob(ref('ok')), null);
    assert.equal((await jobOf(storage, 'dead')).state, 'failed');
    assert.equal((await claimOne(storage, worker)).jobId, 'back');
  },

  'writes the same whether or not it is told that a run is a one-off': async ({ storage }) => {
    const worker = await startWorker(storage);
    await addRecurring(storage, { id: 'recurring' });
    await addOneOff(storage, { id: 'goes' });
    await addOneOff(storage, { id: 'stays', policies: { keepMs: hour } });
    const { runs } = await storage.claim(worker, 10);
    const settlements = [
      await settlementOf(storage, await fireOne(storage, worker), { oneOff: true }),
      ...(await Promise.all(runs.map((run) => settlementOf(storage, run, { oneOff: false })))),
    ];
    assert.equal((await accepts(storage, settlements)).length, 3);
    const rows = await attemptsOf(storage);
    assert.deepEqual(rows.map((row) => `${row.jobId} ${row.outcome} ${row.final}`).sort(), [
      'goes succeeded true',
      'recurring succeeded true',
      'stays succeeded true',
    ]);
    const { runCount, lastVerdict } = await jobOf(storage, 'recurring');
    assert.deepEqual([runCount, lastVerdict], [1, 'succeeded']);
    assert.equal(await storage.getJob(ref('goes')), null);
    assert.equal((await jobOf(storage, 'stays')).state, 'completed');
  },

  'makes a run due again at the time of its retry': async ({ storage, clock }) => {
    for (const add of [addRecurring, addOneOff]) {
      await add(storage);
      const worker = await startWorker(storage, { leaseMs: hour });
      const run = add === addRecurring ? await fireOne(storage, worker) : await claimOne(storage, worker);
      const retryAt = (await storage.now()) + 10 * minute;
      await settle(storage, run, { outcome: 'failed', error: 'boom', retryAt });
      const waiting = only(await runsOf(storage), 'run');
      assert.deepEqual(
        [waiting.state, waiting.dueAt, waiting.lastError],
        ['waiting', new Date(retryAt), 'boom'],
      );
      assert.equal(waiting.worker, null);
      assert.equal((await storage.nextWakeAt(worker)).runAt, retryAt);
      assert.deepEqual((await storage.claim(worker, 10)).runs, []);
      await clock.advance(11 * minute);
      const retry = await claimOne(storage, worker);
      assert.equal(retry.id, run.id);
      assert.equal(retry.attempt, 2);
      assert.ok(retry.fence > run.fence);
      assert.equal(retry.nominalAt, run.nominalAt);
      await settle(storage, retry);
      const rows = await attemptsOf(storage, { runId: run.id });
      assert.deepEqual(
        rows.map((row) => [row.attempt, row.outcome, row.final]),
        [
          [2, 'succeeded', true],
          [1, 'failed', false],
        ],
      );
      await storage.deleteJob(ref('job'));
    }
  },

  'does not count an attempt that was handed back': async ({ storage }) => {
    await addOneOff(storage);
    const worker = await startWorker(storage);
    const run = await claimOne(storage, worker);
    await settle(storage, run, { outcome: 'handed_back' });
    const row = only(await attemptsOf(storage), 'ledger row');
    assert.deepEqual([row.outcome, row.final, row.attempt], ['handed_back', false, 1]);
    const job = await jobOf(storage);
    assert.deepEqual([job.state, job.runCount, job.errorCount, job.lastVerdict], ['pending', 0, 0, null]);
    const stored = only(await runsOf(storage), 'run');
    assert.ok(stored.fence > run.fence, 'The old fence should be void at once.');
    const again = await claimOne(storage, await startWorker(storage));
    assert.equal(again.id, run.id);
    assert.equal(again.attempt, 1);
    assert.ok(again.fence > run.fence);
    assert.deepEqual(await accepts(storage, [await settlementOf(storage, run)]), []);
  },

  'does not count an attempt that was snoozed, and has it due when it says': async ({ storage, clock }) => {
    for (const add of [addRecurring, addOneOff]) {
      await add(storage);
      const worker = await startWorker(storage, { leaseMs: hour });
      const run = add === addRecurring ? await fireOne(storage, worker) : await claimOne(storage, worker);
      const retryAt = (await storage.now()) + 10 * minute;
      await settle(storage, run, { outcome: 'snoozed', retryAt });
      const row = only(await attemptsOf(storage, { runId: run.id }), 'ledger row');
      assert.deepEqual([row.outcome, row.final, row.attempt], ['snoozed', false, 1]);
      const job = await jobOf(storage);
      assert.deepEqual([job.runCount, job.errorCount, job.lastVerdict], [0, 0, null]);
      const waiting = only(await runsOf(storage), 'run');
      assert.deepEqual([waiting.state, waiting.dueAt, waiting.attempt], ['waiting', new Date(retryAt), 0]);
      assert.deepEqual((await storage.claim(worker, 10)).runs, []);
      await clock.advance(11 * minute);
      const again = await claimOne(storage, worker);
      assert.deepEqual([again.id, again.attempt], [run.id, 1]);
      assert.deepEqual(await accepts(storage, [await settlementOf(storage, run)]), []);
      await settle(storage, again);
      await storage.deleteJob(ref('job'));
    }
  },

  'ends a snoozed run that somebody asked to cancel': async ({ storage }) => {
    await addOneOff(storage);
    const run = await claimOne(storage, await startWorker(storage));
    await storage.cancelJob(ref('job'));
    await settle(storage, run, { outcome: 'snoozed', retryInMs: minute });
    const row = only(await attemptsOf(storage), 'ledger row');
    assert.deepEqual([row.outcome, row.final], ['cancelled', true]);
  },

  'takes a late result as long as nobody took the run': async ({ storage, clock }) => {
    await addOneOff(storage);
    const worker = await startWorker(storage, { leaseMs: minute });
    const run = await claimOne(storage, worker);
    await clock.advance(5 * minute);
    await settle(storage, run);
    assert.deepEqual((await storage.releaseLost()).runs, []);
    assert.equal(only(await attemptsOf(storage), 'ledger row').outcome, 'succeeded');
  },

  'refuses another worker that has the same fence': async ({ storage }) => {
    for (const add of [addRecurring, addOneOff]) {
      await add(storage);
      const worker = await startWorker(storage);
      const other = await startWorker(storage);
      const run = add === addRecurring ? await fireOne(storage, worker) : await claimOne(storage, worker);
      // Claimed before a failover that has lost the claim, so that the number was given again.
      const stale = { ...run, worker: other.workerId };
      for (const given of [
        {},
        { outcome: 'failed', error: 'x' },
        { outcome: 'failed', retryInMs: 0 },
      ] as const) {
        assert.deepEqual(await accepts(storage, [await settlementOf(storage, stale, given)]), []);
      }
      await storage.giveBack([holdOf(stale)]);
      assert.equal(only(await runsOf(storage), 'run').worker, worker.workerId);
      assert.deepEqual(await attemptsOf(storage, { runId: run.id }), []);
      await settle(storage, run);
      await storage.deleteJob(ref('job'));
    }
  },

  'takes the settlements of several workers in one call': async ({ storage }) => {
    const runs = [];
    for (const id of ['a', 'b']) {
      await addOneOff(storage, { id });
      runs.push(await claimOne(storage, await startWorker(storage)));
    }
    const settlements = await Promise.all(runs.map((run) => settlementOf(storage, run)));
    assert.equal((await accepts(storage, settlements)).length, 2);
    assert.deepEqual(await runsOf(storage), []);
  },

  'passes over what a transaction has locked, and writes the others meanwhile': async ({
    storage,
    transaction,
  }) => {
    // Where nobody else shares the storage nothing is locked.
    if (transaction === undefined || storage.joined === undefined || !storage.shared) return;
    for (const add of [addRecurring, addOneOff]) {
      for (const given of [
        {},
        { outcome: 'failed', error: 'x' },
        { outcome: 'failed', retryInMs: minute },
      ] as const) {
        for (const id of ['a', 'b', 'c']) await add(storage, { id });
        const worker = await startWorker(storage);
        const { runs } =
          add === addRecurring ? await fireDue(storage, worker) : await storage.claim(worker, 10);
        const locked = runs.find(({ jobId }) => jobId === 'b')!;
        const others = runs.filter((run) => run !== locked).map(({ id }) => id);
        const settlements = await Promise.all(runs.map((run) => settlementOf(storage, run, given)));
        const stale = await settlementOf(storage, { ...locked, fence: locked.fence + 1 }, given);
        await transaction(async (manager) => {
          const jobs = (await storage.joined!(manager))!;
          assert.equal(await jobs.cancelRun(locked.id), 'requested');
          const result = await storage.settle([...settlements, stale]);
          assert.deepEqual([...result.accepted].sort(), [...others].sort());
          assert.deepEqual(result.locked, [locked.id]);
        });
        const again = await storage.settle([settlements[runs.indexOf(locked)]]);
        assert.deepEqual(again, { accepted: [locked.id], locked: [] });
        const rows = await attemptsOf(storage, { runId: locked.id });
        assert.deepEqual(
          rows.map((row) => row.final),
          [true],
          'It was cancelled meanwhile, so there is no retry.',
        );
        for (const id of ['a', 'b', 'c']) await storage.deleteJob(ref(id));
      }
    }
  },

  'refuses what was settled by others while it was locked': async ({ storage, transaction }) => {
    // Where nobody else shares the storage nothing is locked.
    if (transaction === undefined || storage.joined === undefined || !storage.shared) return;
    await addOneOff(storage);
    const run = await claimOne(storage, await startWorker(storage));
    const settlement = await settlementOf(storage, run);
    await transaction(async (manager) => {
      await (await storage.joined!(manager))!.cancelRun(run.id);
      assert.deepEqual(await storage.settle([settlement]), { accepted: [], locked: [run.id] });
    });
    assert.deepEqual(await accepts(storage, [settlement]), [run.id]);
    assert.deepEqual(await storage.settle([settlement]), { accepted: [], locked: [] });
  },

  'addresses runs by number, fence and worker, whichever adapter is asked': async ({ storage, open }) => {
    await addOneOff(storage);
    const run = await claimOne(storage, await startWorker(storage));
    await settle(await open(), run);
    assert.deepEqual(await runsOf(storage), []);
  },
});
