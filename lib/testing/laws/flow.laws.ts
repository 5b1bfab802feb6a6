import assert from 'node:assert/strict';
import {
  accepts,
  assertNear,
  attemptsOf,
  claimOne,
  fireOne,
  addRecurring,
  hour,
  jobOf,
  minute,
  only,
  ref,
  runsOf,
  second,
  settle,
  settlementOf,
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
  statesOf,
  step,
  stepOf,
  stepsOf,
  verdictOf,
} from './flow.fixture.js';

export const flowLaws = flowLawsOf('flows', {
  'a run opens as a graph: what waits for nothing is released, and its run is still open': async (
    { storage },
    flows,
  ) => {
    const { runId, opener } = await openFlow(storage, [step('a'), step('b', ['a']), step('c')], {
      workflow: 'order',
      version: 3,
      params: { id: 7 },
      job: { app: 'shop' },
    });
    const { openedAt, ...flow } = await flowOf(storage, runId);
    assertNear(openedAt, await storage.now(), 'When it was opened');
    assert.deepEqual(flow, {
      runId,
      workflow: 'order',
      version: 3,
      namespace: opener.namespace,
      app: 'shop',
      params: { id: 7 },
      endedAt: null,
      pausedAt: null,
      verdict: null,
      ending: null,
      retryOf: null,
      counts: { released: 2, waiting: 1 },
    });
    assert.deepEqual(await statesOf(storage, runId), { a: 'released', b: 'waiting', c: 'released' });
    assert.deepEqual(
      (await runsOf(storage)).map(({ state }) => state),
      ['open'],
    );
    assert.equal((await jobOf(storage)).state, 'running');
    assert.equal(await flows.getFlow('987654321'), null);
    assert.equal(await flows.queryFlowSteps('none', {}, {}), null);
    assert.equal(await flows.getFlow((await stepOf(storage, runId, 'a')).runId!), null);
  },

  'steps are told as they were given, in that order, with what they have come to': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [
      step('z', [], { allowFailure: true }),
      step('a', ['m'], { need: 1, otherwise: 'run', delayMs: 5, handler: 'other' }),
      step('m', ['z'], { kind: 'manual', after: [{ parent: 'z', data: false }] }),
    ]);
    const [z, a, m] = await stepsOf(storage, runId);
    const { runId: zRun, releasedAt, ...rest } = z!;
    assertNear(releasedAt, await storage.now(), 'When it was released');
    assert.ok(zRun !== null);
    const fresh = { nth: null, ok: 0, bad: 0, endedAt: null, reason: null, result: null, map: false };
    const plain = { ...fresh, kind: 'handler', delayMs: 0, handler: 'work', allowFailure: false };
    assert.deepEqual(rest, {
      ...plain,
      name: 'z',
      state: 'released',
      after: [],
      need: 0,
      otherwise: 'block',
      allowFailure: true,
    });
    const waiting = { ...plain, state: 'waiting', runId: null, releasedAt: null, need: 1 };
    assert.deepEqual(a, {
      ...waiting,
      name: 'a',
      after: [{ parent: 'm', data: true }],
      otherwise: 'run',
      delayMs: 5,
      handler: 'other',
    });
    assert.deepEqual(m, {
      ...waiting,
      name: 'm',
      after: [{ parent: 'z', data: false }],
      otherwise: 'block',
      kind: 'manual',
    });
    await runNext(storage, worker, { result: { rows: 3 } });
    const ended = await stepOf(storage, runId, 'z');
    assert.deepEqual([ended.state, ended.result, ended.reason], ['succeeded', { rows: 3 }, null]);
    assertNear(ended.endedAt, await storage.now(), 'When it ended');
    assert.equal((await stepsOf(storage, runId))[0].result, null, 'Results only where asked for.');
    assert.equal((await stepOf(storage, runId, 'm')).ok, 1);
  },

  'a worker gets a step as a run of its own, with what it is of': async ({ storage }) => {
    const job = { id: 'order-7', timeZone: 'Asia/Seoul', app: 'shop', metadata: { team: 'a' } };
    const policies = { maxRetries: 2 };
    const { runId, worker } = await openFlow(storage, [step('load', [], { policies, priority: 2 })], {
      workflow: 'order',
      params: { id: 7 },
      job,
    });
    const run = await claimOne(storage, worker);
    const stored = await stepOf(storage, runId, 'load');
    assert.deepEqual(run.flowStep, {
      flowRunId: runId,
      workflow: 'order',
      version: null,
      name: 'load',
      nth: null,
      depth: 1,
      place: run.flowStep!.place,
      params: { id: 7 },
    });
    assert.deepEqual(
      [run.id, run.jobId, run.jobUid, run.jobName, run.origin, run.attempt],
      [stored.runId, `${runId}/load`, null, null, 'workflow', 1],
    );
    assert.deepEqual(
      [run.app, run.timeZone, run.handler, run.queue, run.priority, run.policies, run.metadata],
      ['shop', 'Asia/Seoul', 'work', 'default', 2, policies, {}],
    );
    assert.deepEqual(run.payload, { id: 7 });
    assert.equal(await storage.getJob(ref(run.jobId)), null);
    assert.equal(await storage.countJobs({}), 1);
    const seen = only((await storage.queryRuns({ runId: run.id }, {})).items, 'run');
    assert.deepEqual([seen.jobId, seen.state, seen.origin], [run.jobId, 'running', 'workflow']);
    await settle(storage, run);
    const row = only(await attemptsOf(storage, { runId: run.id }), 'ledger row');
    assert.deepEqual(
      [row.jobId, row.origin, row.outcome, row.final],
      [run.jobId, 'workflow', 'succeeded', true],
    );
  },

  'a step has its own payload, or else the params': async ({ storage }) => {
    const steps = [
      step('own', [], { payload: { of: 'step' } }),
      step('none'),
      step('falsy', [], { payload: false }),
    ];
    const { worker } = await openFlow(storage, steps, { params: ['of', 'flow'] });
    const { own, none, falsy } = await claimSteps(storage, worker);
    assert.deepEqual([own.payload, none.payload, falsy.payload], [{ of: 'step' }, ['of', 'flow'], false]);
  },

  'a step is released by the end of the last parent that it needs': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('a'), step('b'), step('c', ['a', 'b'])]);
    const { a, b } = await claimSteps(storage, worker);
    await settle(storage, a);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    assert.deepEqual(await statesOf(storage, runId), { a: 'succeeded', b: 'released', c: 'waiting' });
    await settle(storage, b);
    const { c } = await claimSteps(storage, worker);
    const { ok, bad, state } = await stepOf(storage, runId, 'c');
    assert.deepEqual([ok, bad, state], [2, 0, 'released']);
    await settle(storage, c);
    await assertOver(storage, runId, 'succeeded', { c: null });
  },

  'both parents may end by one call': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('a'), step('b'), step('c', ['a', 'b'])]);
    const { a, b } = await claimSteps(storage, worker);
    const settlements = [await settlementOf(storage, a), await settlementOf(storage, b)];
    assert.deepEqual((await accepts(storage, settlements)).toSorted(), [a.id, b.id].toSorted());
    assert.deepEqual(Object.keys(await claimSteps(storage, worker)), ['c']);
    assert.equal((await stepOf(storage, runId, 'c')).ok, 2);
  },

  'a chain goes on to its end, and what nothing comes after is the result of the run': async ({
    storage,
  }) => {
    const { runId, worker } = await openFlow(storage, [
      step('a'),
      step('b', ['a']),
      step('c', ['b']),
      step('d', ['b']),
    ]);
    const ran = await runAll(storage, worker, (key) => ({ result: { of: key } }));
    assert.deepEqual(ran, ['a', 'b', 'c', 'd']);
    const row = await assertOver(storage, runId, 'succeeded', { c: { of: 'c' }, d: { of: 'd' } });
    assert.deepEqual([row.worker, row.error], ['outside', null]);
    assert.deepEqual((await flowOf(storage, runId)).counts, { succeeded: 4 });
    assert.deepEqual(
      (await attemptsOf(storage, { runId })).map(({ outcome, final }) => [outcome, final]),
      [
        ['succeeded', true],
        ['opened', false],
      ],
    );
    assert.equal(await storage.getJob(ref('job')), null);
  },

  'without steps it has succeeded at once': async ({ storage }) => {
    const { runId } = await openFlow(storage, []);
    await assertOver(storage, runId, 'succeeded', {});
    assert.deepEqual((await flowOf(storage, runId)).counts, {});
    assert.equal(await storage.getJob(ref('job')), null);
  },

  'of a recurring job it is the occurrence, whose verdict counts for the job': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await lastingWorker(storage);
    for (const outcome of ['succeeded', 'failed'] as const) {
      const run = outcome === 'succeeded' ? await fireOne(storage, worker) : await runAgain();
      await openAs(storage, run, [step('a')]);
      await runNext(storage, worker, { outcome });
      await assertOver(storage, run.id, outcome, outcome === 'succeeded' ? { a: null } : null);
      const { lastVerdict, runCount, state } = await jobOf(storage);
      assert.deepEqual([lastVerdict, runCount], [outcome, outcome === 'succeeded' ? 1 : 2]);
      assert.notEqual(state, 'running');
    }
    async function runAgain() {
      await storage.runNow(ref('job'));
      return claimOne(storage, worker);
    }
  },

  'a failed step blocks what needs it, and the run fails by all steps, not by the last ones': async ({
    storage,
  }) => {
    const { runId, worker } = await openFlow(storage, [
      step('bad'),
      step('good'),
      step('stuck', ['bad']),
      step('later', ['stuck']),
      step('last', ['good']),
    ]);
    const ran = await runAll(storage, worker, (key) =>
      key === 'bad' ? { outcome: 'failed', error: 'boom' } : {},
    );
    assert.deepEqual(ran.toSorted(), ['bad', 'good', 'last']);
    const row = await assertOver(storage, runId, 'failed');
    for (const name of ['bad', 'stuck', 'later']) assert.match(row.error!, new RegExp(`\\b${name}\\b`));
    for (const name of ['good', 'last']) assert.doesNotMatch(row.error!, new RegExp(`\\b${name}\\b`));
    assert.deepEqual(await statesOf(storage, runId), {
      bad: 'failed',
      good: 'succeeded',
      stuck: 'blocked',
      later: 'blocked',
      last: 'succeeded',
    });
    assert.deepEqual((await flowOf(storage, runId)).counts, { failed: 1, succeeded: 2, blocked: 2 });
    assert.equal((await stepOf(storage, runId, 'bad')).reason, 'boom');
    assert.equal((await stepOf(storage, runId, 'stuck')).bad, 1);
    const dead = only(await runsOf(storage), 'dead letter');
    assert.deepEqual([dead.id, dead.state, dead.lastError], [runId, 'failed', row.error]);
    assert.equal(only((await storage.queryRuns({}, {})).items, 'run').id, runId, 'A step is no dead letter.');
  },

  'a step that is tried again is counted by its verdict only': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('a'), step('b', ['a'])]);
    await runNext(storage, worker, { outcome: 'failed', error: 'boom', retryInMs: -second });
    const { state, bad } = await stepOf(storage, runId, 'b');
    assert.deepEqual([state, bad], ['waiting', 0]);
    assert.equal((await stepOf(storage, runId, 'a')).state, 'released');
    const again = await claimOne(storage, worker);
    assert.deepEqual([again.attempt, again.flowStep!.name], [2, 'a']);
    await settle(storage, again, { outcome: 'snoozed', retryInMs: -second });
    await runNext(storage, worker, { outcome: 'handed_back' });
    await runNext(storage, worker);
    assert.deepEqual(await runAll(storage, worker), ['b']);
    await assertOver(storage, runId, 'succeeded', { b: null });
  },

  'a settlement that comes again, or too late, moves nothing on': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('a'), step('b', ['a']), step('c', ['b'])]);
    const a = await claimOne(storage, worker);
    const settlement = await settlementOf(storage, a, { result: 1 });
    assert.deepEqual(await accepts(storage, [settlement, settlement]), [a.id]);
    for (const late of [settlement, { ...settlement, outcome: 'failed' as const }])
      assert.deepEqual(await accepts(storage, [late]), []);
    assert.deepEqual(await accepts(storage, [{ ...settlement, fence: a.fence + 1 }]), []);
    const b = await stepOf(storage, runId, 'b');
    assert.deepEqual([b.ok, b.bad, b.state], [1, 0, 'released']);
    assert.equal((await stepOf(storage, runId, 'a')).result, 1);
    assert.deepEqual(await runAll(storage, worker), ['b', 'c']);
  },

  'a step is released after its delay, which begins when its parents allow it': async ({
    storage,
    clock,
  }) => {
    const { runId, worker } = await openFlow(storage, [
      step('a', [], { delayMs: minute }),
      step('b', ['a'], { delayMs: hour }),
    ]);
    assert.equal((await stepOf(storage, runId, 'a')).state, 'released');
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    await clock.advance(minute + second);
    await runNext(storage, worker);
    const { runId: stepRun, releasedAt } = await stepOf(storage, runId, 'b');
    assertNear(releasedAt, await storage.now(), 'When it was released');
    const run = only((await storage.queryRuns({ runId: stepRun! }, {})).items, 'run');
    assert.equal(run.state, 'waiting');
    assertNear(run.dueAt, (await storage.now()) + hour, 'When it is due');
    assertNear((await storage.nextWakeAt(worker)).runAt, (await storage.now()) + hour, 'The next wake');
    await clock.advance(hour - minute);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    await clock.advance(2 * minute);
    await runNext(storage, worker);
    await assertOver(storage, runId, 'succeeded', { b: null });
  },

  'a manual step is open from its release on, and ends from outside': async ({ storage, clock }) => {
    const { runId, worker } = await openFlow(storage, [
      step('a'),
      step('ok', ['a'], { kind: 'manual', deadlineMs: hour }),
      step('b', ['ok']),
    ]);
    await runNext(storage, worker);
    const { runId: manual, state } = await stepOf(storage, runId, 'ok');
    assert.equal(state, 'released');
    const run = only((await storage.queryRuns({ runId: manual! }, {})).items, 'run');
    assert.equal(run.state, 'open');
    assertNear(run.dueAt, (await storage.now()) + hour, 'The deadline');
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    assert.equal(await endOpen(storage, manual!, { result: { by: 'ada' } }), true);
    assert.equal(await endOpen(storage, manual!), false);
    assert.deepEqual((await stepOf(storage, runId, 'ok')).result, { by: 'ada' });
    assert.deepEqual(await runAll(storage, worker), ['b']);
    await clock.advance(2 * hour);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
  },

  'a manual step without an answer is handed to a worker at its deadline': async ({ storage, clock }) => {
    for (const delayMs of [0, hour]) {
      const manual = step('ok', [], { kind: 'manual', deadlineMs: hour, delayMs });
      const { runId, worker } = await openFlow(storage, [manual, step('b', ['ok'], { otherwise: 'cancel' })]);
      await clock.advance(hour + delayMs - minute);
      assert.deepEqual((await storage.claim(worker, 10)).runs, []);
      await clock.advance(2 * minute);
      const late = await claimOne(storage, worker);
      assert.ok(late.openedAt !== undefined && late.flowStep!.name === 'ok');
      await settle(storage, late, { outcome: 'timed_out', error: 'no answer' });
      assert.deepEqual(await statesOf(storage, runId), { ok: 'timed_out', b: 'cancelled' });
      await assertOver(storage, runId, 'failed');
      await storage.deleteJob(ref('job'));
    }
  },

  'a manual step without a deadline waits for ever': async ({ storage, clock }) => {
    const { runId, worker } = await openFlow(storage, [step('ok', [], { kind: 'manual' })]);
    await clock.advance(100 * hour);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    assert.equal(await endOpen(storage, (await stepOf(storage, runId, 'ok')).runId!), true);
    await assertOver(storage, runId, 'succeeded', { ok: null });
  },

  'the callback of its run is born by the end of the flow': async ({ storage }) => {
    const policies = { onSuccess: { handler: 'work' }, onFailure: { handler: 'work', queue: 'default' } };
    for (const outcome of ['succeeded', 'failed'] as const) {
      const { runId, worker } = await openFlow(storage, [step('a')], {
        job: { policies, payload: 'of run' },
      });
      await runNext(storage, worker, { outcome, result: outcome === 'succeeded' ? 7 : null });
      const callback = await claimOne(storage, worker);
      assert.equal(callback.origin, 'callback');
      const { verdict, runId: about, result, error, payload } = callback.payload as Record<string, unknown>;
      assert.deepEqual([verdict, about, payload], [outcome, runId, 'of run']);
      assert.deepEqual(result, outcome === 'succeeded' ? { a: 7 } : null);
      assert.equal(error === null, outcome === 'succeeded');
      assert.equal(error, (await verdictOf(storage, runId)).error);
      await settle(storage, callback);
      await storage.discardRuns([runId]);
    }
  },

  'results are kept whole by steps; the ledger has the short ones': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('long'), step('short')]);
    const text = 'x'.repeat(1_000_000);
    await runAll(storage, worker, (key) => ({ result: key === 'long' ? text : 'x' }));
    assert.equal((await stepOf(storage, runId, 'long')).result, text);
    assert.equal((await stepOf(storage, runId, 'short')).result, 'x');
    const long = await verdictOf(storage, (await stepOf(storage, runId, 'long')).runId!);
    const short = await verdictOf(storage, (await stepOf(storage, runId, 'short')).runId!);
    assert.deepEqual([long.result, short.result], [null, 'x']);
    await assertOver(storage, runId, 'succeeded', null);
  },
});
