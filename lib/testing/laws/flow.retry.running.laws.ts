import assert from 'node:assert/strict';
import {
  WorkflowRunStateError,
  type Capability,
  type ClaimedRun,
  type FlowStorage,
  type NewFlowStep,
  type StorageAdapter,
} from '../../index.js';
import { addOneOff, addRecurring, claimOne, day, fireOne, hour, minute, ref, settle } from './fixture.js';
import {
  claimSteps,
  endOpen,
  flowLawsOf,
  flowOf,
  lastingWorker,
  openAs,
  openFlow,
  runAll,
  statesOf,
  step,
  stepsOf,
} from './flow.fixture.js';

interface Begun {
  runId: string;
  worker: Capability;
}

/** Of a recurring job, so that it may be retried when it was cancelled. */
async function begin(storage: StorageAdapter, steps: readonly NewFlowStep[]): Promise<Begun> {
  await addRecurring(storage);
  const worker = await lastingWorker(storage);
  const opener = await fireOne(storage, worker);
  await openAs(storage, opener, steps);
  return { runId: opener.id, worker };
}

/** Refused by the name of what still runs, and nothing was changed. */
async function assertRefused(
  storage: StorageAdapter,
  flows: FlowStorage,
  runId: string,
  steps: readonly string[] | null,
  ...names: string[]
): Promise<void> {
  const before = await stepsOf(storage, runId);
  await assert.rejects(
    () => flows.retryFlow(runId, steps),
    (error: unknown) => {
      assert.ok(
        error instanceof WorkflowRunStateError,
        `${String(error)} should be a WorkflowRunStateError.`,
      );
      assert.deepEqual([error.runId, error.state], [runId, 'cancelled']);
      for (const name of names) assert.ok(error.message.includes(`"${name}"`), error.message);
      return true;
    },
  );
  assert.deepEqual(await stepsOf(storage, runId), before);
  assert.equal((await flowOf(storage, runId)).verdict, 'cancelled');
}

/** Which step the run is of. */
const placeOf = ({ flowStep }: ClaimedRun): string => flowStep!.place;

/** By a beat of the worker: what it has given up, and executes all the same. */
async function tell(
  storage: StorageAdapter,
  { workerId }: Capability,
  givenUp: readonly string[] | null,
): Promise<void> {
  await storage.renew(workerId, 400 * day, 1, [], null, null, givenUp);
}

