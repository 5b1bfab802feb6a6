import assert from 'node:assert/strict';
import type { Capability, ClaimedRun, StepVerdict, StorageAdapter } from '../../index.js';
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
  minute,
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

interface End {
  verdict: StepVerdict;
  /** Ends the run of the step `a`, which is due, or open where it is `manual`. */
  act(subject: StorageSubject, worker: Capability, stepRunId: string): Promise<void>;
  policies?: { recovery?: 'abandon'; maxLost?: number };
  manual?: boolean;
}

/** A claim by a worker whose lease ends soon. */
async function claimAndDie({ storage, clock }: StorageSubject): Promise<ClaimedRun> {
  const run = await claimOne(storage, await startWorker(storage, { leaseMs: minute }));
  await clock.advance(2 * minute);
  return run;
}

async function requestCancel(storage: StorageAdapter, worker: Capability): Promise<ClaimedRun> {
  const run = await claimOne(storage, worker);
  assert.equal(await storage.cancelRun(run.id), 'requested');
  return run;
}

const ends: Record<string, End> = {
  'a success': {
    verdict: 'succeeded',
    act: async ({ storage }, worker) => void (await runNext(storage, worker)),
  },
  'a failure': {
    verdict: 'failed',
    act: async ({ storage }, worker) => void (await runNext(storage, worker, { outcome: 'failed' })),
  },
  'a timeout': {
    verdict: 'timed_out',
    act: async ({ storage }, worker) => void (await runNext(storage, worker, { outcome: 'timed_out' })),
  },
  'a cancel while it waits': {
    verdict: 'cancelled',
    act: async ({ storage }, _, runId) => assert.equal(await storage.cancelRun(runId), 'cancelled'),
  },
  'a cancel while it runs': {
    verdict: 'cancelled',
    act: async ({ storage }, worker) => {
      await settle(storage, await requestCancel(storage, worker), { outcome: 'cancelled' });
    },
  },
  'a failure that nobody wants to be tried again': {
    verdict: 'failed',
    act: async ({ storage }, worker) => {
      await settle(storage, await requestCancel(storage, worker), { outcome: 'failed', retryInMs: second });
    },
  },
  'a hand-back of what is to be cancelled': {
    verdict: 'cancelled',
    act: async ({ storage }, worker) => {
      await settle(storage, await requestCancel(storage, worker), { outcome: 'handed_back' });
    },
  },
  'giving back what is to be cancelled': {
    verdict: 'cancelled',
    act: async ({ storage }, worker) => {
      const run = await requestCancel(storage, worker);
      await storage.giveBack([holdOf(run)]);
    },
  },
  'the death of its worker, when that was once too often': {
    verdict: 'lost',
    policies: { maxLost: 1 },
    act: async (subject) => {
      await claimAndDie(subject);
      await subject.storage.releaseLost();
    },
  },
  'the death of its worker, when it must not run twice': {
    verdict: 'lost',
    policies: { recovery: 'abandon' },
    act: async (subject) => {
      await claimAndDie(subject);
      await subject.storage.releaseLost();
    },
  },
  'the death of its worker, when it is to be cancelled': {
    verdict: 'cancelled',
    act: async (subject) => {
      const run = await claimAndDie(subject);
      await subject.storage.cancelRun(run.id);
      await subject.storage.releaseLost();
    },
  },
  'a hand-back of what must not run twice': {
    verdict: 'lost',
    policies: { recovery: 'abandon' },
    act: async ({ storage }, worker) => void (await runNext(storage, worker, { outcome: 'handed_back' })),
  },
  'giving back what must not run twice': {
    verdict: 'lost',
    policies: { recovery: 'abandon' },
    act: async ({ storage }, worker) => {
      await storage.giveBack([holdOf(await claimOne(storage, worker))]);
    },
  },
  'a verdict from outside': {
    verdict: 'failed',
    manual: true,
    act: async ({ storage }, _, runId) => {
      assert.equal(await endOpen(storage, runId, { outcome: 'failed' }), true);
    },
  },
  'a cancel while it is open': {
    verdict: 'cancelled',
    manual: true,
    act: async ({ storage }, _, runId) => assert.equal(await storage.cancelRun(runId), 'cancelled'),
  },
  'its deadline': {
    verdict: 'timed_out',
    manual: true,
    act: async ({ storage, clock }, worker) => {
      await clock.advance(2 * hour);
      await runNext(storage, worker, { outcome: 'timed_out' });
    },
  },
  'a cancel at its deadline': {
    verdict: 'cancelled',
    manual: true,
    act: async ({ storage, clock }, worker) => {
      await clock.advance(2 * hour);
      await settle(storage, await requestCancel(storage, worker), { outcome: 'handed_back' });
    },
  },
};

