import assert from 'node:assert/strict';
import { WorkflowRunStateError, type Settlement } from '../../index.js';
import { settle } from './fixture.js';
import {
  assertOver,
  claimSteps,
  flowLawsOf,
  flowOf,
  openFlow,
  runAll,
  runNext,
  statesOf,
  step,
  stepOf,
  stepsOf,
} from './flow.fixture.js';

const bad = { outcome: 'failed', error: 'boom' } as const;

export const flowRetryGrowthLaws = flowLawsOf('retries of flows that have grown', {
  'lose nothing that others have added after what would be added again: they are refused by its name': async (
    { storage },
    flows,
  ) => {
    const { runId, worker } = await openFlow(storage, [
      step('bad'),
      step('a', ['bad'], { otherwise: 'run' }),
      step('z'),
    ]);
    const ends: Record<string, Partial<Settlement>> = {
      bad,
      a: { flowStep: { added: [step('x')] } },
    };
    const { bad: first, z } = await claimSteps(storage, worker);
    await settle(storage, first, bad);
    assert.deepEqual(await runAll(storage, worker, (key) => ends[key] ?? {}), ['a', 'x']);
    await settle(storage, z, { flowStep: { added: [step('y', ['x']), step('y2', ['y'])] } });
    assert.deepEqual(await runAll(storage, worker, () => ({ result: 'kept' })), ['y', 'y2']);
    const before = await stepsOf(storage, runId, { results: true });
    await assert.rejects(
      () => flows.retryFlow(runId, ['bad']),
      (error: unknown) => {
        assert.ok(error instanceof WorkflowRunStateError, String(error));
        assert.deepEqual([error.runId, error.state], [runId, 'failed']);
        for (const name of ['y', 'z', 'x', 'a'])
          assert.ok(error.message.includes(`"${name}"`), error.message);
        return true;
      },
    );
    assert.deepEqual(await stepsOf(storage, runId, { results: true }), before);
    assert.equal((await flowOf(storage, runId)).verdict, 'failed');
    const again = await flows.retryFlow(runId, ['bad', 'z']);
    assert.deepEqual(await statesOf(storage, again!.id), { bad: 'released', a: 'waiting', z: 'released' });
  },

  'keep what others have added before which a step is added again: it waits for who adds that': async (
    { storage },
    flows,
  ) => {
    const { runId, worker } = await openFlow(storage, [step('a'), step('z'), step('end')]);
    const { a, z, end } = await claimSteps(storage, worker);
    const growth = {
      added: [step('x'), step('x2')],
      joined: ['x', 'x2'].map((parent) => ({ parent, child: 'y', data: true })),
    };
    await settle(storage, z, { flowStep: { added: [step('y', ['end'])] } });
    await settle(storage, a, { flowStep: growth });
    assert.deepEqual(await runAll(storage, worker), ['x', 'x2']);
    await settle(storage, end, bad);
    const { id } = (await flows.retryFlow(runId, ['a', 'end']))!;
    assert.deepEqual(await statesOf(storage, id), {
      a: 'released',
      z: 'succeeded',
      end: 'released',
      y: 'waiting',
    });
    const { need, after } = await stepOf(storage, id, 'y');
    assert.deepEqual(
      [need, Object.fromEntries(after.map(({ parent, data }) => [parent, data]))],
      [2, { end: true, a: false }],
    );
    const again = await claimSteps(storage, worker);
    await settle(storage, again.end);
    assert.equal((await stepOf(storage, id, 'y')).state, 'waiting');
    await settle(storage, again.a, { flowStep: growth });
    assert.deepEqual(await runAll(storage, worker), ['x', 'x2', 'y']);
    await assertOver(storage, id, 'succeeded', { y: null, z: null });
  },

  'have what was there from the beginning wait for who adds a step before it again, and for nobody twice':
    async ({ storage }, flows) => {
      const steps = [step('a'), step('end'), step('bad'), step('join', ['end'])];
      const { runId, worker } = await openFlow(storage, steps);
      const deep = { added: [step('x')], joined: [{ parent: 'x', child: 'join', data: true }] };
      const { a, end, bad: third } = await claimSteps(storage, worker);
      await settle(storage, third, bad);
      await settle(storage, a, { flowStep: { added: [step('m')] } });
      await runNext(storage, worker, { flowStep: deep });
      await settle(storage, end);
      assert.deepEqual(await runAll(storage, worker), ['x', 'join']);
      let id = runId;
      for (let nth = 0; nth < 2; nth++) {
        ({ id } = (await flows.retryFlow(id, ['a']))!);
        assert.deepEqual(await statesOf(storage, id), {
          a: 'released',
          end: 'succeeded',
          bad: 'failed',
          join: 'waiting',
        });
        const { need, ok, after } = await stepOf(storage, id, 'join');
        assert.deepEqual([need, ok, after.map(({ parent }) => parent).toSorted()], [2, 1, ['a', 'end']]);
        assert.deepEqual(
          await runAll(storage, worker, (key) => ({ ...(key === 'a' && { flowStep: deep }) })),
          ['a', 'x', 'join'],
        );
      }
    },
});