export const flowRetryRunningLaws = flowLawsOf(
  'retries of flows of which something goes on that was given up',
  {
    'are refused as well while the process that asks executes what it has given up, whatever its verdict':
      async ({ storage }, flows) => {
        const steps = [step('list'), step('each', ['list'], { map: true }), step('sub'), step('side')];
        const { runId, worker } = await begin(storage, steps);
        const { list, sub, side } = await claimSteps(storage, worker);
        await settle(storage, list, { result: ['x', 'y'] });
        await openAs(storage, sub, [step('leaf')], { workflow: 'inner' });
        const runs = await claimSteps(storage, worker);
        await storage.cancelRun(runId);
        for (const run of [side, runs['each.0'], runs['each.1'], runs['leaf']])
          await settle(storage, run, { outcome: 'cancelled' });
        const before = await stepsOf(storage, runId);
        const cases = [
          [side, null, '"side"'],
          [runs['each.1'], ['list'], '"each" (item 1)'],
          [runs['leaf'], ['sub'], '"leaf" of the workflow "inner"'],
        ] as const;
        for (const [run, names, told] of cases) {
          const refused = (error: unknown): boolean =>
            error instanceof WorkflowRunStateError && error.runId === runId && error.message.includes(told);
          await assert.rejects(() => flows.retryFlow(runId, names, [placeOf(run!)]), refused);
          assert.equal((await flows.queryRunningSteps(runId, [placeOf(run!)])).length, 1);
        }
        assert.deepEqual(await flows.queryRunningSteps(runId), []);
        assert.deepEqual(await stepsOf(storage, runId), before);
        // What does not run again may go on.
        assert.ok(await flows.retryFlow(runId, ['list'], [placeOf(side!)]));
      },

    'are refused to everybody while a worker that lives tells that it executes what it has given up': async (
      { storage },
      flows,
    ) => {
      const { runId, worker } = await begin(storage, [step('a'), step('b')]);
      const { a, b } = await claimSteps(storage, worker);
      await storage.cancelRun(runId);
      await tell(storage, worker, [placeOf(a!)]);
      for (const run of [a, b]) await settle(storage, run!, { outcome: 'cancelled' });
      await assertRefused(storage, flows, runId, null, 'a');
      assert.deepEqual(
        (await flows.queryRunningSteps(runId)).map(({ name }) => name),
        ['a'],
      );
      // A beat that does not say takes nothing back.
      await tell(storage, worker, null);
      await assertRefused(storage, flows, runId, ['a'], 'a');
      await tell(storage, worker, []);
      assert.deepEqual(await flows.queryRunningSteps(runId), []);
      assert.ok(await flows.retryFlow(runId, null));
    },

    'are possible for what does not run again, whatever a worker tells that it executes': async (
      { storage },
      flows,
    ) => {
      const { runId, worker } = await begin(storage, [step('a'), step('b')]);
      const { a, b } = await claimSteps(storage, worker);
      await storage.cancelRun(runId);
      await tell(storage, worker, [placeOf(a!)]);
      for (const run of [a, b]) await settle(storage, run!, { outcome: 'cancelled' });
      assert.ok(await flows.retryFlow(runId, ['b']));
    },

    'are possible once the lease of the worker that told of it has ended': async ({ storage }, flows) => {
      const { runId, worker } = await begin(storage, [step('a')]);
      const a = await claimOne(storage, worker);
      await storage.cancelRun(runId);
      await tell(storage, worker, [placeOf(a)]);
      await settle(storage, a, { outcome: 'cancelled' });
      await assertRefused(storage, flows, runId, null, 'a');
      // Nobody has taken back what it held.
      await storage.unregister(worker.workerId);
      assert.deepEqual(await flows.queryRunningSteps(runId), []);
      assert.ok(await flows.retryFlow(runId, null));
    },

    'as of jobs are refused to everybody, or pass it over, by what a worker tells': async ({ storage }) => {
      const job = { id: 'order' };
      const { runId, worker } = await openFlow(storage, [step('a')], { job });
      const late = await claimOne(storage, worker);
      await tell(storage, worker, [placeOf(late)]);
      await endOpen(storage, runId, { outcome: 'failed', error: 'no' });
      await settle(storage, late, { outcome: 'timed_out', error: 'late' });
      await addOneOff(storage, { id: 'other' });
      const other = await claimOne(storage, worker);
      await settle(storage, other, { outcome: 'failed', error: 'no' });
      const retried = await storage.retryRuns([runId, other.id]);
      assert.deepEqual(
        retried.map(({ retryOf }) => retryOf),
        [other.id],
      );
      await assert.rejects(() => storage.runNow(ref(job.id)), /"a"/);
      await tell(storage, worker, []);
      assert.equal((await storage.retryRuns([runId])).length, 1);
    },

    'are refused also where what goes on is of a run before the last one, as the place of a step stays':
      async ({ storage }, flows) => {
        const steps = [step('list'), step('each', ['list'], { map: true }), step('late', ['each'])];
        const { runId, worker } = await begin(storage, steps);
        const places = new Map<string, string>();
        const runUntil = async (last: string): Promise<void> => {
          for (;;) {
            const runs = await claimSteps(storage, worker);
            for (const run of Object.values(runs)) {
              const { name, nth, place } = run.flowStep!;
              const key = nth === null ? name : `${name}.${nth}`;
              assert.equal(place, places.get(key) ?? place);
              places.set(key, place);
              const bad = name === last;
              await settle(storage, run, bad ? { outcome: 'failed', error: 'no' } : { result: ['x', 'y'] });
              if (bad) return;
            }
          }
        };
        await runUntil('late');
        const second = await flows.retryFlow(runId, ['list']);
        await runUntil('list');
        const refused = (told: string) => (error: unknown) =>
          error instanceof WorkflowRunStateError &&
          error.runId === second!.id &&
          error.message.includes(`still runs: the step ${told}.`);
        for (const [key, told] of [
          ['list', '"list"'],
          ['each.1', '"each"'],
          ['late', '"late"'],
        ] as const) {
          await tell(storage, worker, [places.get(key)!]);
          await assert.rejects(() => flows.retryFlow(second!.id, null), refused(told));
        }
        await tell(storage, worker, [`${places.get('list')}-other`]);
        assert.ok(await flows.retryFlow(second!.id, null));
      },

    'look at the steps of one run by hand alone, however many there are of its job at once': async (
      { storage, clock },
      flows,
    ) => {
      await addRecurring(storage, { dueInMs: 10 * day, policies: { overlap: 'allow' } });
      const worker = await lastingWorker(storage);
      await Promise.all(Array.from({ length: 40 }, () => storage.runNow(ref('job'))));
      const { runs } = await storage.claim(worker, 100);
      assert.equal(runs.length, 40);
      const open = async (run: ClaimedRun): Promise<ClaimedRun> => {
        await openAs(storage, run, [step('a')], { deadlineInMs: hour });
        return claimOne(storage, worker);
      };
      const steps: ClaimedRun[] = [];
      for (const run of runs) steps.push(await open(run));
      assert.equal(new Set(steps.map(placeOf)).size, 40);
      // The place stays with the retries of the run, of the flow, and where the run is tried again.
      const [{ id }, a] = [runs[0]!, steps[0]!];
      const fail = (run: ClaimedRun): Promise<void> =>
        settle(storage, run, { outcome: 'failed', error: 'no' });
      await fail(a);
      await storage.retryRuns([id]);
      const second = await claimOne(storage, worker);
      const again = await open(second);
      await fail(again);
      await flows.retryFlow(second.id, null);
      const third = await claimOne(storage, worker);
      await fail(third);
      const fourth = await flows.retryFlow(third.flowStep!.flowRunId, null);
      await flows.pauseFlow(fourth!.id);
      await clock.advance(2 * hour);
      const late = (await storage.claim(worker, 100)).runs.find((run) => run.id === fourth!.id)!;
      await settle(storage, late, { outcome: 'timed_out', error: 'late', retryInMs: -minute });
      const due = (await storage.claim(worker, 100)).runs.find((run) => run.id === fourth!.id)!;
      const last = await open(due);
      assert.deepEqual([again, third, last].map(placeOf), [placeOf(a), placeOf(a), placeOf(a)]);
    },

    'are refused while a step of a workflow in it goes on that was given up two runs ago': async (
      { storage },
      flows,
    ) => {
      const { runId, worker } = await begin(storage, [step('sub')]);
      const openSub = async (): Promise<ClaimedRun> => {
        await openAs(storage, await claimOne(storage, worker), [step('leaf')], { workflow: 'inner' });
        return claimOne(storage, worker);
      };
      const first = await openSub();
      await settle(storage, first, { outcome: 'failed', error: 'no' });
      const second = await flows.retryFlow(runId, null);
      const again = await openSub();
      assert.equal(placeOf(again), placeOf(first));
      await settle(storage, again, { outcome: 'failed', error: 'no' });
      const third = await flows.retryFlow(second!.id, null);
      // Before it is a workflow once more.
      await settle(storage, await claimOne(storage, worker), { outcome: 'failed', error: 'no' });
      await tell(storage, worker, [placeOf(first)]);
      const named = (await flows.queryRunningSteps(third!.id)).map(({ name, workflow }) => [name, workflow]);
      assert.deepEqual(named, [['leaf', 'inner']]);
      await assert.rejects(() => flows.retryFlow(third!.id, null), /the step "leaf" of the workflow "inner"/);
    },

    'are refused for the same reason as retries of jobs': async ({ storage }) => {
      const job = { id: 'order' };
      const { runId, worker } = await openFlow(storage, [step('a')], { job });
      const late = await claimOne(storage, worker);
      await endOpen(storage, runId, { outcome: 'failed', error: 'no' });
      await settle(storage, late, { outcome: 'timed_out', error: 'late' });
      assert.deepEqual(await storage.retryRuns([runId], [], [placeOf(late)]), []);
      const refused = (error: unknown): boolean =>
        error instanceof WorkflowRunStateError && error.runId === runId && error.message.includes('"a"');
      await assert.rejects(() => storage.runNow(ref(job.id), [placeOf(late)]), refused);
      assert.equal((await storage.retryRuns([runId], [], ['4711'])).length, 1);
    },

    'are refused for an instance of a map, and for what comes after a step that is named': async (
      { storage },
      flows,
    ) => {
      const steps = [step('list'), step('each', ['list'], { map: true }), step('side')];
      const { runId, worker } = await begin(storage, steps);
      const { list, side } = await claimSteps(storage, worker);
      await settle(storage, side);
      await settle(storage, list, { result: ['x', 'y'] });
      const runs = await claimSteps(storage, worker);
      await storage.cancelRun(runId);
      await settle(storage, runs['each.0'], { result: 'done' });
      await tell(storage, worker, [placeOf(runs['each.1']!)]);
      await settle(storage, runs['each.1'], { outcome: 'cancelled' });
      await assertRefused(storage, flows, runId, ['list'], 'each');
      await assertRefused(storage, flows, runId, ['each'], 'each');
      await tell(storage, worker, []);
      assert.ok(await flows.retryFlow(runId, null));
      assert.deepEqual(await runAll(storage, worker), ['each.1']);
    },

    'are refused while a step of a workflow in it goes on, however deep, that would run again': async (
      { storage },
      flows,
    ) => {
      const { runId, worker } = await begin(storage, [step('sub'), step('side')]);
      const { sub, side } = await claimSteps(storage, worker);
      await settle(storage, side);
      await openAs(storage, sub, [step('deeper')], { workflow: 'middle' });
      const deeper = await claimOne(storage, worker);
      await openAs(storage, deeper, [step('leaf')], { workflow: 'inner' });
      const leaf = await claimOne(storage, worker);
      await storage.cancelRun(runId);
      await tell(storage, worker, [placeOf(leaf)]);
      await settle(storage, leaf, { outcome: 'cancelled' });
      await assertRefused(storage, flows, runId, null, 'leaf', 'inner');
      await tell(storage, worker, []);
      const again = await flows.retryFlow(runId, null);
      assert.deepEqual(await statesOf(storage, again!.id), { sub: 'released', side: 'succeeded' });
    },

    'are passed over as retries of jobs while a step of a workflow in it runs; others are retried': async (
      { storage },
      flows,
    ) => {
      const { runId, worker } = await begin(storage, [step('sub')]);
      const sub = await claimOne(storage, worker);
      await openAs(storage, sub, [step('leaf')], { workflow: 'inner' });
      const leaf = await claimOne(storage, worker);
      await endOpen(storage, sub.id, { outcome: 'failed', error: 'no' });
      // The workflow in it is over, and so is the whole by that; the step of it was given up, and runs yet.
      await tell(storage, worker, [placeOf(leaf)]);
      await settle(storage, leaf, { outcome: 'cancelled' });
      assert.equal((await flowOf(storage, runId)).verdict, 'failed');
      await addOneOff(storage, { id: 'other' });
      const other = await claimOne(storage, worker);
      await settle(storage, other, { outcome: 'failed', error: 'no' });
      const retried = await storage.retryRuns([runId, other.id]);
      assert.deepEqual(
        retried.map(({ retryOf }) => retryOf),
        [other.id],
      );
      const running = await flows.queryRunningSteps(runId);
      assert.deepEqual(
        running.map(({ name, workflow, flowRunId }) => [name, workflow, flowRunId]),
        [['leaf', 'inner', sub.id]],
      );
      await tell(storage, worker, []);
      assert.equal((await storage.retryRuns([runId])).length, 1);
    },
  },
);
