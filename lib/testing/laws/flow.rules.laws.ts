import assert from 'node:assert/strict';
import type { FlowStepState, Settlement, StepVerdict } from '../../index.js';
import { accepts, ref, settle, settlementOf } from './fixture.js';
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
} from './flow.fixture.js';

const failed: Partial<Settlement> = { outcome: 'failed', error: 'boom' };
const skipped: Partial<Settlement> = { flowStep: { skipped: 'nothing to do' } };

/** Ends steps as their names say: `skip1` is skipped, `bad2` fails, all else succeeds. */
const asNamed = (key: string): Partial<Settlement> => {
  if (key.startsWith('skip')) return skipped;
  return key.startsWith('bad') ? failed : {};
};

function ordersOf(names: readonly string[]): string[][] {
  if (names.length <= 1) return [[...names]];
  return names.flatMap((name) =>
    ordersOf(names.filter((other) => other !== name)).map((rest) => [name, ...rest]),
  );
}

export const flowRuleLaws = flowLawsOf('rules of flows', {
  'any, some or all: a step is released once, by as many parents as it needs': async ({ storage }) => {
    for (const need of [1, 2, 3]) {
      const parents = ['p1', 'p2', 'p3'];
      const { runId, worker } = await openFlow(storage, [
        ...parents.map((name) => step(name)),
        step('child', parents, { need }),
        step('after', ['child']),
      ]);
      const runs = await claimSteps(storage, worker);
      for (const [nth, name] of parents.entries()) {
        const { state, ok } = await stepOf(storage, runId, 'child');
        assert.deepEqual([state, ok], [nth < need ? 'waiting' : 'released', nth]);
        await settle(storage, runs[name]);
      }
      const { ok, runId: born } = await stepOf(storage, runId, 'child');
      assert.equal(ok, 3);
      const { child } = await claimSteps(storage, worker);
      assert.equal(child.id, born);
      await settle(storage, child);
      assert.deepEqual(await runAll(storage, worker), ['after']);
      await assertOver(storage, runId, 'succeeded', { after: null });
    }
  },

  'a failure keeps nobody from being released who does not need it': async ({ storage }) => {
    const steps = [
      step('bad1'),
      step('bad2'),
      step('good'),
      step('any', ['bad1', 'bad2', 'good'], { need: 1 }),
    ];
    const { runId, worker } = await openFlow(storage, steps);
    const ran = await runAll(storage, worker, asNamed);
    assert.deepEqual(ran, ['bad1', 'bad2', 'good', 'any']);
    const { ok, bad } = await stepOf(storage, runId, 'any');
    assert.deepEqual([ok, bad], [1, 2]);
    await assertOver(storage, runId, 'failed');
  },

  'what cannot be released any more is blocked, as soon as that is so, until the flow is over': async ({
    storage,
  }) => {
    const steps = [
      step('bad1'),
      step('bad2'),
      step('slow'),
      step('two', ['bad1', 'bad2', 'slow'], { need: 2 }),
    ];
    const { runId, worker } = await openFlow(storage, steps);
    const { bad1, bad2, slow } = await claimSteps(storage, worker);
    for (const run of [bad1, bad2]) {
      await settle(storage, run, failed);
      assert.equal((await stepOf(storage, runId, 'two')).state, 'waiting');
    }
    assert.equal((await flowOf(storage, runId)).verdict, null);
    await settle(storage, slow);
    const two = await stepOf(storage, runId, 'two');
    assert.deepEqual([two.state, two.releasedAt, two.endedAt, two.runId], ['blocked', null, null, null]);
    await assertOver(storage, runId, 'failed');
  },

  'otherwise cancel: it is cancelled at once, and so is what comes after it': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [
      step('bad'),
      step('slow'),
      step('cancelled', ['bad', 'slow'], { otherwise: 'cancel' }),
      step('next', ['cancelled'], { otherwise: 'cancel' }),
      step('last', ['next'], { otherwise: 'cancel' }),
      step('blocked', ['cancelled']),
      step('cleanup', ['last'], { otherwise: 'run' }),
    ]);
    const { bad, slow } = await claimSteps(storage, worker);
    await settle(storage, bad, failed);
    assert.deepEqual(await statesOf(storage, runId), {
      bad: 'failed',
      slow: 'released',
      cancelled: 'cancelled',
      next: 'cancelled',
      last: 'cancelled',
      blocked: 'waiting',
      cleanup: 'released',
    });
    const { endedAt, runId: none } = await stepOf(storage, runId, 'next');
    assert.ok(endedAt !== null && none === null);
    assert.deepEqual(await runAll(storage, worker), ['cleanup']);
    assert.equal((await flowOf(storage, runId)).verdict, null);
    await settle(storage, slow);
    await assertOver(storage, runId, 'failed');
  },

  'otherwise run: it runs when all of its parents have ended, and not before': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [
      step('bad'),
      step('slow'),
      step('report', ['bad', 'slow'], { otherwise: 'run' }),
    ]);
    const { bad, slow } = await claimSteps(storage, worker);
    await settle(storage, bad, failed);
    assert.deepEqual(await claimSteps(storage, worker), {});
    await settle(storage, slow);
    assert.deepEqual(await runAll(storage, worker), ['report']);
    const { ok, bad: notWell, state } = await stepOf(storage, runId, 'report');
    assert.deepEqual([ok, notWell, state], [1, 1, 'succeeded']);
    await assertOver(storage, runId, 'failed');
  },

  'otherwise run does not run after what is blocked, as that never ends': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [
      step('bad'),
      step('stuck', ['bad']),
      step('report', ['stuck'], { otherwise: 'run' }),
    ]);
    assert.deepEqual(await runAll(storage, worker, asNamed), ['bad']);
    assert.deepEqual(await statesOf(storage, runId), { bad: 'failed', stuck: 'blocked', report: 'blocked' });
    await assertOver(storage, runId, 'failed');
  },

  'allowed to fail: whatever it ends as counts as well ended': async ({ storage, clock }) => {
    const ends: Partial<Settlement>[] = [failed, { outcome: 'timed_out' }, { outcome: 'cancelled' }, {}];
    for (const end of ends) {
      const allowFailure = true;
      const { runId, worker } = await openFlow(storage, [step('a', [], { allowFailure }), step('b', ['a'])]);
      const run = await runNext(storage, worker, end);
      assert.equal(run.flowStep!.name, 'a');
      const { ok, bad } = await stepOf(storage, runId, 'b');
      assert.deepEqual([ok, bad], [1, 0]);
      assert.equal((await stepOf(storage, runId, 'a')).state, end.outcome ?? 'succeeded');
      assert.deepEqual(await runAll(storage, worker), ['b']);
      await assertOver(storage, runId, 'succeeded', { b: null });
      await clock.advance(1);
    }
  },

  'allowed to fail is of the step only: that it is cancelled for its parents is no failure either': async ({
    storage,
  }) => {
    const { runId, worker } = await openFlow(storage, [
      step('bad'),
      step('optional', ['bad'], { otherwise: 'cancel', allowFailure: true }),
      step('last', ['optional']),
    ]);
    assert.deepEqual(await runAll(storage, worker, asNamed), ['bad', 'last']);
    assert.deepEqual(await statesOf(storage, runId), {
      bad: 'failed',
      optional: 'cancelled',
      last: 'succeeded',
    });
    const row = await assertOver(storage, runId, 'failed');
    assert.doesNotMatch(row.error!, /optional/);
  },

  'a skipped step has ended well, with its reason': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [
      step('skip'),
      step('ok'),
      step('join', ['skip', 'ok']),
    ]);
    assert.deepEqual(await runAll(storage, worker, asNamed), ['ok', 'skip', 'join']);
    const skip = await stepOf(storage, runId, 'skip');
    assert.deepEqual([skip.state, skip.reason, skip.result], ['skipped', 'nothing to do', null]);
    assert.equal((await stepOf(storage, runId, 'join')).ok, 2);
    const { counts } = await flowOf(storage, runId);
    assert.deepEqual(counts, { skipped: 1, succeeded: 2 });
    await assertOver(storage, runId, 'succeeded', { join: null });
  },

  'skipped counts only of an attempt that has succeeded': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('a')]);
    await runNext(storage, worker, { ...failed, ...skipped });
    assert.equal((await stepOf(storage, runId, 'a')).state, 'failed');
    const { runId: other } = await openFlow(storage, [step('a')], { job: { id: 'other' } });
    await runNext(storage, worker, { flowStep: { skipped: null } });
    assert.equal((await stepOf(storage, other, 'a')).state, 'succeeded');
  },

  'what has only skipped parents is skipped, and so what comes after that, whatever it needs': async ({
    storage,
  }) => {
    const { runId, worker } = await openFlow(storage, [
      step('skip'),
      step('left', ['skip'], { otherwise: 'run' }),
      step('right', ['skip'], { allowFailure: true }),
      step('any', ['left', 'right'], { need: 1 }),
      step('deep', ['any'], { otherwise: 'cancel' }),
      step('ok'),
      step('join', ['deep', 'ok']),
    ]);
    const { skip, ok } = await claimSteps(storage, worker);
    await settle(storage, skip, skipped);
    assert.deepEqual(await statesOf(storage, runId), {
      skip: 'skipped',
      left: 'skipped',
      right: 'skipped',
      any: 'skipped',
      deep: 'skipped',
      ok: 'released',
      join: 'waiting',
    });
    await settle(storage, ok);
    assert.deepEqual(await runAll(storage, worker), ['join']);
    await assertOver(storage, runId, 'succeeded', { join: null });
  },

  'a join after a branch: of both, one or none that was skipped': async ({ storage }) => {
    for (const [names, joined] of [
      [['ok1', 'ok2'], 'succeeded'],
      [['ok1', 'skip2'], 'succeeded'],
      [['skip1', 'skip2'], 'skipped'],
      [['skip1', 'bad2'], 'blocked'],
    ] as [string[], StepVerdict][]) {
      const branches = names.map((name) => step(name, ['fork']));
      const { runId, worker } = await openFlow(storage, [step('fork'), ...branches, step('join', names)]);
      await runAll(storage, worker, asNamed);
      assert.equal((await stepOf(storage, runId, 'join')).state, joined);
      await assertOver(
        storage,
        runId,
        joined === ('blocked' as string) ? 'failed' : 'succeeded',
        joined === ('blocked' as string) ? null : { join: null },
      );
      await storage.deleteJob(ref('job'));
    }
  },

  'any, or some: a parent that was skipped is as if it were not there, in whatever order and calls they end':
    async ({ storage, clock }) => {
      for (const [names, need, joined] of [
        [['skip1', 'skip2'], 1, 'skipped'],
        [['skip1', 'ok2'], 1, 'succeeded'],
        [['skip1', 'bad2'], 1, 'blocked'],
        [['skip1', 'ok2', 'bad3'], 1, 'succeeded'],
        [['skip1', 'skip2', 'ok3'], 2, 'succeeded'],
        [['skip1', 'ok2', 'bad3'], 2, 'blocked'],
        [['skip1', 'ok2', 'ok3'], 2, 'succeeded'],
        [['skip1', 'skip2', 'bad3'], 2, 'blocked'],
        [['skip1', 'skip2', 'skip3'], 2, 'skipped'],
      ] as [string[], number, FlowStepState][]) {
        for (const order of ordersOf(names)) {
          for (const together of [false, true]) {
            const steps = [...names.map((name) => step(name)), step('join', names, { need })];
            const { runId, worker } = await openFlow(storage, steps);
            const runs = await claimSteps(storage, worker);
            const ends = await Promise.all(
              order.map((name) => settlementOf(storage, runs[name], asNamed(name))),
            );
            for (const settlements of together ? [ends] : ends.map((end) => [end]))
              assert.equal((await accepts(storage, settlements)).length, settlements.length);
            await runAll(storage, worker);
            const { state } = await stepOf(storage, runId, 'join');
            assert.equal(state, joined, `${order.join(', ')}, need ${need}${together ? ', together' : ''}`);
            await storage.deleteJob(ref('job'));
            await clock.advance(1);
          }
        }
      }
    },

  'a parent that was skipped lets nothing begin as long as another may be taken': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [
      step('skip'),
      step('slow'),
      step('any', ['skip', 'slow'], { need: 1 }),
    ]);
    const { skip, slow } = await claimSteps(storage, worker);
    await settle(storage, skip, skipped);
    assert.deepEqual(await claimSteps(storage, worker), {});
    const { state, ok } = await stepOf(storage, runId, 'any');
    assert.deepEqual([state, ok], ['waiting', 1]);
    await settle(storage, slow);
    assert.deepEqual(await runAll(storage, worker), ['any']);
    await assertOver(storage, runId, 'succeeded', { any: null });
  },

  'otherwise counts only parents that were not skipped: cancelled when too few are left, run when all have ended':
    async ({ storage }) => {
      const parents = ['skip', 'bad', 'slow'];
      const { runId, worker } = await openFlow(storage, [
        ...parents.map((name) => step(name)),
        step('cancel', parents, { need: 2, otherwise: 'cancel' }),
        step('any', parents, { need: 1, otherwise: 'cancel' }),
        step('run', parents, { need: 2, otherwise: 'run' }),
      ]);
      const runs = await claimSteps(storage, worker);
      await settle(storage, runs.skip, skipped);
      assert.equal((await stepOf(storage, runId, 'cancel')).state, 'waiting');
      await settle(storage, runs.bad, failed);
      const states = await statesOf(storage, runId);
      assert.deepEqual([states.cancel, states.any, states.run], ['cancelled', 'waiting', 'waiting']);
      await settle(storage, runs.slow);
      assert.deepEqual(await runAll(storage, worker), ['any', 'run']);
      await assertOver(storage, runId, 'failed');
    },

  'so are parents that are added to it': async ({ storage }) => {
    for (const last of [skipped, {}]) {
      const { runId, worker } = await openFlow(storage, [
        step('skip'),
        step('adds'),
        step('join', ['skip'], { need: 1 }),
        step('slow'),
      ]);
      const { skip, adds, slow } = await claimSteps(storage, worker);
      const joined = ['x', 'y'].map((parent) => ({ parent, child: 'join', data: true }));
      await settle(storage, adds, { flowStep: { added: [step('x'), step('y')], joined } });
      await settle(storage, skip, skipped);
      const { x, y } = await claimSteps(storage, worker);
      await settle(storage, x, skipped);
      assert.equal((await stepOf(storage, runId, 'join')).state, 'waiting');
      await settle(storage, y, last);
      await settle(storage, slow);
      await runAll(storage, worker);
      assert.equal((await stepOf(storage, runId, 'join')).state, last === skipped ? 'skipped' : 'succeeded');
      await storage.deleteJob(ref('job'));
    }
  },

  'what ends by one call is counted before anything is decided': async ({ storage }) => {
    const steps = [step('skip1'), step('skip2'), step('any', ['skip1', 'skip2'], { need: 1 })];
    const { runId, worker } = await openFlow(storage, steps);
    const { skip1, skip2 } = await claimSteps(storage, worker);
    const settlements = await Promise.all([skip1, skip2].map((run) => settlementOf(storage, run, skipped)));
    assert.equal((await accepts(storage, settlements)).length, 2);
    assert.equal((await stepOf(storage, runId, 'any')).state, 'skipped');
    await assertOver(storage, runId, 'succeeded', { any: null });
  },

  'a graph of only what was skipped has succeeded': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('skip'), step('b', ['skip'])]);
    await runAll(storage, worker, asNamed);
    await assertOver(storage, runId, 'succeeded', { b: null });
  },
});
