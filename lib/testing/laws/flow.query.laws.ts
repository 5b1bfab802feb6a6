import assert from 'node:assert/strict';
import { InvalidOptionError, type FlowStep } from '../../index.js';
import { day, hour, pruneAll, ref, runsOf, settle, settlementOf } from './fixture.js';
import {
  assertOver,
  claimSteps,
  endOpen,
  flowLawsOf,
  flowOf,
  keyOf,
  openAs,
  openFlow,
  runAll,
  step,
  stepOf,
  stepsOf,
  verdictOf,
} from './flow.fixture.js';

export const flowQueryLaws = flowLawsOf('queries of flows', {
  'flows are found by workflow, namespace and state, the newest first, by pages': async (
    { storage },
    flows,
  ) => {
    const ids: string[] = [];
    for (const [nth, outcome] of ['succeeded', 'failed', 'cancelled', 'active', 'active'].entries()) {
      const namespace = nth === 4 ? 'tenant' : 'default';
      const workflow = nth % 2 === 0 ? 'even' : 'odd';
      const { runId, worker } = await openFlow(storage, [step('a')], {
        workflow,
        job: { id: `job-${nth}`, namespace },
      });
      ids.push(runId);
      const { a } = await claimSteps(storage, worker);
      if (outcome === 'cancelled') await storage.cancelRun(runId);
      if (outcome !== 'active') await settle(storage, a, { outcome: outcome as 'succeeded' });
    }
    const found = async (filter: Parameters<typeof flows.queryFlows>[0]): Promise<number[]> =>
      (await flows.queryFlows(filter, {})).items.map(({ runId }) => ids.indexOf(runId));
    assert.deepEqual(await found({}), [4, 3, 2, 1, 0]);
    assert.deepEqual(await found({ workflow: 'even' }), [4, 2, 0]);
    assert.deepEqual(await found({ namespace: 'tenant' }), [4]);
    assert.deepEqual(await found({ state: 'active' }), [4, 3]);
    assert.deepEqual(await found({ state: 'succeeded' }), [0]);
    assert.deepEqual(await found({ state: 'failed', workflow: 'odd' }), [1]);
    assert.deepEqual(await found({ state: 'cancelled', namespace: 'default' }), [2]);
    assert.deepEqual(await found({ workflow: 'none' }), []);
    const seen: number[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = await flows.queryFlows({}, { limit: 2, ...(cursor && { cursor }) });
      assert.ok(page.items.length <= 2);
      seen.push(...page.items.map(({ runId }) => ids.indexOf(runId)));
      ({ cursor } = page);
    }
    assert.deepEqual(seen, [4, 3, 2, 1, 0]);
    const [whole] = (await flows.queryFlows({ namespace: 'tenant' }, {})).items;
    assert.deepEqual(whole, await flowOf(storage, ids[4]));
    await assert.rejects(() => flows.queryFlows({}, { cursor: 'nonsense' }), InvalidOptionError);
  },

  'steps are found by name, instances or none, by pages in the order of storing': async (
    { storage },
    flows,
  ) => {
    const steps = [step('z'), step('each', ['z'], { map: true }), step('a', ['each']), step('other')];
    const { runId, worker } = await openFlow(storage, steps);
    await runAll(storage, worker, (key) => ({ result: key === 'z' ? [1, 2, 3] : key }));
    const all = ['z', 'each', 'each.0', 'each.1', 'each.2', 'a', 'other'];
    const found = async (filter: Parameters<typeof flows.queryFlowSteps>[1]): Promise<string[]> =>
      (await stepsOf(storage, runId, filter)).map(keyOf);
    assert.deepEqual(await found({}), all);
    assert.deepEqual(await found({ names: ['other', 'each'] }), [
      'each',
      'each.0',
      'each.1',
      'each.2',
      'other',
    ]);
    assert.deepEqual(await found({ names: [] }), []);
    assert.deepEqual(await found({ instances: true }), ['each.0', 'each.1', 'each.2']);
    assert.deepEqual(await found({ instances: false }), ['z', 'each', 'a', 'other']);
    assert.deepEqual(await found({ names: ['each'], instances: false }), ['each']);
    const seen: FlowStep[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = await flows.queryFlowSteps(
        runId,
        { results: true },
        { limit: 2, ...(cursor && { cursor }) },
      );
      assert.ok(page!.items.length <= 2);
      seen.push(...page!.items);
      ({ cursor } = page!);
    }
    assert.deepEqual(seen.map(keyOf), all);
    assert.deepEqual(
      seen.map(({ result }) => result),
      [[1, 2, 3], null, 'each.0', 'each.1', 'each.2', 'a', 'other'],
    );
  },

  'pages with results are cut by their size, and lose nothing': async ({ storage }, flows) => {
    const { runId, worker } = await openFlow(storage, [step('list'), step('each', ['list'], { map: true })]);
    const text = (key: string): string => `${key} ${'x'.repeat(900_000)}`;
    await runAll(storage, worker, (key) => ({
      result: key === 'list' ? Array.from({ length: 11 }, (_, nth) => nth) : text(key),
    }));
    let pages = 0;
    const seen: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null; pages++) {
      const page = await flows.queryFlowSteps(
        runId,
        { results: true, instances: true },
        { limit: 1_000, ...(cursor && { cursor }) },
      );
      for (const each of page!.items) {
        assert.equal(each.result, text(keyOf(each)));
        seen.push(keyOf(each));
      }
      ({ cursor } = page!);
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 11 }, (_, nth) => `each.${nth}`),
    );
    assert.ok(pages > 1, 'There should be several pages.');
    assert.equal((await stepsOf(storage, runId, { instances: true })).length, 11);
  },

  'a verdict in a transaction of the caller releases by its commit only': async ({
    storage,
    transaction,
  }) => {
    if (!storage.joined || !transaction) return;
    const manual = step('ok', [], { kind: 'manual' });
    const { runId, worker } = await openFlow(storage, [manual, step('b', ['ok'])]);
    const { runId: asked } = await stepOf(storage, runId, 'ok');
    const rolledBack = transaction(async (manager) => {
      const store = await storage.joined!(manager);
      assert.equal(await endOpen(store!, asked!), true);
      throw new Error('rolled back');
    });
    await assert.rejects(rolledBack, /rolled back/);
    assert.equal((await stepOf(storage, runId, 'ok')).state, 'released');
    assert.deepEqual(await claimSteps(storage, worker), {});
    await transaction(async (manager) => {
      const store = await storage.joined!(manager);
      assert.equal(await endOpen(store!, asked!), true);
      assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    });
    assert.deepEqual(await runAll(storage, worker), ['b']);
    await assertOver(storage, runId, 'succeeded', { b: null });
  },

  'a cancel in a transaction of the caller is one by its commit only': async ({ storage, transaction }) => {
    if (!storage.joined || !transaction) return;
    const { runId, worker } = await openFlow(storage, [step('a'), step('b', ['a'])]);
    const rolledBack = transaction(async (manager) => {
      await (await storage.joined!(manager))!.cancelRun(runId);
      throw new Error('rolled back');
    });
    await assert.rejects(rolledBack, /rolled back/);
    assert.equal((await flowOf(storage, runId)).verdict, null);
    await transaction(async (manager) => {
      assert.equal(await (await storage.joined!(manager))!.cancelRun(runId), 'cancelled');
    });
    assert.equal((await flowOf(storage, runId)).verdict, 'cancelled');
    assert.deepEqual(await claimSteps(storage, worker), {});
  },
});

