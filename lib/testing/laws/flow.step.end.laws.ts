import assert from 'node:assert/strict';
import type { Capability, ClaimedRun, StepVerdict, StorageAdapter } from '../../index.js';
import type { StorageSubject } from '../law.js';
import {
  accepts,
  claimOne,
  holdOf,
  hour,
  minute,
  second,
  settle,
  settlementOf,
  startWorker,
} from './fixture.js';
import {
  assertOver,
  endOpen,
  flowLawsOf,
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
  act: (subject: StorageSubject, worker: Capability, stepRunId: string) => Promise<void>;
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

export const flowStepEndLaws = flowLawsOf('ends of steps', {
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
});
