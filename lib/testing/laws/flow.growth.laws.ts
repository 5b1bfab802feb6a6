import assert from 'node:assert/strict';
import { InvalidWorkflowError, type StepEnd } from '../../index.js';
import { accepts, claimOne, settle, settlementOf } from './fixture.js';
import {
  assertOver,
  claimSteps,
  flowLawsOf,
  flowOf,
  keyOf,
  openFlow,
  runAll,
  runNext,
  statesOf,
  step,
  stepOf,
  stepsOf,
} from './flow.fixture.js';

export const flowGrowthLaws = flowLawsOf('growing flows', {
  'the end of a step may add steps: after itself, after each other, after any other, after none': async ({
    storage,
  }) => {
    const { runId, worker } = await openFlow(storage, [step('a'), step('slow'), step('b', ['a'])]);
    const { a, slow } = await claimSteps(storage, worker);
    const added = [
      step('two', ['one', 'slow']),
      step('one', ['a'], { payload: 'own' }),
      step('free'),
      step('late', ['b'], { otherwise: 'cancel' }),
    ];
    await settle(storage, a, { flowStep: { added } });
    assert.deepEqual((await stepsOf(storage, runId)).map(keyOf), [
      'a',
      'slow',
      'b',
      'two',
      'one',
      'free',
      'late',
    ]);
    assert.deepEqual(await statesOf(storage, runId), {
      a: 'succeeded',
      slow: 'released',
      b: 'released',
      two: 'waiting',
      one: 'released',
      free: 'released',
      late: 'waiting',
    });
    const runs = await claimSteps(storage, worker);
    assert.deepEqual(Object.keys(runs).toSorted(), ['b', 'free', 'one']);
    assert.equal(runs.one.payload, 'own');
    for (const run of [...Object.values(runs), slow]) await settle(storage, run);
    assert.deepEqual((await runAll(storage, worker)).toSorted(), ['late', 'two']);
    await assertOver(storage, runId, 'succeeded', { two: null, free: null, late: null });
  },

  'steps that are added after what has ended already go on at once, by how it ended': async ({ storage }) => {
    const steps = [step('bad'), step('skip'), step('good'), step('a')];
    const { runId, worker } = await openFlow(storage, steps);
    const { bad, skip, good, a } = await claimSteps(storage, worker);
    await settle(storage, bad, { outcome: 'failed' });
    await settle(storage, skip, { flowStep: { skipped: 'no' } });
    await settle(storage, good);
    const added = [
      step('needs', ['good', 'a']),
      step('cancels', ['bad'], { otherwise: 'cancel' }),
      step('runs', ['bad', 'good'], { otherwise: 'run' }),
      step('skips', ['skip']),
      step('blocked', ['bad', 'a']),
      step('any', ['bad', 'a'], { need: 1 }),
    ];
    await settle(storage, a, { flowStep: { added } });
    const states = await statesOf(storage, runId);
    assert.deepEqual(Object.fromEntries(added.map(({ name }) => [name, states[name]])), {
      needs: 'released',
      cancels: 'cancelled',
      runs: 'released',
      skips: 'skipped',
      blocked: 'waiting',
      any: 'released',
    });
    const { ok, bad: notWell } = await stepOf(storage, runId, 'blocked');
    assert.deepEqual([ok, notWell], [1, 1]);
  },

  'a step that waits may be made to wait for added steps as well, and needs them': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('a'), step('b', ['a']), step('join', ['b'])]);
    const flowStep: StepEnd = {
      added: [step('x', ['a']), step('y', ['x'])],
      joined: [
        { parent: 'x', child: 'join', data: true },
        { parent: 'y', child: 'join', data: false },
      ],
    };
    await runNext(storage, worker, { flowStep });
    const join = await stepOf(storage, runId, 'join');
    assert.deepEqual([join.need, join.ok], [3, 0]);
    assert.deepEqual(join.after, [
      { parent: 'b', data: true },
      { parent: 'x', data: true },
      { parent: 'y', data: false },
    ]);
    assert.deepEqual(await runAll(storage, worker), ['b', 'x', 'y', 'join']);
    await assertOver(storage, runId, 'succeeded', { join: null });
  },

  'a step that would be released by the end that makes it wait, waits': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('a'), step('join', ['a'])]);
    const flowStep = { added: [step('x')], joined: [{ parent: 'x', child: 'join', data: true }] };
    await runNext(storage, worker, { flowStep });
    assert.deepEqual(await statesOf(storage, runId), { a: 'succeeded', join: 'waiting', x: 'released' });
    assert.deepEqual(await runAll(storage, worker), ['x', 'join']);
    await assertOver(storage, runId, 'succeeded', { join: null });
  },

  'what one end of a call adds is there before what another one ends is counted': async ({ storage }) => {
    for (const order of [0, 1]) {
      const { runId, worker } = await openFlow(storage, [step('a'), step('b'), step('join', ['b'])], {
        job: { id: `job-${order}` },
      });
      const { a, b } = await claimSteps(storage, worker);
      const flowStep = { added: [step('x')], joined: [{ parent: 'x', child: 'join', data: true }] };
      const both = [await settlementOf(storage, a, { flowStep }), await settlementOf(storage, b)];
      await accepts(storage, order === 0 ? both : both.toReversed());
      assert.deepEqual([(await stepOf(storage, runId, 'join')).state, order], ['waiting', order]);
      assert.deepEqual(await runAll(storage, worker), ['x', 'join']);
    }
  },

  'a step that is added after what ends by the same call counts that once': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('a'), step('b'), step('c'), step('bad')]);
    const { a, b, c, bad } = await claimSteps(storage, worker);
    await settle(storage, c);
    const added = [step('x', ['a', 'b', 'c']), step('y', ['bad', 'b'], { otherwise: 'run' })];
    const settlements = [
      await settlementOf(storage, b),
      await settlementOf(storage, a, { flowStep: { added } }),
      await settlementOf(storage, bad, { outcome: 'failed' }),
    ];
    assert.equal((await accepts(storage, settlements)).length, 3);
    const [x, y] = [await stepOf(storage, runId, 'x'), await stepOf(storage, runId, 'y')];
    assert.deepEqual([x.ok, x.bad, x.state], [3, 0, 'released']);
    assert.deepEqual([y.ok, y.bad, y.state], [1, 1, 'released']);
  },

  'a step may make another wait for itself': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('a'), step('b'), step('join', ['b'])]);
    const { a, b } = await claimSteps(storage, worker);
    await settle(storage, a, { flowStep: { joined: [{ parent: 'a', child: 'join', data: true }] } });
    const { need, ok, state } = await stepOf(storage, runId, 'join');
    assert.deepEqual([need, ok, state], [2, 1, 'waiting']);
    await settle(storage, b);
    assert.deepEqual(await runAll(storage, worker), ['join']);
  },

  'maps may be added, and instances may add': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('list'), step('each', ['list'], { map: true })]);
    await runNext(storage, worker, { result: [1, 2] });
    const runs = await claimSteps(storage, worker);
    await settle(storage, runs['each.0'], {
      result: 'x',
      flowStep: { added: [step('again', ['each'], { map: true })] },
    });
    assert.equal((await stepOf(storage, runId, 'again')).state, 'waiting');
    await settle(storage, runs['each.1'], { result: 'y', flowStep: { added: [step('free')] } });
    const born = await claimSteps(storage, worker);
    assert.deepEqual(Object.keys(born).toSorted(), ['again.0', 'again.1', 'free']);
    assert.deepEqual([born['again.0'].payload, born['again.1'].payload], ['x', 'y']);
    for (const run of Object.values(born)) await settle(storage, run);
    await assertOver(storage, runId, 'succeeded', { again: [null, null], free: null });
  },

  'a step that is added after a map that runs waits for the map, not for its instances': async ({
    storage,
  }) => {
    const { runId, worker } = await openFlow(storage, [
      step('list'),
      step('each', ['list'], { map: true }),
      step('a', ['list']),
      step('slow'),
    ]);
    const { list, slow } = await claimSteps(storage, worker);
    await settle(storage, list, { result: [1, 2, 3] });
    const runs = await claimSteps(storage, worker);
    const added = [step('x', ['each', 'slow'])];
    const joined = [{ parent: 'each', child: 'x', data: true }];
    await settle(storage, runs['each.0']);
    await settle(storage, runs.a, { flowStep: { added, joined } });
    await settle(storage, runs['each.1']);
    const before = await stepOf(storage, runId, 'x');
    assert.deepEqual([before.ok, before.bad, before.need, before.after.length], [0, 0, 2, 2]);
    await settle(storage, runs['each.2'], { outcome: 'failed' });
    const { ok, bad, state } = await stepOf(storage, runId, 'x');
    assert.deepEqual([ok, bad, state], [0, 1, 'waiting']);
    await settle(storage, slow, { flowStep: { added: [step('y', ['each', 'list'])] } });
    const late = await stepOf(storage, runId, 'y');
    assert.deepEqual([late.ok, late.bad, late.state], [1, 1, 'blocked']);
  },

  'an attempt that does not succeed adds nothing, and its retry not twice': async ({ storage }) => {
    const flowStep = { added: [step('x')] };
    const { runId, worker } = await openFlow(storage, [step('a')]);
    await runNext(storage, worker, { outcome: 'failed', retryInMs: 0, flowStep });
    await runNext(storage, worker, { outcome: 'handed_back', flowStep });
    await runNext(storage, worker, { outcome: 'snoozed', retryInMs: 0, flowStep });
    assert.deepEqual(await statesOf(storage, runId), { a: 'released' });
    const a = await claimOne(storage, worker);
    const settlement = await settlementOf(storage, a, { flowStep });
    assert.deepEqual(await accepts(storage, [settlement]), [a.id]);
    assert.deepEqual(await accepts(storage, [settlement]), []);
    assert.deepEqual(await statesOf(storage, runId), { a: 'succeeded', x: 'released' });
  },

  'an attempt that is the last one, and fails, adds nothing': async ({ storage }) => {
    for (const outcome of ['failed', 'timed_out', 'cancelled'] as const) {
      const { runId, worker } = await openFlow(storage, [step('a')], { job: { id: outcome } });
      await runNext(storage, worker, { outcome, flowStep: { added: [step('x')] } });
      assert.deepEqual(await statesOf(storage, runId), { a: outcome });
    }
  },

  'a flow that is over does not grow': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('a'), step('b', ['a'])]);
    const a = await claimOne(storage, worker);
    await storage.cancelRun(runId);
    const flowStep = { added: [step('b'), step('x')], joined: [{ parent: 'x', child: 'none', data: true }] };
    await settle(storage, a, { flowStep });
    assert.deepEqual(await statesOf(storage, runId), { a: 'succeeded', b: 'cancelled' });
  },

  'what does not fit is refused, names the culprit, and changes nothing': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [
      step('a'),
      step('slow'),
      step('b', ['slow']),
      step('c', ['b']),
      step('open'),
    ]);
    const { a, slow } = await claimSteps(storage, worker);
    const before = await stepsOf(storage, runId);
    const edge = (parent: string, child: string) => ({ parent, child, data: false });
    const refused: [StepEnd, RegExp][] = [
      [{ added: [step('b')] }, /"b"/],
      [{ added: [step('x'), step('x')] }, /"x"/],
      [{ added: [step('x', ['nobody'])] }, /"nobody"/],
      [{ added: [step('x')], joined: [edge('x', 'nobody')] }, /"nobody"/],
      [{ added: [step('x')], joined: [edge('nobody', 'b')] }, /"nobody"/],
      [{ added: [step('x')], joined: [edge('x', 'slow')] }, /"slow"/],
      [{ added: [step('x')], joined: [edge('x', 'open')] }, /"open"/],
      [{ added: [step('x', ['c'])], joined: [edge('x', 'b')] }, /b.*c.*x|c.*x.*b|x.*b.*c/],
    ];
    for (const [flowStep, culprit] of refused) {
      await assert.rejects(
        async () => storage.settle([await settlementOf(storage, a, { flowStep })]),
        (error: unknown) => error instanceof InvalidWorkflowError && culprit.test(error.message),
      );
    }
    assert.deepEqual(await stepsOf(storage, runId), before);
    assert.equal((await flowOf(storage, runId)).verdict, null);
    await settle(storage, a, { flowStep: { added: [step('x')], joined: [edge('x', 'b')] } });
    await settle(storage, slow);
    assert.equal((await stepOf(storage, runId, 'b')).state, 'waiting');
  },

  'what eight ends add at once is all there': async ({ storage, open }) => {
    const names = Array.from({ length: 8 }, (_, nth) => `a${nth}`);
    const steps = [...names.map((name) => step(name)), step('join', names)];
    const { runId, worker } = await openFlow(storage, steps);
    const runs = Object.values(await claimSteps(storage, worker));
    const adapters = [storage, await open()];
    await Promise.all(
      runs.map((run, nth) => {
        const flowStep = {
          added: [step(`x${nth}`)],
          joined: [{ parent: `x${nth}`, child: 'join', data: false }],
        };
        return settle(adapters[nth % 2], run, { flowStep });
      }),
    );
    const { need, ok, state } = await stepOf(storage, runId, 'join');
    assert.deepEqual([need, ok, state], [16, 8, 'waiting']);
    const ran = await runAll(storage, worker);
    assert.deepEqual([ran.length, ran.at(-1)], [9, 'join']);
    await assertOver(storage, runId, 'succeeded', { join: null });
  },
});
