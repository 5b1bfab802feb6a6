import assert from 'node:assert/strict';
import type { ClaimedRun, Run, StorageAdapter } from '../../index.js';
import {
  addOneOff,
  addRecurring,
  attemptsOf,
  claimOne,
  day,
  fireOne,
  holdOf,
  pruneAll,
  settle,
  startWorker,
} from './fixture.js';
import {
  assertOver,
  claimSteps,
  flowLawsOf,
  flowOf,
  lastingWorker,
  openAs,
  openFlow,
  runNext,
  step,
  stepOf,
} from './flow.fixture.js';

async function retry(
  storage: StorageAdapter,
  runId: string,
  steps: readonly string[] | null = null,
): Promise<Run> {
  const run = await storage.flows!.retryFlow(runId, steps);
  assert.ok(run, `The run ${runId} should be retried.`);
  return run;
}

/** Keeps a durable step of a run that is in somebody's hands. */
async function keep(storage: StorageAdapter, run: ClaimedRun, name = 'charge'): Promise<void> {
  const place = { name, kind: 'step', position: 1, attempt: run.attempt, startedAt: run.nominalAt } as const;
  assert.equal(await storage.recordRunStep(holdOf(run), { ...place, ended: 1, result: 7 }), true);
}

async function namesOf(storage: StorageAdapter, { id }: ClaimedRun): Promise<string[]> {
  return (await storage.queryRunSteps(id)).map(({ name }) => name);
}

/** What the first wait for a signal of that name gets; null: there is none. */
async function taken(storage: StorageAdapter, run: ClaimedRun, signal: string): Promise<unknown> {
  const { attempt, nominalAt: startedAt } = run;
  const place = { name: `wait for ${signal}`, kind: 'signal', position: 1, attempt, startedAt } as const;
  const found = await storage.takeRunSignal(holdOf(run), {
    ...place,
    signal,
    until: null,
    after: [],
    ended: 1,
  });
  assert.ok(found, `The run ${run.id} should be in these hands.`);
  return found.finishedAt === null ? null : found.result;
}