export const flowPruneLaws = flowLawsOf('forgetting flows', {
  'those that were over before a time go, the oldest first, as many as asked': async (
    { storage, clock },
    flows,
  ) => {
    const ids: string[] = [];
    for (let nth = 0; nth < 4; nth++) {
      const { runId, worker } = await openFlow(storage, [step('a')], { job: { id: `job-${nth}` } });
      ids.push(runId);
      if (nth === 3) break;
      await runAll(storage, worker);
      await clock.advance(hour);
    }
    const left = async (): Promise<number[]> =>
      (await flows.queryFlows({}, {})).items.map(({ runId }) => ids.indexOf(runId));
    const ends = await Promise.all(ids.slice(0, 3).map(async (id) => (await flowOf(storage, id)).endedAt!));
    assert.equal(await flows.pruneFlows(ends[0], 10), 0);
    assert.equal(await flows.pruneFlows(ends[1] + 1, 1), 1);
    assert.deepEqual(await left(), [3, 2, 1]);
    assert.equal(await flows.pruneFlows(ends[1] + 1, 10), 1);
    assert.deepEqual(await left(), [3, 2]);
    assert.equal(await flows.getFlow(ids[0]), null);
    assert.equal(await flows.queryFlowSteps(ids[0], {}, {}), null);
    await clock.advance(100 * day);
    assert.equal(await flows.pruneFlows(await storage.now(), 10), 1);
    assert.deepEqual(await left(), [3], 'What goes on stays.');
  },

  'they go with the record, by the longest time of all': async ({ storage, clock }) => {
    const { runId, worker } = await openFlow(storage, [step('a')], { job: { id: 'one' } });
    await runAll(storage, worker);
    const { runId: other } = await openFlow(storage, [step('a', [], { delayMs: 300 * day })], {
      job: { id: 'other' },
    });
    await clock.advance(3 * day);
    await pruneAll(storage, { succeeded: hour, failed: 4 * day }, day);
    await flowOf(storage, runId);
    await clock.advance(2 * day);
    await pruneAll(storage, { succeeded: hour, failed: 4 * day }, day);
    assert.equal(await storage.flows!.getFlow(runId), null);
    assert.deepEqual((await flowOf(storage, other)).counts, { released: 1 });
  },

  'what goes on keeps its steps, and what they come after, however long ago these have ended': async (
    { storage, clock },
    flows,
  ) => {
    const steps = [step('a'), step('b', ['a'], { delayMs: 200 * day }), step('c', ['a', 'b'])];
    const { runId, worker } = await openFlow(storage, steps);
    await runAll(storage, worker, () => ({ result: 'kept' }));
    await clock.advance(100 * day);
    await pruneAll(storage, {}, hour);
    assert.equal(await flows.pruneFlows(await storage.now(), 10, true), 0);
    assert.equal((await stepOf(storage, runId, 'a')).result, 'kept');
    const { after, ok } = await stepOf(storage, runId, 'c');
    assert.deepEqual([after.map(({ parent }) => parent), ok], [['a', 'b'], 1]);
    await clock.advance(101 * day);
    assert.deepEqual(await runAll(storage, worker), ['b', 'c']);
    assert.equal((await flowOf(storage, runId)).verdict, 'succeeded');
  },

  'a part of what goes on stays, with its results': async ({ storage, clock }, flows) => {
    const { runId, worker } = await openFlow(storage, [
      step('sub'),
      step('late', ['sub'], { delayMs: 200 * day }),
    ]);
    const { sub } = await claimSteps(storage, worker);
    await openAs(storage, sub, [step('deep')]);
    const { deep } = await claimSteps(storage, worker);
    await openAs(storage, deep, [step('a')]);
    await runAll(storage, worker, () => ({ result: 'kept' }));
    await clock.advance(100 * day);
    await pruneAll(storage, {}, hour);
    assert.equal(await flows.pruneFlows(await storage.now(), 10), 0);
    assert.equal((await stepOf(storage, deep.id, 'a')).result, 'kept');
    assert.deepEqual((await stepOf(storage, runId, 'sub')).result, { deep: { a: 'kept' } });
    await clock.advance(101 * day);
    await runAll(storage, worker);
    await clock.advance(day);
    let gone = 0;
    for (let more = 1; more > 0; gone += more) more = await flows.pruneFlows(await storage.now(), 10);
    assert.equal(gone, 3);
  },

  'one that is ending stays, with what still runs of it': async ({ storage, clock }, flows) => {
    const { runId, worker } = await openFlow(storage, [step('a'), step('b', ['a'])]);
    const { a } = await claimSteps(storage, worker);
    await storage.deleteJob(ref('job'));
    await clock.advance(hour);
    assert.equal(await flows.pruneFlows(await storage.now(), 10), 0);
    await settle(storage, a, { retryInMs: 0, outcome: 'failed' });
    assert.equal((await verdictOf(storage, a.id)).outcome, 'failed');
    assert.deepEqual((await storage.queryRuns({}, {})).items, []);
    await clock.advance(hour);
    assert.equal(await flows.pruneFlows(await storage.now(), 10), 1);
    assert.equal(await flows.getFlow(runId), null);
  },

  'a dead letter outlives it, and can be retried as a run': async ({ storage, clock }, flows) => {
    const { runId, worker } = await openFlow(storage, [step('a')]);
    await runAll(storage, worker, () => ({ outcome: 'failed' }));
    await clock.advance(hour);
    assert.equal(await flows.pruneFlows(await storage.now(), 10), 1);
    assert.equal((await runsOf(storage)).length, 1);
    assert.equal(await flows.retryFlow(runId, null), null);
    const [again] = await storage.retryRuns([runId]);
    const [run] = (await storage.claim(worker, 10)).runs;
    assert.deepEqual([run.id, run.flowStep], [again.id, undefined]);
  },

  'there is nothing to reconcile where every end was told': async ({ storage }, flows) => {
    const { runId, worker } = await openFlow(storage, [step('a'), step('b', ['a'], { delayMs: hour })]);
    const { a } = await claimSteps(storage, worker);
    await storage.settle([await settlementOf(storage, a)]);
    assert.equal(await flows.reconcileFlows(), 0);
    assert.deepEqual((await flowOf(storage, runId)).counts, { succeeded: 1, released: 1 });
  },
});