/** How the run of a flow ends beside it. */
const otherEnds: Record<string, (subject: StorageSubject, runId: string) => Promise<void>> = {
  'a cancel of the run': async ({ storage }, runId) => {
    assert.equal(await storage.cancelRun(runId), 'cancelled');
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
  },
  'its deadline': async ({ storage, clock }, runId) => {
    await clock.advance(2 * hour);
    const late = (await storage.claim(await startWorker(storage, { handlers: ['open'] }), 10)).runs;
    assert.equal(only(late, 'late run').id, runId);
    await settle(storage, late[0], { outcome: 'timed_out' });
  },
};

export const flowEndLaws = flowLawsOf('ends in flows', {
  ...Object.fromEntries(
    Object.entries(ends).map(([way, { verdict, act, policies = {}, manual = false }]) => [
      `a step that ends by ${way} is counted once, and moves on what comes after it`,
      async (subject: StorageSubject): Promise<void> => {
        const { storage } = subject;
        const a = step('a', [], { policies, ...(manual && { kind: 'manual', deadlineMs: hour }) });
        const rest = [
          step('needs', ['a']),
          step('cancels', ['a'], { otherwise: 'cancel' }),
          step('runs', ['a'], { otherwise: 'run' }),
        ];
        const { runId, worker } = await openFlow(storage, [a, ...rest]);
        const before = await stepOf(storage, runId, 'a');
        await act(subject, worker, before.runId!);
        const isGood = verdict === 'succeeded';
        assert.deepEqual(await statesOf(storage, runId), {
          a: verdict,
          needs: isGood ? 'released' : 'waiting',
          cancels: isGood ? 'released' : 'cancelled',
          runs: 'released',
        });
        for (const { ok, bad } of await Promise.all(
          ['needs', 'runs'].map((name) => stepOf(storage, runId, name)),
        ))
          assert.deepEqual([ok, bad], isGood ? [1, 0] : [0, 1]);
        const row = await verdictOf(storage, before.runId!);
        assert.equal(row.outcome, verdict);
        assert.deepEqual((await storage.queryRuns({ runId: before.runId! }, {})).items, []);
        assert.deepEqual(
          (await runAll(storage, worker)).toSorted(),
          isGood ? ['cancels', 'needs', 'runs'] : ['runs'],
        );
        await assertOver(
          storage,
          runId,
          isGood ? 'succeeded' : 'failed',
          isGood ? { needs: null, cancels: null, runs: null } : null,
        );
      },
    ]),
  ),

  'a step whose worker dies is tried again, and then counted': async (subject) => {
    const { storage } = subject;
    const { runId, worker } = await openFlow(storage, [step('a'), step('b', ['a'])]);
    const dead = await claimAndDie(subject);
    await storage.releaseLost();
    const again = await claimOne(storage, worker);
    assert.deepEqual([again.id, again.flowStep!.name, again.attempt], [dead.id, 'a', 2]);
    assert.deepEqual(await accepts(storage, [await settlementOf(storage, dead)]), [], 'The first is stale.');
    assert.equal((await stepOf(storage, runId, 'b')).state, 'waiting');
    await settle(storage, again);
    assert.deepEqual(await runAll(storage, worker), ['b']);
  },

  'a step that is lost has its callback, as any run': async ({ storage }) => {
    const policies = { recovery: 'abandon' as const, onFailure: { handler: 'work' } };
    const { worker } = await openFlow(storage, [step('a', [], { policies })]);
    const run = await claimOne(storage, worker);
    await storage.giveBack([holdOf(run)]);
    const callback = await claimOne(storage, worker);
    assert.equal(callback.origin, 'callback');
    assert.equal(callback.flowStep, undefined);
    const { runId, jobId, verdict } = callback.payload as Record<string, unknown>;
    assert.deepEqual([runId, jobId, verdict], [run.id, run.jobId, 'lost']);
  },

  ...Object.fromEntries(
    Object.entries(otherEnds).map(([way, act]) => [
      `${way} cancels what waits, and asks who runs; how that ends releases nothing`,
      async (subject: StorageSubject): Promise<void> => {
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
        await act(subject, runId);
        const { verdict, endedAt, counts } = await flowOf(storage, runId);
        assert.deepEqual([verdict, endedAt !== null], ['cancelled', true]);
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
        assert.equal((await flowOf(storage, runId)).verdict, 'cancelled');
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
    const { verdict, workflow } = await flowOf(storage, run.id);
    assert.deepEqual([verdict, workflow], ['cancelled', 'first']);
    assert.deepEqual(await statesOf(storage, run.id), { a: 'released', b: 'cancelled' });
    const again = await claimOne(storage, worker);
    assert.deepEqual([again.id, again.attempt, again.flowStep], [run.id, 2, undefined]);
    await openAs(storage, again, [step('a'), step('c', ['a'])], { workflow: 'second' });
    assert.equal((await flowOf(storage, run.id)).workflow, 'second');
    assert.deepEqual(await statesOf(storage, run.id), { a: 'released', c: 'waiting' });
    await settle(storage, old);
    assert.deepEqual(
      await statesOf(storage, run.id),
      { a: 'released', c: 'waiting' },
      'It counts for nothing.',
    );
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
