import assert from 'node:assert/strict';
import { accepts, eightAtOnce, minute, ref, settle, settlementOf, startWorker } from './fixture.js';
import {
  assertOver,
  claimSteps,
  endOpen,
  flowLawsOf,
  flowOf,
  openFlow,
  runAll,
  statesOf,
  step,
  stepOf,
  verdictOf,
} from './flow.fixture.js';

const rounds = 15;

/** The same numbers for the same seed, which stands in the message of what goes wrong. */
function dice(seed: number): <T>(items: readonly T[]) => T[] {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return (items) =>
    items
      .map((item) => ({ item, place: next() }))
      .toSorted((one, other) => one.place - other.place)
      .map(({ item }) => item);
}

export const flowRaceLaws = flowLawsOf('flows at once', {
  'the last parents that end at once release their child once': async ({ storage, open }) => {
    const adapters = [storage, await open()];
    for (let round = 0; round < rounds; round++) {
      const steps = [step('a'), step('b'), step('c', ['a', 'b'])];
      const { runId, worker } = await openFlow(storage, steps, { job: { id: `job-${round}` } });
      const { a, b } = await claimSteps(storage, worker);
      await Promise.all([settle(adapters[0], a), settle(adapters[1], b)]);
      assert.deepEqual(Object.keys(await claimSteps(storage, worker)), ['c']);
      const { ok, state } = await stepOf(storage, runId, 'c');
      assert.deepEqual([ok, state], [2, 'released']);
    }
  },

  'of eight calls that end the same step one counts': async ({ storage, open }) => {
    const adapters = [storage, await open()];
    const { runId, worker } = await openFlow(storage, [step('a'), step('b', ['a'])]);
    const { a } = await claimSteps(storage, worker);
    const settlement = await settlementOf(storage, a);
    const accepted = await eightAtOnce(adapters, (adapter) => accepts(adapter, [settlement]));
    assert.deepEqual(accepted.flat(), [a.id]);
    assert.equal((await stepOf(storage, runId, 'b')).ok, 1);
    assert.deepEqual(await runAll(storage, worker), ['b']);
  },

  'of eight verdicts for a manual step one counts': async ({ storage, open }) => {
    const adapters = [storage, await open()];
    const { runId, worker } = await openFlow(storage, [
      step('ok', [], { kind: 'manual' }),
      step('b', ['ok']),
    ]);
    const { runId: manual } = await stepOf(storage, runId, 'ok');
    const ended = await eightAtOnce(adapters, (adapter) => endOpen(adapter, manual!));
    assert.equal(ended.filter(Boolean).length, 1);
    assert.equal((await stepOf(storage, runId, 'b')).ok, 1);
    assert.deepEqual(await runAll(storage, worker), ['b']);
  },

  'a result that comes as its worker is taken for dead counts, or the next attempt does': async ({
    storage,
    open,
    clock,
  }) => {
    const adapters = [storage, await open()];
    for (let round = 0; round < rounds; round++) {
      const steps = [step('a', [], { policies: { maxLost: 2 } }), step('b', ['a'])];
      const { runId, worker } = await openFlow(storage, steps, { job: { id: `job-${round}` } });
      const dying = await startWorker(storage, { leaseMs: minute });
      const { a } = await claimSteps(storage, dying);
      await clock.advance(2 * minute);
      const settlement = await settlementOf(storage, a);
      const [accepted] = await Promise.all([accepts(adapters[0], [settlement]), adapters[1].releaseLost()]);
      await storage.releaseLost();
      const ran = await runAll(storage, worker);
      assert.deepEqual(ran, accepted.length === 1 ? ['b'] : ['a', 'b']);
      assert.equal((await stepOf(storage, runId, 'b')).ok, 1);
      await assertOver(storage, runId, 'succeeded', { b: null });
    }
  },

  'a flow that is cancelled as its last step ends has one verdict, and so has its run': async ({
    storage,
    open,
  }) => {
    const adapters = [storage, await open()];
    for (let round = 0; round < rounds; round++) {
      const { runId, worker } = await openFlow(storage, [step('a')], { job: { id: `job-${round}` } });
      const { a } = await claimSteps(storage, worker);
      const [answer] = await Promise.all([
        adapters[(round + 1) % 2].cancelRun(runId),
        settle(adapters[round % 2], a),
      ]);
      const { verdict } = await flowOf(storage, runId);
      const { outcome } = await verdictOf(storage, runId);
      assert.deepEqual(
        [verdict, outcome],
        answer === null ? ['succeeded', 'succeeded'] : ['cancelled', 'cancelled'],
      );
      assert.equal((await stepOf(storage, runId, 'a')).state, 'succeeded');
    }
  },

  'a flow that is cancelled as a step ends has released its child before, or never does': async ({
    storage,
    open,
  }) => {
    const adapters = [storage, await open()];
    for (let round = 0; round < rounds; round++) {
      const { runId, worker } = await openFlow(storage, [step('a'), step('b', ['a'])], {
        job: { id: `job-${round}` },
      });
      const { a } = await claimSteps(storage, worker);
      await Promise.all([
        settle(adapters[round % 2], a),
        adapters[(round + 1) % 2].deleteJob(ref(`job-${round}`)),
      ]);
      assert.deepEqual(await statesOf(storage, runId), { a: 'succeeded', b: 'cancelled' });
      assert.deepEqual(await claimSteps(storage, worker), {});
      assert.deepEqual((await storage.queryRuns({}, {})).items, []);
    }
  },

  'what is born as the flow is paused is held': async ({ storage, open }) => {
    const adapters = [storage, await open()];
    for (let round = 0; round < rounds; round++) {
      const { runId, worker } = await openFlow(storage, [step('a'), step('b', ['a'])], {
        job: { id: `job-${round}` },
      });
      const { a } = await claimSteps(storage, worker);
      await Promise.all([settle(adapters[round % 2], a), adapters[(round + 1) % 2].flows!.pauseFlow(runId)]);
      assert.deepEqual(await claimSteps(storage, worker), {});
      await storage.flows!.resumeFlow(runId);
      assert.deepEqual(await runAll(storage, worker), ['b']);
    }
  },

  'a step that is added after one that ends at that moment is released': async ({ storage, open }) => {
    const adapters = [storage, await open()];
    for (let round = 0; round < rounds; round++) {
      const { runId, worker } = await openFlow(storage, [step('a'), step('b')], {
        job: { id: `job-${round}` },
      });
      const { a, b } = await claimSteps(storage, worker);
      const flowStep = { added: [step('x', ['b'])] };
      await Promise.all([settle(adapters[round % 2], a, { flowStep }), settle(adapters[(round + 1) % 2], b)]);
      assert.deepEqual(await runAll(storage, worker), ['x']);
      await assertOver(storage, runId, 'succeeded', { a: null, x: null });
    }
  },

  'the ends of a wide graph, in any order and company, are each counted once': async ({ storage, open }) => {
    const adapters = [storage, await open()];
    for (let round = 0; round < rounds; round++) {
      const seed = Math.floor(Math.random() * 2 ** 32);
      const shuffled = dice(seed);
      const first = Array.from({ length: 12 }, (_, nth) => `a${nth}`);
      const second = Array.from({ length: 6 }, (_, nth) => `b${nth}`);
      const { runId, worker } = await openFlow(
        storage,
        [
          ...first.map((name) => step(name)),
          ...second.map((name, nth) =>
            step(name, shuffled(first).slice(0, 4), { need: 1 + (nth % 4), otherwise: 'run' }),
          ),
          step('all', second),
        ],
        { job: { id: `job-${round}` } },
      );
      const told = `seed ${seed}`;
      for (
        let runs = await claimSteps(storage, worker);
        Object.keys(runs).length > 0;
        runs = await claimSteps(storage, worker)
      ) {
        const order = shuffled(Object.values(runs));
        const bad = new Set(
          shuffled(order)
            .slice(0, order.length / 3)
            .filter(({ flowStep }) => flowStep!.name !== 'all'),
        );
        const batches: (typeof order)[] = [];
        while (order.length > 0) batches.push(order.splice(0, 1 + (batches.length % 3)));
        await Promise.all(
          batches.map(async (batch, nth) => {
            const settlements = await Promise.all(
              batch.map((run) => settlementOf(storage, run, bad.has(run) ? { outcome: 'failed' } : {})),
            );
            const accepted = await accepts(adapters[nth % 2], settlements);
            assert.equal(accepted.length, batch.length, told);
          }),
        );
      }
      const states = await statesOf(storage, runId);
      for (const name of second) {
        const { after, ok, bad } = await stepOf(storage, runId, name);
        assert.equal(ok, after.filter(({ parent }) => states[parent] === 'succeeded').length, told);
        assert.equal(bad, 4 - ok, told);
        assert.ok(['succeeded', 'failed'].includes(states[name]), told);
      }
      const isGood = Object.values(states).every((state) => state === 'succeeded');
      assert.equal((await flowOf(storage, runId)).verdict, isGood ? 'succeeded' : 'failed', told);
      await verdictOf(storage, runId);
    }
  },

  'workers that claim at once never get a step twice': async ({ storage, open }) => {
    const adapters = [storage, await open()];
    const { worker } = await openFlow(storage, [step('list'), step('each', ['list'], { map: true })]);
    const { list } = await claimSteps(storage, worker);
    await settle(storage, list, { result: Array.from({ length: 40 }, (_, nth) => nth) });
    const others = await Promise.all(Array.from({ length: 8 }, () => startWorker(storage)));
    const claims = await eightAtOnce(adapters, (adapter, nth) => adapter.claim(others[nth], 10));
    const items = claims.flatMap(({ runs }) => runs.map(({ payload }) => payload));
    assert.equal(new Set(items).size, items.length);
  },
});
