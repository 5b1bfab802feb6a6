import assert from 'node:assert/strict';
import { addRecurring, day, fireOne, holdOf, hour, settle } from './fixture.js';
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
  statesOf,
  step,
} from './flow.fixture.js';

const lenient = { allowFailure: true } as const;

export const flowRetryCutLaws = flowLawsOf(
  'retries of flows of which the end has cut off steps that may fail',
  {
    'run what never began, of whatever end from outside': async ({ storage, clock }, flows) => {
      await addRecurring(storage);
      for (const outcome of ['cancelled', 'failed', 'timed_out'] as const) {
        const worker = await lastingWorker(storage);
        const opener = await fireOne(storage, worker);
        const steps = [step('a', [], { ...lenient, delayMs: hour }), step('b', ['a'], lenient)];
        await openAs(storage, opener, steps);
        if (outcome === 'cancelled') await storage.cancelRun(opener.id);
        else await endOpen(storage, opener.id, { outcome });
        assert.equal(
          (await flowOf(storage, opener.id)).verdict,
          outcome === 'failed' ? 'failed' : 'cancelled',
        );
        assert.deepEqual(await statesOf(storage, opener.id), { a: 'cancelled', b: 'cancelled' });
        const again = await flows.retryFlow(opener.id, null);
        assert.deepEqual(await statesOf(storage, again!.id), { a: 'released', b: 'waiting' }, outcome);
        await clock.advance(hour);
        assert.deepEqual(await runAll(storage, worker), ['a', 'b']);
        await assertOver(storage, again!.id, 'succeeded', { b: null });
      }
    },

    'run what ran at that, with its durable steps, and not what had ended before': async (
      { storage, clock },
      flows,
    ) => {
      await addRecurring(storage);
      const worker = await lastingWorker(storage);
      const opener = await fireOne(storage, worker);
      const steps = ['cut', 'bad', 'good', 'late'].map((name) => step(name, [], lenient));
      await openAs(storage, opener, [...steps, step('next', ['bad'], lenient)]);
      const { cut, bad, good, late } = await claimSteps(storage, worker);
      await settle(storage, bad, { outcome: 'failed' });
      await settle(storage, good);
      const charge = { name: 'charge', kind: 'step', position: 1, attempt: 1, ended: 1, result: 7 } as const;
      assert.equal(await storage.recordRunStep(holdOf(cut), { ...charge, startedAt: cut.nominalAt }), true);
      await clock.advance(1);
      await storage.cancelRun(opener.id);
      await settle(storage, cut, { outcome: 'cancelled' });
      await settle(storage, late);
      const again = await flows.retryFlow(opener.id, null);
      assert.deepEqual(await statesOf(storage, again!.id), {
        cut: 'released',
        bad: 'failed',
        good: 'succeeded',
        late: 'succeeded',
        next: 'released',
      });
      const runs = await claimSteps(storage, worker);
      assert.deepEqual(Object.keys(runs).toSorted(), ['cut', 'next']);
      const durable = await storage.queryRunSteps(runs.cut.id);
      assert.deepEqual(
        durable.map(({ name }) => name),
        ['charge'],
      );
    },

    'run the instances of a map that it has cut off, and no others': async ({ storage, clock }, flows) => {
      await addRecurring(storage);
      const worker = await lastingWorker(storage);
      const opener = await fireOne(storage, worker);
      const steps = [step('list'), step('each', ['list'], { ...lenient, map: true }), step('sum', ['each'])];
      await openAs(storage, opener, steps);
      const { list } = await claimSteps(storage, worker);
      await settle(storage, list, { result: ['x', 'y', 'z'] });
      const runs = await claimSteps(storage, worker);
      await settle(storage, runs['each.0'], { outcome: 'failed' });
      await settle(storage, runs['each.1'], { result: 'done' });
      await clock.advance(1);
      await storage.cancelRun(opener.id);
      await settle(storage, runs['each.2'], { outcome: 'cancelled' });
      const again = await flows.retryFlow(opener.id, null);
      assert.deepEqual(await statesOf(storage, again!.id), {
        list: 'succeeded',
        each: 'released',
        'each.0': 'failed',
        'each.1': 'succeeded',
        'each.2': 'released',
        sum: 'waiting',
      });
      assert.deepEqual(await runAll(storage, worker), ['each.2', 'sum']);
      await assertOver(storage, again!.id, 'succeeded', { sum: null });
    },

    'leave what may fail, and has, where the flow has ended by itself': async ({ storage }, flows) => {
      const { runId, worker } = await openFlow(
        storage,
        [step('bad'), step('may', [], lenient), step('never', ['bad'], { ...lenient, otherwise: 'cancel' })],
        { deadlineInMs: day },
      );
      const { bad, may } = await claimSteps(storage, worker);
      await settle(storage, bad, { outcome: 'failed' });
      await settle(storage, may, { outcome: 'cancelled' });
      const again = await flows.retryFlow(runId, null);
      assert.deepEqual(await statesOf(storage, again!.id), {
        bad: 'released',
        may: 'cancelled',
        never: 'waiting',
      });
    },
  },
);
