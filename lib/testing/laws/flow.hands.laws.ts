import assert from 'node:assert/strict';
import type { Capability, ClaimedRun, Settlement, SettleResult, StorageAdapter } from '../../index.js';
import { claimOne, holdOf, only, second, settle, settlementOf } from './fixture.js';
import {
  assertOver,
  claimSteps,
  flowLawsOf,
  keyOf,
  lastingWorker,
  openFlow,
  runAll,
  step,
} from './flow.fixture.js';

const names = (runs: readonly ClaimedRun[] = []): string[] => runs.map((run) => keyOf(run.flowStep!));

/** Ends runs, for a worker that would begin what that sets off. */
async function settleInto(
  storage: StorageAdapter,
  hands: { capability: Capability; room: number },
  runs: readonly ClaimedRun[],
  given: Partial<Settlement> = {},
): Promise<SettleResult> {
  const settlements = await Promise.all(runs.map((run) => settlementOf(storage, run, given)));
  const result = await storage.settle(settlements, hands);
  assert.deepEqual(
    result.accepted,
    runs.map(({ id }) => id),
  );
  return result;
}

/** Which of the steps after the first were handed over by its end, and which were left to claims. */
async function handedAfterFirst(
  storage: StorageAdapter,
  steps: Parameters<typeof openFlow>[1],
  room = 10,
): Promise<{ taken: string[]; left: string[] }> {
  const { worker } = await openFlow(storage, [step('first'), ...steps]);
  const first = await claimOne(storage, worker);
  const { taken = [] } = await settleInto(storage, { capability: worker, room }, [first]);
  return { taken: names(taken), left: Object.keys(await claimSteps(storage, worker)) };
}

export const flowHandsLaws = flowLawsOf('steps that are born in the hands of a worker', {
  'are as if it had claimed them, once': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('a'), step('b', ['a']), step('c', ['b'])], {
      params: { id: 7 },
    });
    const a = await claimOne(storage, worker);
    const { taken = [] } = await settleInto(storage, { capability: worker, room: 3 }, [a], {
      result: [1, { two: 2 }],
    });
    const claimed = (await storage.claim(worker, 10)).runs;
    const b = only([...taken, ...claimed], 'run');
    const like = { ...a, id: b.id, jobId: `${runId}/b`, nominalAt: b.nominalAt, dueAt: b.dueAt };
    assert.deepEqual(b, { ...like, flowStep: { ...a.flowStep, name: 'b', place: b.flowStep!.place } });
    assert.deepEqual(await storage.heldBy(worker.workerId), [holdOf(b)]);
    const [row] = (await storage.queryRuns({ runId: b.id }, {})).items;
    assert.deepEqual([row!.state, row!.worker, row!.attempt], ['running', worker.workerId, 1]);
    await settle(storage, b);
    assert.deepEqual(await runAll(storage, worker), ['c']);
    await assertOver(storage, runId, 'succeeded', { c: null });
  },

  'are as many as it has room for, by their priority': async ({ storage }) => {
    const steps = [
      step('low', ['first'], { priority: 9 }),
      step('high', ['first'], { priority: 1 }),
      step('mid', ['first']),
    ];
    const { taken, left } = await handedAfterFirst(storage, steps, 2);
    assert.deepEqual(taken, ['high', 'mid'].slice(0, taken.length));
    assert.deepEqual([...taken, ...left].toSorted(), ['high', 'low', 'mid']);
  },

  'are none without room': async ({ storage }) => {
    const { taken, left } = await handedAfterFirst(storage, [step('next', ['first'])], 0);
    assert.deepEqual({ taken, left }, { taken: [], left: ['next'] });
  },

  'are none of other handlers and queues, nor such as wait for their time or for somebody': async ({
    storage,
  }) => {
    const { taken, left } = await handedAfterFirst(storage, [
      step('handler', ['first'], { handler: 'other' }),
      step('queue', ['first'], { queue: 'other' }),
      step('delayed', ['first'], { delayMs: second }),
      step('manual', ['first'], { kind: 'manual' }),
    ]);
    assert.deepEqual({ taken, left }, { taken: [], left: [] });
  },

  'are none that a pause stops': async ({ storage }) => {
    const scopes = [
      { kind: 'all', name: '' },
      { kind: 'queue', name: 'default' },
      { kind: 'handler', name: 'work' },
      { kind: 'namespace', name: 'default' },
    ] as const;
    for (const scope of scopes) {
      const { worker } = await openFlow(storage, [step('first'), step('next', ['first'])], {
        job: { id: `job-${scope.kind}` },
      });
      const first = await claimOne(storage, worker);
      await storage.pauseScope(scope, { reason: null, by: null });
      const { taken = [] } = await settleInto(storage, { capability: worker, room: 10 }, [first]);
      assert.deepEqual([taken, await claimSteps(storage, worker)], [[], {}], `A pause of ${scope.kind}`);
      await storage.resumeScope(scope, () => ({ nextAt: null, gap: null }));
      const { next } = await claimSteps(storage, worker);
      await settle(storage, next!);
    }
  },

  'are none of a flow that is paused, nor of another app': async ({ storage }, flows) => {
    const { runId, worker } = await openFlow(storage, [step('a'), step('b', ['a']), step('c', ['b'])]);
    const a = await claimOne(storage, worker);
    await flows.pauseFlow(runId);
    const paused = await settleInto(storage, { capability: worker, room: 10 }, [a]);
    assert.deepEqual([paused.taken ?? [], await claimSteps(storage, worker)], [[], {}]);
    await flows.resumeFlow(runId);
    const other = await lastingWorker(storage);
    const b = await claimOne(storage, worker);
    const capability = { ...other, app: 'another' };
    const { taken = [] } = await settleInto(storage, { capability, room: 10 }, [b]);
    const { c } = await claimSteps(storage, worker);
    assert.deepEqual([taken.length, c?.app], b.app === null ? [taken.length, c?.app] : [0, b.app]);
  },

  'are none of a worker without a lease': async ({ storage }) => {
    const { worker } = await openFlow(storage, [step('a'), step('b', ['a'])]);
    const ending = { ...worker, workerId: 'gone' };
    const a = await claimOne(storage, worker);
    const { taken = [] } = await settleInto(storage, { capability: ending, room: 3 }, [a]);
    assert.deepEqual(taken, []);
    assert.deepEqual(Object.keys(await claimSteps(storage, worker)), ['b']);
  },

  'may be those of another worker than the one that has ended their parent': async ({ storage }) => {
    const { worker } = await openFlow(storage, [step('a'), step('b', ['a'])]);
    const other = await lastingWorker(storage);
    const a = await claimOne(storage, worker);
    const { taken = [] } = await settleInto(storage, { capability: other, room: 1 }, [a]);
    for (const run of taken) assert.equal(run.worker, other.workerId);
    assert.deepEqual([...names(taken), ...Object.keys(await claimSteps(storage, worker))], ['b']);
  },

  'are told to be due, where they are left to others': async ({ storage }) => {
    const { worker } = await openFlow(storage, [step('a'), step('b', ['a']), step('c', ['a'])]);
    const a = await claimOne(storage, worker);
    const { taken = [], bornAt } = await settleInto(storage, { capability: worker, room: 1 }, [a]);
    const { runAt } = await storage.nextWakeAt(worker);
    assert.ok(runAt !== null);
    if (bornAt !== undefined) assert.equal(bornAt, runAt);
    const { c } = await claimSteps(storage, worker);
    const last = await settleInto(storage, { capability: worker, room: 1 }, [...taken, ...(c ? [c] : [])]);
    assert.deepEqual(last.taken ?? [], []);
  },
});
