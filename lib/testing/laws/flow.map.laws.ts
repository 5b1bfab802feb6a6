import assert from 'node:assert/strict';
import type { JsonValue, NewFlowStep, Settlement } from '../../index.js';
import { accepts, claimOne, hour, minute, ref, settle, settlementOf, startWorker } from './fixture.js';
import {
  assertOver,
  claimSteps,
  endOpen,
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

const map = (name: string, after: readonly string[], given: Partial<NewFlowStep> = {}): NewFlowStep =>
  step(name, after, { map: true, ...given });

/** Gives the results that stand here, by the keys of the steps. */
const giving =
  (results: Record<string, JsonValue>) =>
  (key: string): Partial<Settlement> => ({ result: results[key] ?? null });

export const flowMapLaws = flowLawsOf('maps in flows', {
  'a map has one instance for each item, in their order, each with its item': async ({ storage }) => {
    const { runId, worker } = await openFlow(
      storage,
      [step('list'), map('each', ['list'], { priority: 1 }), step('sum', ['each'])],
      { params: 'of flow' },
    );
    assert.deepEqual(await statesOf(storage, runId), { list: 'released', each: 'waiting', sum: 'waiting' });
    const items = [{ row: 1 }, 'two', null, 4, []];
    await runNext(storage, worker, { result: items });
    const steps = await stepsOf(storage, runId);
    assert.deepEqual(steps.map(keyOf), [
      'list',
      'each',
      'each.0',
      'each.1',
      'each.2',
      'each.3',
      'each.4',
      'sum',
    ]);
    const [, each, first] = steps;
    assert.deepEqual([each.map, each.nth, each.runId, each.state], [true, null, null, 'released']);
    assert.deepEqual([first.map, first.nth, first.after, first.need], [false, 0, [], 0]);
    assert.ok(each.releasedAt !== null && first.releasedAt !== null);
    assert.deepEqual((await flowOf(storage, runId)).counts, { succeeded: 1, released: 6, waiting: 1 });
    const runs = await claimSteps(storage, worker);
    assert.equal(Object.keys(runs).length, 5);
    for (const [nth, item] of items.entries()) {
      const run = runs[`each.${nth}`];
      assert.deepEqual(run.payload, item);
      assert.deepEqual(run.flowStep, {
        flowRunId: runId,
        workflow: 'nightly',
        version: null,
        name: 'each',
        nth,
        depth: 1,
        place: run.flowStep!.place,
        params: 'of flow',
      });
      assert.deepEqual([run.jobId, run.priority], [`${runId}/each.${nth}`, 1]);
      await settle(storage, run, { result: nth });
      assert.equal((await stepOf(storage, runId, `each.${nth}`)).result, nth);
      const { state, ok } = await stepOf(storage, runId, 'sum');
      assert.deepEqual([state, ok], nth < 4 ? ['waiting', 0] : ['released', 1]);
    }
    const ended = await stepOf(storage, runId, 'each');
    assert.deepEqual([ended.state, ended.result], ['succeeded', null]);
    assert.deepEqual(await runAll(storage, worker), ['sum']);
    await assertOver(storage, runId, 'succeeded', { sum: null });
  },

  'a map that nothing comes after gives the results of its instances to the run': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('list'), map('each', ['list'])]);
    await runAll(storage, worker, giving({ list: ['a', 'b', 'c'], 'each.0': 1, 'each.2': { x: 3 } }));
    await assertOver(storage, runId, 'succeeded', { each: [1, null, { x: 3 }] });
  },

  'instances may end by one call, or one after the other, in any order': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [
      step('list'),
      map('each', ['list']),
      step('sum', ['each']),
    ]);
    await runNext(storage, worker, { result: Array.from({ length: 20 }, (_, nth) => nth) });
    const runs = Object.values(await claimSteps(storage, worker)).toReversed();
    await settle(storage, runs[0]);
    const rest = await Promise.all(runs.slice(1).map((run) => settlementOf(storage, run)));
    assert.equal((await accepts(storage, rest.slice(0, 10))).length, 10);
    assert.equal((await stepOf(storage, runId, 'sum')).state, 'waiting');
    assert.equal((await accepts(storage, rest)).length, 9);
    assert.deepEqual(await runAll(storage, worker), ['sum']);
  },

  'an empty map is skipped, and what only it leads to': async ({ storage }) => {
    const steps = [
      step('list'),
      map('each', ['list']),
      step('sum', ['each']),
      step('join', ['list', 'each']),
    ];
    const { runId, worker } = await openFlow(storage, steps);
    assert.deepEqual(await runAll(storage, worker, giving({ list: [] })), ['list', 'join']);
    assert.deepEqual(await statesOf(storage, runId), {
      list: 'succeeded',
      each: 'skipped',
      sum: 'skipped',
      join: 'succeeded',
    });
    await assertOver(storage, runId, 'succeeded', { sum: null, join: null });
  },

  'a map over what was skipped is skipped, although others have run': async ({ storage }) => {
    const each = map('each', ['list'], {
      after: [
        { parent: 'list', data: true },
        { parent: 'ok', data: false },
      ],
      need: 2,
    });
    const { runId, worker } = await openFlow(storage, [step('list'), step('ok'), each]);
    await runAll(storage, worker, (key) => (key === 'list' ? { flowStep: { skipped: 'no' } } : {}));
    assert.equal((await stepOf(storage, runId, 'each')).state, 'skipped');
    await assertOver(storage, runId, 'succeeded', { each: null });
  },

  'what is no array fails the map': async ({ storage }) => {
    for (const result of [null, 7, 'text', { length: 3 }, true]) {
      const steps = [step('list'), map('each', ['list']), step('sum', ['each'], { otherwise: 'run' })];
      const { runId, worker } = await openFlow(storage, steps);
      assert.deepEqual(await runAll(storage, worker, giving({ list: result })), ['list', 'sum']);
      const { state, reason, runId: none } = await stepOf(storage, runId, 'each');
      assert.deepEqual([state, none], ['failed', null]);
      assert.match(reason!, /list/);
      await assertOver(storage, runId, 'failed');
      await storage.deleteJob(ref('job'));
    }
  },

  'a map that runs although its list has failed has none': async ({ storage }) => {
    const steps = [step('list'), map('each', ['list'], { otherwise: 'run' })];
    const { runId, worker } = await openFlow(storage, steps);
    await runAll(storage, worker, () => ({ outcome: 'failed' }));
    assert.deepEqual(await statesOf(storage, runId), { list: 'failed', each: 'failed' });
  },

  'a map without a list tells why its parent gives none, and how to try that again': async ({ storage }) => {
    const list = step('list', [], { allowFailure: true });
    const { runId, worker } = await openFlow(storage, [list, map('each', ['list'])]);
    await runAll(storage, worker, () => ({ outcome: 'failed', error: 'the source is down\n  at a.ts' }));
    const { state, reason } = await stepOf(storage, runId, 'each');
    assert.deepEqual(
      [state, reason],
      [
        'failed',
        'The step "list" is failed (the source is down), so there is no list. A retry with { from: "list" } runs that again.',
      ],
    );
    const { id } = (await storage.flows!.retryFlow(runId, ['list']))!;
    await runAll(storage, worker, giving({ list: [1] }));
    await assertOver(storage, id, 'succeeded', { each: [null] });
  },

  'a map that may begin before its list is there has none': async ({ storage }) => {
    const each = map('each', ['list', 'ok'], {
      after: [
        { parent: 'list', data: true },
        { parent: 'ok', data: false },
      ],
      need: 1,
    });
    const { runId, worker } = await openFlow(storage, [step('list'), step('ok'), each]);
    await settle(storage, (await claimSteps(storage, worker)).ok);
    const { state, reason } = await stepOf(storage, runId, 'each');
    assert.deepEqual([state, reason], ['failed', 'The step "list" has not ended, so there is no list.']);
  },

  'a map fails when all its instances have ended and one of them not well': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [
      step('list'),
      map('each', ['list']),
      step('sum', ['each']),
    ]);
    await runNext(storage, worker, { result: [1, 2, 3] });
    const runs = await claimSteps(storage, worker);
    await settle(storage, runs['each.1'], { outcome: 'failed', error: 'boom' });
    await settle(storage, runs['each.0'], { flowStep: { skipped: 'no' } });
    assert.equal((await stepOf(storage, runId, 'each')).state, 'released');
    assert.equal((await flowOf(storage, runId)).verdict, null);
    await settle(storage, runs['each.2']);
    assert.deepEqual(await statesOf(storage, runId), {
      list: 'succeeded',
      each: 'failed',
      'each.0': 'skipped',
      'each.1': 'failed',
      'each.2': 'succeeded',
      sum: 'blocked',
    });
    const row = await assertOver(storage, runId, 'failed');
    assert.match(row.error!, /each.*sum/);
    assert.equal((await stepOf(storage, runId, 'each.1')).reason, 'boom');
  },

  'a map whose instances may fail has ended well': async ({ storage }) => {
    const steps = [step('list'), map('each', ['list'], { allowFailure: true }), step('sum', ['each'])];
    const { runId, worker } = await openFlow(storage, steps);
    const ran = await runAll(storage, worker, (key) => {
      if (key === 'list') return { result: [1, 2] };
      return key === 'each.0' ? { outcome: 'failed' } : { result: 'ok' };
    });
    assert.deepEqual(ran, ['list', 'each.0', 'each.1', 'sum']);
    assert.deepEqual(await statesOf(storage, runId), {
      list: 'succeeded',
      each: 'succeeded',
      'each.0': 'failed',
      'each.1': 'succeeded',
      sum: 'succeeded',
    });
    await assertOver(storage, runId, 'succeeded', { sum: 'ok' });
  },

  'a map over a map has one instance for each of its results': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [
      step('list'),
      map('double', ['list']),
      map('show', ['double']),
      step('end', ['show']),
    ]);
    await runNext(storage, worker, { result: [1, 2, 3] });
    const doubles = await claimSteps(storage, worker);
    for (const run of Object.values(doubles).toReversed()) {
      assert.equal((await stepOf(storage, runId, 'show')).state, 'waiting');
      const skips = run.payload === 2;
      await settle(
        storage,
        run,
        skips ? { flowStep: { skipped: 'even' } } : { result: Number(run.payload) * 2 },
      );
    }
    const shows = await claimSteps(storage, worker);
    assert.deepEqual(
      ['show.0', 'show.1', 'show.2'].map((key) => shows[key].payload),
      [2, null, 6],
    );
    for (const run of Object.values(shows)) await settle(storage, run);
    assert.deepEqual(await runAll(storage, worker), ['end']);
    await assertOver(storage, runId, 'succeeded', { end: null });
  },

  'a map over a map that was empty is skipped': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [
      step('list'),
      map('one', ['list']),
      map('two', ['one']),
    ]);
    await runAll(storage, worker, giving({ list: [] }));
    assert.deepEqual(await statesOf(storage, runId), { list: 'succeeded', one: 'skipped', two: 'skipped' });
    await assertOver(storage, runId, 'succeeded', { two: null });
  },

  'a map counts once for a child that needs some of its parents': async ({ storage }) => {
    const steps = [step('list'), step('slow'), map('each', ['list']), step('two', ['each', 'slow'])];
    const { runId, worker } = await openFlow(storage, steps);
    const { list, slow } = await claimSteps(storage, worker);
    await settle(storage, list, { result: [1, 2, 3] });
    assert.deepEqual(await runAll(storage, worker), ['each.0', 'each.1', 'each.2']);
    const { ok, state } = await stepOf(storage, runId, 'two');
    assert.deepEqual([ok, state], [1, 'waiting']);
    await settle(storage, slow);
    assert.deepEqual(await runAll(storage, worker), ['two']);
  },

  'a map has ten thousand instances, and fails where there are more items': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [
      step('list'),
      map('each', ['list']),
      step('long'),
      map('over', ['long']),
      step('behind', ['over']),
    ]);
    const { list, long } = await claimSteps(storage, worker);
    await settle(storage, long, { result: Array.from({ length: 10_001 }, () => 0) });
    const { state, reason } = await stepOf(storage, runId, 'over');
    assert.deepEqual(
      [state, reason],
      ['failed', 'The result of the step "long" has 10001 items, and a map 10000 instances at most.'],
    );
    assert.deepEqual((await flowOf(storage, runId)).counts, {
      succeeded: 1,
      released: 1,
      failed: 1,
      waiting: 2,
    });
    await settle(storage, list, { result: Array.from({ length: 10_000 }, () => 0) });
    assert.equal((await flowOf(storage, runId)).counts.released, 10_001);
  },

  'instances of a map have its delay, its policies, its kind': async ({ storage, clock }) => {
    const given = { delayMs: hour, policies: { maxRetries: 4 }, handler: 'open' };
    const steps = [
      step('list'),
      map('late', ['list'], given),
      map('ask', ['list'], { kind: 'manual', deadlineMs: hour }),
    ];
    const { runId, worker } = await openFlow(storage, steps);
    await runNext(storage, worker, { result: ['x', 'y'] });
    assert.deepEqual(await claimSteps(storage, worker), {});
    for (const nth of [0, 1]) {
      const { runId: asked, kind } = await stepOf(storage, runId, `ask.${nth}`);
      assert.equal(kind, 'manual');
      assert.equal(await endOpen(storage, asked!, { result: nth }), true);
    }
    assert.equal((await stepOf(storage, runId, 'ask')).state, 'succeeded');
    await clock.advance(hour + minute);
    const late = await claimSteps(storage, worker);
    assert.deepEqual(Object.keys(late).toSorted(), ['late.0', 'late.1']);
    assert.deepEqual([late['late.1'].policies, late['late.1'].handler], [{ maxRetries: 4 }, 'open']);
    for (const run of Object.values(late)) await settle(storage, run);
    await assertOver(storage, runId, 'succeeded', { late: [null, null], ask: [0, 1] });
  },

  'an instance whose worker dies is tried again, with its item': async ({ storage, clock }) => {
    const { runId, worker } = await openFlow(storage, [step('list'), map('each', ['list'])]);
    await runNext(storage, worker, { result: [{ id: 1 }] });
    const dead = await claimOne(storage, await startWorker(storage, { leaseMs: minute }));
    await clock.advance(2 * minute);
    await storage.releaseLost();
    const again = await claimOne(storage, worker);
    assert.deepEqual([again.id, again.payload, again.flowStep], [dead.id, { id: 1 }, dead.flowStep]);
    await settle(storage, again, { result: 'done' });
    await assertOver(storage, runId, 'succeeded', { each: ['done'] });
  },

  'a cancel ends the instances that wait, and the map with the last of them': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [
      step('list'),
      map('each', ['list']),
      step('sum', ['each']),
    ]);
    await runNext(storage, worker, { result: [1, 2, 3] });
    const runs = await claimSteps(storage, worker);
    await settle(storage, runs['each.0'], { result: 'a' });
    await settle(storage, runs['each.1'], { outcome: 'handed_back' });
    await storage.cancelRun(runId);
    const { each, sum, ...instances } = await statesOf(storage, runId);
    assert.deepEqual([each, sum], ['released', 'cancelled']);
    assert.deepEqual(instances, {
      list: 'succeeded',
      'each.0': 'succeeded',
      'each.1': 'cancelled',
      'each.2': 'released',
    });
    await settle(storage, runs['each.2']);
    assert.equal((await stepOf(storage, runId, 'each')).state, 'failed');
    assert.equal((await stepOf(storage, runId, 'sum')).state, 'cancelled');
    assert.equal((await flowOf(storage, runId)).verdict, 'cancelled');
    assert.deepEqual(await claimSteps(storage, worker), {});
  },

  'a fan-out of a thousand is born by one end, and counted one by one': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [
      step('list'),
      map('each', ['list']),
      step('sum', ['each']),
    ]);
    await runNext(storage, worker, { result: Array.from({ length: 1_000 }, (_, nth) => nth) });
    assert.deepEqual((await flowOf(storage, runId)).counts, { succeeded: 1, released: 1_001, waiting: 1 });
    const runs: Awaited<ReturnType<typeof claimSteps>>[] = [];
    while (Object.keys(runs.at(-1) ?? { first: true }).length > 0)
      runs.push(await claimSteps(storage, worker));
    const all = runs.flatMap((some) => Object.values(some));
    assert.equal(new Set(all.map(({ payload }) => payload)).size, 1_000);
    const settlements = await Promise.all(
      all.map((run) => settlementOf(storage, run, { result: run.payload })),
    );
    for (let from = 0; from < 1_000; from += 100) {
      assert.equal((await stepOf(storage, runId, 'sum')).state, 'waiting');
      assert.equal((await accepts(storage, settlements.slice(from, from + 100))).length, 100);
    }
    assert.deepEqual(await runAll(storage, worker), ['sum']);
    const results: JsonValue[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = await storage.flows!.queryFlowSteps(
        runId,
        { names: ['each'], instances: true, results: true },
        { limit: 300, ...(cursor && { cursor }) },
      );
      results.push(...page!.items.map(({ result }) => result));
      ({ cursor } = page!);
    }
    assert.deepEqual(
      results,
      Array.from({ length: 1_000 }, (_, nth) => nth),
    );
  },
});
