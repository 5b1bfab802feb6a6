import assert from 'node:assert/strict';
import {
  flowResultNotKept,
  InvalidOptionError,
  maxFlowResult,
  type Capability,
  type ClaimedRun,
  type StorageAdapter,
} from '../../index.js';
import { claimOne, day, hour, settle } from './fixture.js';
import {
  assertOver,
  claimSteps,
  endOpen,
  flowLawsOf,
  flowOf,
  openAs,
  openFlow,
  runAll,
  statesOf,
  step,
  stepOf,
  verdictOf,
} from './flow.fixture.js';

interface Levels {
  runIds: [outer: string, middle: string, inner: string];
  worker: Capability;
  leaf: ClaimedRun;
}

/** Three graphs, each the step `sub` of the one above, and the step of the last in the hands of a worker. */
async function threeLevels(storage: StorageAdapter): Promise<Levels> {
  const steps = [step('sub'), step('after', ['sub']), step('report', ['sub'], { otherwise: 'run' })];
  const { runId, worker } = await openFlow(storage, steps, { workflow: 'outer' });
  const middle = await claimOne(storage, worker);
  await openAs(storage, middle, steps, { workflow: 'middle' });
  const inner = await claimOne(storage, worker);
  await openAs(storage, inner, [step('leaf'), step('last', ['leaf'])], { workflow: 'inner' });
  return { runIds: [runId, middle.id, inner.id], worker, leaf: await claimOne(storage, worker) };
}

