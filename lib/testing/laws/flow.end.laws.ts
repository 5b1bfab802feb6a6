import assert from 'node:assert/strict';
import type { Flow, FlowStorage } from '../../index.js';
import type { StorageSubject } from '../law.js';
import {
  accepts,
  addOneOff,
  addRecurring,
  claimOne,
  day,
  fireOne,
  holdOf,
  hour,
  only,
  ref,
  second,
  settle,
  settlementOf,
  startWorker,
} from './fixture.js';
import {
  assertOver,
  claimSteps,
  endOpen,
  flowLawsOf,
  flowOf,
  lastingWorker,
  openAs,
  openFlow,
  runAll,
  runNext,
  statesOf,
  step,
  stepOf,
  verdictOf,
} from './flow.fixture.js';

/** How it is decided from outside that a flow ends; resolves to the verdict of the flow where that is not `cancelled`. */
const otherEnds: Record<string, (subject: StorageSubject, runId: string) => Promise<Flow['verdict'] | void>> =
  {
    'a cancel of the run': async ({ storage }, runId) => {
      assert.equal(await storage.cancelRun(runId), 'requested');
    },
    'a cancel of the job': async ({ storage }) => {
      assert.equal(await storage.cancelJob(ref('job')), 1);
    },
    'a cancel of many jobs': async ({ storage }) => {
      assert.deepEqual(await storage.changeJobs([ref('job')], { kind: 'cancel' }), ['changed']);
    },
    'the end of its job': async ({ storage }) => {
      assert.equal(await storage.deleteJob(ref('job')), true);
    },
    'the end of many jobs': async ({ storage }) => {
      assert.deepEqual(await storage.changeJobs([ref('job')], { kind: 'delete' }), ['changed']);
    },
    'a success from outside': async ({ storage }, runId) => {
      assert.equal(await endOpen(storage, runId), true);
      return 'succeeded';
    },
    'a failure from outside': async ({ storage }, runId) => {
      assert.equal(await endOpen(storage, runId, { outcome: 'failed' }), true);
      return 'failed';
    },
    'its deadline': async ({ storage, clock }, runId) => {
      await clock.advance(2 * hour);
      const late = (await storage.claim(await startWorker(storage, { handlers: ['open'] }), 10)).runs;
      assert.equal(only(late, 'late run').id, runId);
      await settle(storage, late[0], { outcome: 'timed_out' });
    },
  };

