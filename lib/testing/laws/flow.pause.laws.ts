import assert from 'node:assert/strict';
import type { Capability } from '../../index.js';
import type { StorageSubject } from '../law.js';
import {
  addOneOff,
  assertNear,
  claimOne,
  holdOf,
  hour,
  minute,
  only,
  ref,
  second,
  settle,
} from './fixture.js';
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
  runNext,
  step,
  stepOf,
  verdictOf,
} from './flow.fixture.js';

/** Asserts that the deadline of the flow is looked for, and comes. */
async function assertTimesOut(
  { storage, clock }: StorageSubject,
  worker: Capability,
  runId: string,
): Promise<void> {
  const run = only((await storage.queryRuns({ runId }, {})).items, 'run');
  assert.deepEqual([run.state, (await storage.nextWakeAt(worker)).runAt], ['open', run.dueAt!.getTime()]);
  await clock.advance(2 * hour);
  await storage.giveBack([holdOf(await claimOne(storage, worker))]);
  const late = await claimOne(storage, worker);
  assert.equal(late.id, runId);
  await settle(storage, late, { outcome: 'timed_out' });
  assert.equal((await verdictOf(storage, runId)).outcome, 'timed_out');
}

const withDeadline = { job: { handler: 'open' }, deadlineInMs: hour };
const notBefore = step('a', [], { delayMs: 10 * hour });