export const flowCarriedLaws = flowLawsOf('what the retry of a flow goes on with', {
  'a step that goes on is told by its fence that there may be durable steps, from its first claim on':
    async ({ storage }) => {
      const { runId, worker } = await openFlow(storage, [step('good'), step('bad'), step('next', ['bad'])]);
      const { good, bad } = await claimSteps(storage, worker);
      for (const run of [good, bad]) {
        assert.equal(run.fence, 1);
        await keep(storage, run);
      }
      await settle(storage, good);
      await settle(storage, bad, { outcome: 'failed' });
      const { id } = await retry(storage, runId, ['good', 'bad']);
      const again = await claimSteps(storage, worker);
      assert.deepEqual([again.good.fence, again.good.attempt], [1, 1], 'It begins anew.');
      assert.deepEqual(await namesOf(storage, again.good), []);
      assert.ok(again.bad.fence > 1, 'It goes on.');
      assert.equal(again.bad.attempt, 1);
      assert.deepEqual(await namesOf(storage, again.bad), ['charge']);
      await keep(storage, again.bad, 'mail');
      await settle(storage, again.good);
      await settle(storage, again.bad, { outcome: 'failed' });
      const { id: last } = await retry(storage, id);
      const { bad: third } = await claimSteps(storage, worker);
      assert.ok(third.fence > 1);
      assert.deepEqual((await namesOf(storage, third)).toSorted(), ['charge', 'mail']);
      await settle(storage, third);
      assert.equal((await runNext(storage, worker)).fence, 1);
      await assertOver(storage, last, 'succeeded', { good: null, next: null });
    },

  'so are the instances of a map that go on': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('list'), step('each', ['list'], { map: true })]);
    await runNext(storage, worker, { result: ['x', 'y'] });
    const first = await claimSteps(storage, worker);
    for (const run of Object.values(first)) await keep(storage, run);
    await settle(storage, first['each.0']);
    await settle(storage, first['each.1'], { outcome: 'failed' });
    await retry(storage, runId);
    const again = await claimSteps(storage, worker);
    assert.deepEqual(Object.keys(again), ['each.1']);
    assert.ok(again['each.1'].fence > 1);
    assert.deepEqual(await namesOf(storage, again['each.1']), ['charge']);
  },

  'it has the signals that no wait has taken, as it has the durable steps': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('good'), step('bad')]);
    const { good, bad } = await claimSteps(storage, worker);
    for (const { id } of [good, bad])
      assert.equal(await storage.sendRunSignal(id, { name: 'late', payload: id }), 'sent');
    assert.equal(await storage.sendRunSignal(bad.id, { name: 'first', payload: 1 }), 'sent');
    assert.equal(await taken(storage, bad, 'first'), 1);
    await settle(storage, good);
    await settle(storage, bad, { outcome: 'failed' });
    await retry(storage, runId, ['good', 'bad']);
    const again = await claimSteps(storage, worker);
    assert.equal(await taken(storage, again.bad, 'late'), bad.id);
    assert.equal(await taken(storage, again.bad, 'first'), 1, 'What was taken is on record.');
    assert.equal(await taken(storage, again.bad, 'other'), null);
    assert.equal(await taken(storage, again.good, 'late'), null, 'It begins anew.');
  },

  'its steps belong to the app to which its job belongs by then': async ({ storage }) => {
    const before = await startWorker(storage, { app: 'before' });
    const flows: [string, string][] = [];
    for (const id of ['once', 'failed', 'cancelled']) {
      await (id === 'once' ? addOneOff : addRecurring)(storage, { id, app: 'before' });
      const opener = id === 'once' ? await claimOne(storage, before) : await fireOne(storage, before);
      await openAs(storage, opener, [step('bad')]);
      if (id === 'cancelled') await storage.cancelRun(opener.id);
      else await runNext(storage, before, { outcome: 'failed' });
      flows.push([id, opener.id]);
    }
    await storage.unregister(before.workerId);
    const shop = await startWorker(storage, { app: 'shop' });
    await storage.inherit('shop', ['before']);
    for (const [jobId, runId] of flows) {
      const run = await retry(storage, runId);
      assert.equal((await flowOf(storage, run.id)).app, 'shop', jobId);
      const { bad } = await claimSteps(storage, shop);
      assert.ok(bad, `The step of "${jobId}" should be for the new app.`);
      assert.equal(bad.app, 'shop');
      await settle(storage, bad);
      await assertOver(storage, run.id, 'succeeded', { bad: null });
    }
  },

  'both are there however long ago that was, as long as the flow may be retried': async ({
    storage,
    clock,
  }) => {
    const worker = await lastingWorker(storage);
    await addRecurring(storage);
    const opener = await fireOne(storage, worker);
    await openAs(storage, opener, [step('fails'), step('ends'), step('goes on')]);
    const runs = await claimSteps(storage, worker);
    for (const run of Object.values(runs)) {
      await keep(storage, run);
      assert.equal(await storage.sendRunSignal(run.id, { name: 'late', payload: 1 }), 'sent');
    }
    await clock.advance(3 * day);
    await settle(storage, runs.fails, { outcome: 'failed' });
    await settle(storage, runs.ends);
    await pruneAll(storage);
    assert.deepEqual(await namesOf(storage, runs.ends), [], 'What has ended well begins anew.');
    await storage.cancelRun(opener.id);
    await settle(storage, runs['goes on'], { outcome: 'cancelled' });
    await pruneAll(storage);
    const { id } = await retry(storage, opener.id);
    let again = await claimSteps(storage, worker);
    assert.deepEqual(Object.keys(again).toSorted(), ['fails', 'goes on']);
    for (const run of Object.values(again))
      assert.deepEqual([await namesOf(storage, run), await taken(storage, run, 'late')], [['charge'], 1]);
    await clock.advance(3 * day);
    for (const run of Object.values(again)) await settle(storage, run, { outcome: 'failed' });
    await pruneAll(storage);
    await retry(storage, id);
    again = await claimSteps(storage, worker);
    for (const run of Object.values(again))
      assert.deepEqual(await namesOf(storage, run), ['charge', 'wait for late'], 'Also after another retry.');
  },

  'what waits for longer than the record is kept has the results of its parents': async ({
    storage,
    clock,
  }) => {
    const { runId, worker } = await openFlow(storage, [step('a'), step('b', ['a'], { delayMs: 3 * day })]);
    const parent = await runNext(storage, worker, { result: { rows: 3 } });
    await clock.advance(3 * day);
    await pruneAll(storage);
    assert.deepEqual(await attemptsOf(storage, { runId: parent.id }), []);
    assert.deepEqual((await stepOf(storage, runId, 'a')).result, { rows: 3 });
    await runNext(storage, worker);
    await assertOver(storage, runId, 'succeeded', { b: null });
  },

  'a signal is there after a pruning at once': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('list'), step('each', ['list'], { map: true })]);
    await runNext(storage, worker, { result: ['x'] });
    const run = await claimOne(storage, worker);
    assert.equal(await storage.sendRunSignal(run.id, { name: 'late', payload: 1 }), 'sent');
    await settle(storage, run, { outcome: 'failed' });
    await pruneAll(storage);
    await retry(storage, runId);
    assert.equal(await taken(storage, await claimOne(storage, worker), 'late'), 1);
  },

  'nothing is kept of a flow that is not on record any more': async ({ storage, clock }, flows) => {
    const { runId, worker } = await openFlow(storage, [step('bad', [], { allowFailure: true })]);
    const run = await claimOne(storage, worker);
    await keep(storage, run);
    await settle(storage, run, { outcome: 'failed' });
    await pruneAll(storage);
    assert.deepEqual(await namesOf(storage, run), ['charge']);
    await clock.advance(2 * day);
    await pruneAll(storage);
    assert.equal(await flows.getFlow(runId), null);
    assert.deepEqual(await namesOf(storage, run), []);
  },

  'nor of what a step did before it began anew': async ({ storage, clock }) => {
    const { runId, worker } = await openFlow(storage, [step('good'), step('bad')]);
    const { good, bad } = await claimSteps(storage, worker);
    await keep(storage, good);
    await settle(storage, good, { outcome: 'failed' });
    await settle(storage, bad, { outcome: 'failed' });
    const { id } = await retry(storage, runId, ['good']);
    const again = await claimOne(storage, worker);
    await settle(storage, again);
    await clock.advance(2 * day);
    await retry(storage, id, ['good']);
    await pruneAll(storage);
    assert.deepEqual(await namesOf(storage, again), []);
  },
});