export const flowEndLaws = flowLawsOf('ends of flows', {
  ...Object.fromEntries(
    Object.entries(otherEnds).map(([way, act]) => [
      `${way} cancels what waits, and asks who runs; how that ends releases nothing`,
      async (subject: StorageSubject, flows: FlowStorage): Promise<void> => {
        const { storage } = subject;
        const steps = [
          step('running'),
          step('due'),
          step('later', [], { delayMs: 10 * hour }),
          step('open', [], { kind: 'manual', deadlineMs: 10 * hour }),
          step('next', ['running']),
          step('last', ['next'], { otherwise: 'run' }),
        ];
        const { runId, worker } = await openFlow(storage, steps, {
          job: { handler: 'open' },
          deadlineInMs: hour,
        });
        const { running, due } = await claimSteps(storage, worker);
        await storage.giveBack([holdOf(due)]);
        const runs = await Promise.all(steps.slice(0, 4).map(({ name }) => stepOf(storage, runId, name)));
        const expected = (await act(subject, runId)) ?? 'cancelled';
        const { verdict, ending, endedAt, counts } = await flowOf(storage, runId);
        assert.deepEqual([verdict, ending !== null, endedAt], [null, true, null]);
        assert.deepEqual(counts, { released: 1, cancelled: 5 });
        assert.equal((await stepOf(storage, runId, 'running')).state, 'released');
        for (const { runId: waiting, name } of runs.slice(1)) {
          const { outcome, startedAt } = await verdictOf(storage, waiting!);
          assert.deepEqual([outcome, name === 'open' || startedAt === null], ['cancelled', true]);
        }
        const { cancelled } = await storage.renew(worker.workerId, 400 * day, 1);
        assert.deepEqual(cancelled, [running.id]);
        await settle(storage, running);
        assert.equal((await stepOf(storage, runId, 'running')).state, 'succeeded');
        assert.deepEqual((await flowOf(storage, runId)).counts, { succeeded: 1, cancelled: 5 });
        const found = await flows.queryFlows({ state: expected }, {});
        assert.deepEqual(
          found.items.map((flow) => flow.runId),
          [runId],
        );
        await subject.clock.advance(20 * hour);
        assert.deepEqual(await claimSteps(storage, worker), {});
        assert.deepEqual((await storage.queryRuns({ state: ['waiting', 'open', 'running'] }, {})).items, []);
        await verdictOf(storage, runId);
      },
    ]),
  ),

  'a run that is tried again has let go of its graph, and opens as another': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await lastingWorker(storage);
    const run = await fireOne(storage, worker);
    await openAs(storage, run, [step('a'), step('b', ['a'])], { workflow: 'first' });
    const old = await claimOne(storage, worker);
    assert.equal(await endOpen(storage, run.id, { outcome: 'failed', retryInMs: -second }), true);
    assert.deepEqual(await claimSteps(storage, worker), {}, 'A step of it is in the hands of a worker.');
    await settle(storage, old);
    const { verdict, workflow } = await flowOf(storage, run.id);
    assert.deepEqual([verdict, workflow], ['cancelled', 'first']);
    assert.deepEqual(await statesOf(storage, run.id), { a: 'succeeded', b: 'cancelled' });
    const again = await claimOne(storage, worker);
    assert.deepEqual([again.id, again.attempt, again.flowStep], [run.id, 2, undefined]);
    await openAs(storage, again, [step('a'), step('c', ['a'])], { workflow: 'second' });
    assert.equal((await flowOf(storage, run.id)).workflow, 'second');
    assert.deepEqual(await statesOf(storage, run.id), { a: 'released', c: 'waiting' });
    assert.deepEqual(await runAll(storage, worker), ['a', 'c']);
    await assertOver(storage, run.id, 'succeeded', { c: null });
    assert.equal((await storage.flows!.queryFlows({}, {})).items.length, 1);
  },

  'its deadline may let it be tried again, too': async ({ storage, clock }) => {
    const { runId, worker } = await openFlow(storage, [step('a', [], { delayMs: day })], {
      deadlineInMs: hour,
    });
    await clock.advance(2 * hour);
    await settle(storage, await claimOne(storage, worker), { outcome: 'timed_out', retryInMs: -second });
    assert.deepEqual(await statesOf(storage, runId), { a: 'cancelled' });
    const again = await claimOne(storage, worker);
    assert.equal(again.id, runId);
    await settle(storage, again);
    assert.equal((await flowOf(storage, runId)).verdict, 'cancelled');
  },

  'a worker that has its run at the deadline, and gives it back, ends nothing': async ({
    storage,
    clock,
  }) => {
    const { runId, worker } = await openFlow(
      storage,
      [step('a', [], { delayMs: 3 * hour }), step('b', ['a'])],
      {
        deadlineInMs: hour,
      },
    );
    await clock.advance(2 * hour);
    const late = await claimOne(storage, worker);
    assert.equal(late.openedAt !== undefined && late.id, runId);
    await storage.giveBack([holdOf(late)]);
    assert.equal((await flowOf(storage, runId)).verdict, null);
    const other = await claimOne(storage, worker);
    await clock.advance(2 * hour);
    await runNext(storage, worker);
    await runNext(storage, worker);
    await assertOver(storage, runId, 'succeeded', { b: null });
    assert.deepEqual(
      await accepts(storage, [await settlementOf(storage, other, { outcome: 'timed_out' })]),
      [],
      'The flow had ended before that worker settled.',
    );
  },

  'a run that nobody wants any more opens as nothing': async ({ storage }) => {
    const worker = await lastingWorker(storage);
    await addOneOff(storage);
    const run = await claimOne(storage, worker);
    await storage.cancelRun(run.id);
    await openAs(storage, run, [step('a')]);
    assert.equal(await storage.flows!.getFlow(run.id), null);
    assert.equal((await verdictOf(storage, run.id)).outcome, 'cancelled');
    assert.deepEqual(await claimSteps(storage, worker), {});
  },
});