export const flowPauseLaws = flowLawsOf('pauses of flows', {
  'hold what waits and what is born; what runs goes on': async ({ storage }, flows) => {
    const { runId, worker } = await openFlow(storage, [
      step('running'),
      step('due'),
      step('next', ['running']),
      step('last', ['next', 'due']),
    ]);
    const { running, due } = await claimSteps(storage, worker);
    await storage.giveBack([holdOf(due)]);
    assert.equal(await flows.pauseFlow(runId), true);
    const { pausedAt, verdict } = await flowOf(storage, runId);
    assertNear(pausedAt, await storage.now(), 'When it was paused');
    assert.equal(verdict, null);
    await settle(storage, running);
    assert.deepEqual(await claimSteps(storage, worker), {});
    assert.equal((await storage.nextWakeAt(worker)).runAt, null);
    for (const name of ['due', 'next']) {
      const { runId: id, state } = await stepOf(storage, runId, name);
      const run = only((await storage.queryRuns({ runId: id! }, {})).items, 'run');
      assert.deepEqual([state, run.state], ['released', 'paused']);
    }
    assert.equal(await flows.resumeFlow(runId), true);
    assert.equal((await flowOf(storage, runId)).pausedAt, null);
    assert.deepEqual(await runAll(storage, worker), ['due', 'next', 'last']);
    await assertOver(storage, runId, 'succeeded', { last: null });
  },

  'hold a retry of what runs': async ({ storage }, flows) => {
    const { runId, worker } = await openFlow(storage, [step('a')]);
    const run = await claimOne(storage, worker);
    await flows.pauseFlow(runId);
    await settle(storage, run, { outcome: 'failed', retryInMs: -second });
    assert.deepEqual(await claimSteps(storage, worker), {});
    await flows.resumeFlow(runId);
    assert.equal((await claimOne(storage, worker)).attempt, 2);
  },

  'keep times: what is delayed is due when it was to be, at the earliest': async (
    { storage, clock },
    flows,
  ) => {
    const { runId, worker } = await openFlow(storage, [
      step('a'),
      step('soon', ['a'], { delayMs: minute }),
      step('late', ['a'], { delayMs: 3 * hour }),
    ]);
    const run = await claimOne(storage, worker);
    await flows.pauseFlow(runId);
    await settle(storage, run);
    await clock.advance(hour);
    assert.deepEqual(await claimSteps(storage, worker), {});
    await flows.resumeFlow(runId);
    assert.deepEqual(Object.keys(await claimSteps(storage, worker)), ['soon']);
    await clock.advance(2 * hour);
    assert.deepEqual(Object.keys(await claimSteps(storage, worker)), ['late']);
  },

  'hold every instance of a map': async ({ storage }, flows) => {
    const { runId, worker } = await openFlow(storage, [step('list'), step('each', ['list'], { map: true })]);
    const list = await claimOne(storage, worker);
    await flows.pauseFlow(runId);
    await settle(storage, list, { result: [1, 2, 3] });
    assert.deepEqual(await claimSteps(storage, worker), {});
    await flows.resumeFlow(runId);
    assert.deepEqual(await runAll(storage, worker), ['each.0', 'each.1', 'each.2']);
  },

  'of a manual step stop its deadline, not its verdict': async ({ storage, clock }, flows) => {
    const manual = { kind: 'manual', deadlineMs: hour } as const;
    const { runId, worker } = await openFlow(storage, [step('one', [], manual), step('other', [], manual)]);
    await flows.pauseFlow(runId);
    await clock.advance(2 * hour);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    assert.equal(await endOpen(storage, (await stepOf(storage, runId, 'one')).runId!), true);
    await flows.resumeFlow(runId);
    await runNext(storage, worker, { outcome: 'timed_out' });
    assert.equal((await stepOf(storage, runId, 'other')).state, 'timed_out');
    await assertOver(storage, runId, 'failed');
  },

  'begin once, and end with the flow': async ({ storage, clock }, flows) => {
    const { runId, worker } = await openFlow(storage, [step('a')]);
    assert.equal(await flows.resumeFlow(runId), true, 'It was not paused.');
    const run = await claimOne(storage, worker);
    await flows.pauseFlow(runId);
    const { pausedAt } = await flowOf(storage, runId);
    await clock.advance(minute);
    assert.equal(await flows.pauseFlow(runId), true);
    assert.equal((await flowOf(storage, runId)).pausedAt, pausedAt);
    await settle(storage, run, { outcome: 'failed' });
    await assertOver(storage, runId, 'failed');
    assert.equal((await flowOf(storage, runId)).pausedAt, null);
    for (const id of [runId, 'none', '987654321', run.id]) {
      assert.equal(await flows.pauseFlow(id), false);
      assert.equal(await flows.resumeFlow(id), false);
    }
    await flows.retryFlow(runId, null);
    assert.deepEqual(await runAll(storage, worker), ['a']);
  },

  'do not keep it from being cancelled': async ({ storage }, flows) => {
    const { runId, worker } = await openFlow(storage, [step('a'), step('b', ['a'])]);
    await flows.pauseFlow(runId);
    await storage.deleteJob(ref('job'));
    const { verdict, counts } = await flowOf(storage, runId);
    assert.deepEqual([verdict, counts], ['cancelled', { cancelled: 2 }]);
    assert.deepEqual((await storage.queryRuns({}, {})).items, []);
    assert.deepEqual(await claimSteps(storage, worker), {});
  },

  'of its job do not stop its deadline': async (subject) => {
    const { storage } = subject;
    const { runId, worker } = await openFlow(storage, [notBefore], withDeadline);
    await storage.pauseJob(ref('job'), { reason: null, by: null });
    await assertTimesOut(subject, worker, runId);
  },

  'of its job that came before it opened do not stop its deadline': async (subject) => {
    const { storage } = subject;
    const worker = await lastingWorker(storage);
    await addOneOff(storage, withDeadline.job);
    const opener = await claimOne(storage, worker);
    await storage.pauseJob(ref('job'), { reason: null, by: null });
    await openAs(storage, opener, [notBefore], withDeadline);
    await assertTimesOut(subject, worker, opener.id);
  },

  'of its handler do not stop its deadline': async (subject) => {
    const { storage } = subject;
    const { runId, worker } = await openFlow(storage, [notBefore], withDeadline);
    await storage.pauseScope({ kind: 'handler', name: 'open' }, { reason: null, by: null });
    await assertTimesOut(subject, worker, runId);
  },

  'of the handler of one that is a step do not stop its deadline': async (subject) => {
    const { storage } = subject;
    const { worker } = await openFlow(storage, [step('sub', [], { handler: 'open' })]);
    const sub = await claimOne(storage, worker);
    await openAs(storage, sub, [notBefore], withDeadline);
    await storage.pauseScope({ kind: 'handler', name: 'open' }, { reason: null, by: null });
    await assertTimesOut(subject, worker, sub.id);
  },

  'of what one is a step of stop its deadline, whether its handler is paused or not': async (
    { storage, clock },
    flows,
  ) => {
    const { runId, worker } = await openFlow(storage, [step('sub', [], { handler: 'open' })]);
    const sub = await claimOne(storage, worker);
    await openAs(storage, sub, [notBefore], withDeadline);
    const order = { reason: null, by: null };
    const scope = { kind: 'handler', name: 'open' } as const;
    await flows.pauseFlow(runId);
    await storage.pauseScope(scope, order);
    await clock.advance(2 * hour);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    assert.equal((await storage.nextWakeAt(worker)).runAt, null);
    await flows.resumeFlow(runId);
    assert.equal((await claimOne(storage, worker)).id, sub.id);
  },

  'of a handler or a queue stop steps as any run': async ({ storage }) => {
    const { worker } = await openFlow(storage, [step('a', [], { queue: 'default', handler: 'work' })], {
      job: { handler: 'open' },
    });
    await storage.pauseScope({ kind: 'handler', name: 'work' }, { reason: null, by: null });
    assert.deepEqual(await claimSteps(storage, worker), {});
    await storage.resumeScope({ kind: 'handler', name: 'work' }, () => ({ nextAt: null, gap: null }));
    assert.deepEqual(await runAll(storage, worker), ['a']);
  },
});