export const flowNestedLaws = flowLawsOf('flows in flows', {
  'a step that opens as a graph ends with it, and its result is that of the step': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('sub'), step('after', ['sub'])]);
    const sub = await claimOne(storage, worker);
    await openAs(storage, sub, [step('a'), step('b', ['a'])], { workflow: 'part' });
    assert.deepEqual(await statesOf(storage, runId), { sub: 'released', after: 'waiting' });
    assert.deepEqual(await statesOf(storage, sub.id), { a: 'released', b: 'waiting' });
    assert.deepEqual(await runAll(storage, worker, (key) => ({ result: `of ${key}` })), ['a', 'b', 'after']);
    assert.deepEqual((await stepOf(storage, runId, 'sub')).result, { b: 'of b' });
    await assertOver(storage, sub.id, 'succeeded', { b: 'of b' });
    await assertOver(storage, runId, 'succeeded', { after: 'of after' });
    const { items } = await storage.flows!.queryFlows({}, {});
    assert.deepEqual(
      items.map((flow) => flow.runId),
      [sub.id, runId],
    );
  },

  'are held with what they are steps of, those that open meanwhile as well': async ({ storage }, flows) => {
    const { runId, worker } = await openFlow(storage, [step('sub'), step('late'), step('after', ['sub'])]);
    const { sub, late } = await claimSteps(storage, worker);
    await openAs(storage, sub!, [step('a'), step('b', ['a']), step('deep')]);
    const { a, deep } = await claimSteps(storage, worker);
    await openAs(storage, deep!, [step('c')]);
    assert.equal(await flows.pauseFlow(runId), true);
    await settle(storage, a!);
    await openAs(storage, late!, [step('d')]);
    assert.deepEqual(await claimSteps(storage, worker), {});
    for (const run of [sub, deep, late]) assert.notEqual((await flowOf(storage, run!.id)).pausedAt, null);
    assert.equal(await flows.resumeFlow(runId), true);
    for (const run of [sub, deep, late]) assert.equal((await flowOf(storage, run!.id)).pausedAt, null);
    assert.deepEqual((await runAll(storage, worker)).toSorted(), ['after', 'b', 'c', 'd']);
    await assertOver(storage, runId, 'succeeded', { late: { d: null }, after: null });
  },

  'can be held alone, and go on with what they are steps of': async ({ storage }, flows) => {
    const { runId, worker } = await openFlow(storage, [step('sub'), step('other'), step('after', ['sub'])]);
    const { sub, other } = await claimSteps(storage, worker);
    await openAs(storage, sub!, [step('a')]);
    await flows.pauseFlow(sub!.id);
    await settle(storage, other!);
    assert.deepEqual(await claimSteps(storage, worker), {});
    await flows.pauseFlow(runId);
    await flows.resumeFlow(runId);
    assert.deepEqual(await runAll(storage, worker), ['a', 'after']);
  },

  'tell their steps how deep they are': async ({ storage }) => {
    const { worker } = await openFlow(storage, [step('sub')]);
    const outer = await claimOne(storage, worker);
    await openAs(storage, outer, [step('sub'), step('after', ['sub'])]);
    const middle = await claimOne(storage, worker);
    await openAs(storage, middle, [step('leaf')]);
    const leaf = await claimOne(storage, worker);
    assert.deepEqual(
      [outer, middle, leaf].map(({ flowStep }) => flowStep!.depth),
      [1, 2, 3],
    );
  },

  'a result of the whole that is too long is not kept, and its run and the step that it is say so': async ({
    storage,
  }) => {
    const { runId, worker } = await openFlow(storage, [step('sub'), step('after', ['sub'])]);
    const sub = await claimOne(storage, worker);
    await openAs(storage, sub, [step('a'), step('b')], { workflow: 'part' });
    const half = 'x'.repeat(maxFlowResult / 2);
    await runAll(storage, worker, (key) => ({ result: key === 'after' ? 'x'.repeat(maxFlowResult) : half }));
    for (const id of [sub.id, runId]) {
      const row = await assertOver(storage, id, 'succeeded');
      assert.equal(row.error, flowResultNotKept);
    }
    const { state, result, reason } = await stepOf(storage, runId, 'sub');
    assert.deepEqual([state, result, reason], ['succeeded', null, flowResultNotKept]);
    // What fits to the last character is kept.
    const { runId: other } = await openFlow(storage, [step('c')], { job: { id: 'other' } });
    const most = 'x'.repeat(maxFlowResult - JSON.stringify({ c: '' }).length);
    await runAll(storage, worker, () => ({ result: most }));
    assert.equal((await assertOver(storage, other, 'succeeded', { c: most })).error, null);
  },

  'one without steps lets what comes after it go on at once': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('sub'), step('after', ['sub'])]);
    await openAs(storage, await claimOne(storage, worker), []);
    assert.deepEqual(await runAll(storage, worker), ['after']);
    await assertOver(storage, runId, 'succeeded', { after: null });
  },

  'the end of the last step of three levels ends all of them': async ({ storage }) => {
    const { runIds, worker, leaf } = await threeLevels(storage);
    const [outer, middle, inner] = runIds;
    await settle(storage, leaf);
    const last = await claimOne(storage, worker);
    assert.deepEqual([last.flowStep!.name, last.flowStep!.flowRunId], ['last', inner]);
    await settle(storage, last);
    await assertOver(storage, inner, 'succeeded', { last: null });
    assert.deepEqual(await statesOf(storage, middle), {
      sub: 'succeeded',
      after: 'released',
      report: 'released',
    });
    assert.equal((await flowOf(storage, middle)).verdict, null);
    assert.deepEqual(await runAll(storage, worker), ['after', 'report', 'after', 'report']);
    await assertOver(storage, outer, 'succeeded', { after: null, report: null });
  },

  'a failure of the innermost step fails all levels, each by its own rules': async ({ storage }) => {
    const { runIds, worker, leaf } = await threeLevels(storage);
    const [outer, middle, inner] = runIds;
    await settle(storage, leaf, { outcome: 'failed', error: 'boom' });
    await assertOver(storage, inner, 'failed');
    assert.deepEqual(await statesOf(storage, middle), {
      sub: 'failed',
      after: 'waiting',
      report: 'released',
    });
    assert.match((await stepOf(storage, middle, 'sub')).reason!, /leaf/);
    assert.deepEqual(await runAll(storage, worker), ['report', 'report']);
    assert.deepEqual(await statesOf(storage, outer), {
      sub: 'failed',
      after: 'blocked',
      report: 'succeeded',
    });
    await assertOver(storage, middle, 'failed');
    await assertOver(storage, outer, 'failed');
  },

  'a cancel of the outermost run cancels all levels, and asks who runs': async ({ storage }) => {
    const { runIds, worker, leaf } = await threeLevels(storage);
    await storage.cancelRun(runIds[0]);
    for (const runId of runIds) assert.equal((await flowOf(storage, runId)).ending, 'cancelled');
    assert.deepEqual(await statesOf(storage, runIds[0]), {
      sub: 'released',
      after: 'cancelled',
      report: 'cancelled',
    });
    assert.deepEqual(await statesOf(storage, runIds[2]), { leaf: 'released', last: 'cancelled' });
    assert.deepEqual((await storage.renew(worker.workerId, 400 * day, 1)).cancelled, [leaf.id]);
    await settle(storage, leaf);
    for (const runId of runIds) {
      assert.equal((await flowOf(storage, runId)).verdict, 'cancelled');
      assert.equal((await verdictOf(storage, runId)).outcome, 'cancelled');
    }
    assert.equal((await stepOf(storage, runIds[0], 'sub')).state, 'cancelled');
    assert.deepEqual(await claimSteps(storage, worker), {});
  },

  'a cancel of the middle ends it, and what is in it, and the outer goes on by its rules': async ({
    storage,
  }) => {
    const { runIds, worker, leaf } = await threeLevels(storage);
    const [outer, middle, inner] = runIds;
    assert.equal(await storage.cancelRun(middle), 'requested');
    assert.equal((await flowOf(storage, inner)).ending, 'cancelled');
    assert.equal((await stepOf(storage, outer, 'sub')).state, 'released');
    await settle(storage, leaf, { outcome: 'cancelled' });
    assert.deepEqual(await statesOf(storage, outer), {
      sub: 'cancelled',
      after: 'waiting',
      report: 'released',
    });
    assert.deepEqual(await runAll(storage, worker), ['report']);
    await assertOver(storage, outer, 'failed');
  },

  'a deadline of the inner one is a timeout of the step': async ({ storage, clock }) => {
    const { runId, worker } = await openFlow(storage, [
      step('sub'),
      step('report', ['sub'], { otherwise: 'run' }),
    ]);
    const sub = await claimOne(storage, worker);
    await openAs(storage, sub, [step('slow', [], { delayMs: day })], { deadlineInMs: hour });
    await clock.advance(2 * hour);
    await settle(storage, await claimOne(storage, worker), { outcome: 'timed_out' });
    assert.deepEqual(await statesOf(storage, runId), { sub: 'timed_out', report: 'released' });
    assert.deepEqual(await statesOf(storage, sub.id), { slow: 'cancelled' });
  },

  'a verdict of the inner one from outside is that of the step': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('sub'), step('after', ['sub'])]);
    const sub = await claimOne(storage, worker);
    await openAs(storage, sub, [step('slow', [], { delayMs: day })]);
    assert.equal(await endOpen(storage, sub.id, { result: 'by hand' }), true);
    assert.equal((await stepOf(storage, runId, 'sub')).result, 'by hand');
    assert.deepEqual(await runAll(storage, worker), ['after']);
    await assertOver(storage, runId, 'succeeded', { after: null });
  },

  'instances of a map may each be a graph': async ({ storage }) => {
    const steps = [step('list'), step('each', ['list'], { map: true }), step('sum', ['each'])];
    const { runId, worker } = await openFlow(storage, steps);
    await settle(storage, await claimOne(storage, worker), { result: [1, 2] });
    for (const run of Object.values(await claimSteps(storage, worker))) {
      await openAs(storage, run, [step('a'), step('b', ['a'])], { params: run.payload });
    }
    const firsts = (await storage.claim(worker, 10)).runs;
    assert.deepEqual(new Set(firsts.map(({ payload }) => payload)), new Set([1, 2]));
    for (const run of firsts) await settle(storage, run);
    const seconds = (await storage.claim(worker, 10)).runs;
    await settle(storage, seconds[0], { result: 'x' });
    assert.equal((await stepOf(storage, runId, 'each')).state, 'released');
    await settle(storage, seconds[1], { result: 'y' });
    assert.deepEqual(await runAll(storage, worker), ['sum']);
    await assertOver(storage, runId, 'succeeded', { sum: null });
  },

  'a retry of the outermost lets the step open anew; the inner ones are not retried by themselves': async (
    { storage },
    flows,
  ) => {
    const { runIds, worker, leaf } = await threeLevels(storage);
    const [outer, middle, inner] = runIds;
    await settle(storage, leaf, { outcome: 'failed' });
    await runAll(storage, worker);
    for (const runId of [middle, inner]) {
      await assert.rejects(
        () => flows.retryFlow(runId, null),
        (error: unknown) => error instanceof InvalidOptionError && error.message.includes('"sub"'),
      );
    }
    const run = await flows.retryFlow(outer, null);
    assert.deepEqual(await statesOf(storage, run!.id), {
      sub: 'released',
      after: 'waiting',
      report: 'succeeded',
    });
    const sub = await claimOne(storage, worker);
    await openAs(storage, sub, [step('leaf')], { workflow: 'middle' });
    assert.deepEqual(await runAll(storage, worker), ['leaf', 'after']);
    await assertOver(storage, run!.id, 'succeeded', { after: null, report: null });
    assert.equal((await flowOf(storage, inner)).verdict, 'failed');
  },
});
