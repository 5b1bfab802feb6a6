import assert from 'node:assert/strict';
import { InvalidOptionError, type Run, type Settlement, type StorageAdapter } from '../../index.js';
import {
  addOneOff,
  addRecurring,
  assertNear,
  claimOne,
  day,
  fireOne,
  holdOf,
  hour,
  jobOf,
  minute,
  ref,
  runsOf,
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
  statesOf,
  step,
  stepOf,
  stepsOf,
  verdictOf,
} from './flow.fixture.js';

const failing =
  (...names: string[]) =>
  (key: string): Partial<Settlement> =>
    names.includes(key) ? { outcome: 'failed', error: 'boom' } : { result: `of ${key}` };

async function retry(
  storage: StorageAdapter,
  runId: string,
  steps: readonly string[] | null = null,
): Promise<Run> {
  const run = await storage.flows!.retryFlow(runId, steps);
  assert.ok(run, `The flow ${runId} should be retried.`);
  return run;
}

export const flowRetryLaws = flowLawsOf('retries of flows', {
  'are none of what has succeeded by a verdict from outside, with steps that were cancelled': async (
    { storage },
    flows,
  ) => {
    const job = { policies: { keepMs: day } };
    const { runId } = await openFlow(storage, [step('a'), step('b', ['a'])], { job });
    assert.equal(await endOpen(storage, runId, { outcome: 'succeeded' }), true);
    assert.equal((await flowOf(storage, runId)).verdict, 'succeeded');
    assert.equal(await flows.retryFlow(runId, null), null);
    assert.equal((await verdictOf(storage, runId)).outcome, 'succeeded');
  },

  'runs what has failed again, and what comes after that, but nothing that has succeeded': async (
    { storage, clock },
    flows,
  ) => {
    const steps = [
      step('a'),
      step('b', ['a']),
      step('other', ['a']),
      step('c', ['b', 'other']),
      step('d', ['c']),
    ];
    const { runId, worker } = await openFlow(storage, steps, {
      params: { id: 7 },
      workflow: 'order',
      version: 2,
    });
    assert.deepEqual(await runAll(storage, worker, failing('b')), ['a', 'b', 'other']);
    const [before, kept] = [await verdictOf(storage, runId), await stepOf(storage, runId, 'other')];
    await clock.advance(minute);
    const run = await retry(storage, runId);
    assert.deepEqual([run.jobId, run.state, run.origin, run.retryOf], ['job', 'open', 'retry', runId]);
    assert.ok(Number(run.id) > Number(runId));
    assert.equal(await flows.getFlow(runId), null, 'It is the new run.');
    const { openedAt, endedAt, verdict, retryOf, params, version } = await flowOf(storage, run.id);
    assert.deepEqual([endedAt, verdict, retryOf, params, version], [null, null, runId, { id: 7 }, 2]);
    assertNear(openedAt, await storage.now(), 'When it was opened');
    assert.deepEqual(await statesOf(storage, run.id), {
      a: 'succeeded',
      b: 'released',
      other: 'succeeded',
      c: 'waiting',
      d: 'waiting',
    });
    assert.deepEqual(await stepOf(storage, run.id, 'other'), kept);
    const b = await claimOne(storage, worker);
    assert.deepEqual([b.jobId, b.flowStep!.flowRunId, b.attempt], [`${run.id}/b`, run.id, 1]);
    await settle(storage, b, { result: 'at last' });
    assert.deepEqual(await runAll(storage, worker, failing()), ['c', 'd']);
    await assertOver(storage, run.id, 'succeeded', { d: 'of d' });
    assert.deepEqual(await verdictOf(storage, runId), before);
    assert.equal(await storage.getJob(ref('job')), null);
  },

  'of what comes before has it wait again, without a run': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('a'), step('b', ['a'])]);
    await runAll(storage, worker, failing('b'));
    assert.notEqual((await stepOf(storage, runId, 'b')).runId, null);
    const { id } = await retry(storage, runId, ['a']);
    const { state, runId: run } = await stepOf(storage, id, 'b');
    assert.deepEqual([state, run], ['waiting', null]);
  },

  'may be repeated until all has succeeded': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('a'), step('b', ['a'])]);
    let id = runId;
    await runAll(storage, worker, failing('a'));
    for (const names of [['a'], ['b'], ['b']]) {
      ({ id } = await retry(storage, id));
      const ran = await runAll(storage, worker, failing(...names));
      assert.deepEqual(ran, names[0] === 'a' ? ['a'] : ran);
      await assertOver(storage, id, 'failed');
    }
    ({ id } = await retry(storage, id));
    assert.deepEqual(await runAll(storage, worker, failing()), ['b']);
    await assertOver(storage, id, 'succeeded', { b: 'of b' });
  },

  'of a parent that had succeeded counts once for what comes after it, beside others': async (
    { storage },
    flows,
  ) => {
    const steps = [step('a'), step('b'), step('c', ['a', 'b'])];
    const { runId, worker } = await openFlow(storage, steps);
    await runAll(storage, worker, (name) => ({ outcome: name === 'b' ? 'failed' : 'succeeded' }));
    const again = (await flows.retryFlow(runId, ['a']))!;
    assert.deepEqual(await runAll(storage, worker), ['a']);
    const { ok, bad, state } = await stepOf(storage, again.id, 'c');
    assert.deepEqual({ ok, bad, state }, { ok: 1, bad: 1, state: 'blocked' });
    await flows.retryFlow(again.id, null);
    assert.deepEqual(await runAll(storage, worker), ['b', 'c']);
  },

  'is possible once: not of what goes on, has succeeded, or is none': async ({ storage, open }, flows) => {
    const { runId, worker } = await openFlow(storage, [step('a')]);
    assert.equal(await flows.retryFlow(runId, null), null);
    await runAll(storage, worker, failing('a'));
    const adapters = [flows, (await open()).flows!];
    const runs = await Promise.all(
      Array.from({ length: 8 }, (_, nth) => adapters[nth % 2].retryFlow(runId, null)),
    );
    const [run] = runs.filter((each) => each !== null);
    assert.equal(runs.filter((each) => each !== null).length, 1);
    assert.equal(await flows.retryFlow(run!.id, null), null);
    assert.deepEqual(await runAll(storage, worker), ['a']);
    for (const id of [runId, run!.id, '987654321', 'none'])
      assert.equal(await flows.retryFlow(id, null), null);
  },

  'takes the dead letter along, of a one-off and of a recurring job': async ({ storage }) => {
    for (const kind of ['one-off', 'recurring']) {
      if (kind === 'one-off') await addOneOff(storage);
      else await addRecurring(storage);
      const worker = await lastingWorker(storage);
      const opener = kind === 'one-off' ? await claimOne(storage, worker) : await fireOne(storage, worker);
      await openAs(storage, opener, [step('a')]);
      await runAll(storage, worker, failing('a'));
      assert.deepEqual(
        (await runsOf(storage)).map(({ state }) => state),
        ['failed'],
      );
      const { id } = await retry(storage, opener.id);
      const [run, ...others] = await runsOf(storage);
      assert.deepEqual([run.id, run.state, others], [id, 'open', []]);
      assert.equal(run.nominalAt.getTime(), Math.floor(opener.nominalAt));
      assert.equal((await jobOf(storage)).state, 'running');
      assert.deepEqual(await storage.retryRuns([opener.id]), []);
      await runAll(storage, worker, failing('a'));
      assert.deepEqual(
        (await runsOf(storage)).map(({ state, id: dead }) => [state, dead]),
        [['failed', id]],
      );
      await storage.deleteJob(ref('job'));
    }
  },

  'is not possible where its job is gone, or goes on by itself': async ({ storage }, flows) => {
    const { runId, worker } = await openFlow(storage, [step('a')]);
    await runAll(storage, worker, failing('a'));
    const [again] = await storage.retryRuns([runId]);
    assert.equal(await flows.retryFlow(runId, null), null, 'Its one-off has another run.');
    assert.deepEqual(await statesOf(storage, runId), { a: 'failed' });
    await settle(storage, await claimOne(storage, worker));
    assert.ok(again);
    assert.equal(await flows.retryFlow(runId, null), null, 'Its one-off is gone.');
    const { runId: other } = await openFlow(storage, [step('a', [], { delayMs: hour })], {
      deadlineInMs: day,
    });
    await endOpen(storage, other, { outcome: 'failed', retryInMs: hour });
    assert.equal(await flows.retryFlow(other, null), null, 'Its next attempt is due.');
  },

  'of a recurring job is possible as long as its run is kept, or was cancelled: not when it was given a good verdict, discarded, or retried as a job':
    async ({ storage }, flows) => {
      const worker = await lastingWorker(storage);
      const ends: [string, (runId: string) => Promise<unknown>][] = [
        ['completed', (runId) => endOpen(storage, runId, { outcome: 'succeeded' })],
        [
          'discarded',
          async (runId) => {
            await endOpen(storage, runId, { outcome: 'failed' });
            await storage.discardRuns([runId]);
          },
        ],
        [
          'retried',
          async (runId) => {
            await endOpen(storage, runId, { outcome: 'failed' });
            const [again] = await storage.retryRuns([runId]);
            await settle(storage, await claimOne(storage, worker));
            assert.ok(again);
          },
        ],
      ];
      for (const [what, end] of ends) {
        await addRecurring(storage);
        const opener = await fireOne(storage, worker);
        await openAs(storage, opener, [step('a', [], { delayMs: hour }), step('b', ['a'])]);
        await end(opener.id);
        const { verdict } = await flowOf(storage, opener.id);
        assert.equal(verdict, what === 'completed' ? 'succeeded' : 'failed');
        assert.equal(await flows.retryFlow(opener.id, null), null, what);
        assert.deepEqual(
          (await runsOf(storage)).map(({ state }) => state),
          [],
          what,
        );
        await storage.deleteJob(ref('job'));
      }
    },

  'are found by the run that the flow was first, however often it is retried': async ({ storage }, flows) => {
    for (const kind of ['one-off', 'recurring']) {
      if (kind === 'one-off') await addOneOff(storage);
      else await addRecurring(storage);
      const worker = await lastingWorker(storage);
      const first = kind === 'one-off' ? await claimOne(storage, worker) : await fireOne(storage, worker);
      await openAs(storage, first, [step('a')]);
      assert.equal(await flows.laterRun(first.id), null, 'It is still this one.');
      let { id } = first;
      for (let nth = 0; nth < 3; nth++) {
        await runAll(storage, worker, failing('a'));
        const before = id;
        ({ id } = await retry(storage, id));
        assert.equal(await flows.laterRun(first.id), id);
        if (nth > 0) assert.equal(await flows.laterRun(before), null, 'It was not this one first.');
      }
      assert.equal(await flows.laterRun(id), null);
      assert.equal(await flows.laterRun('999999'), null);
      assert.equal(await flows.laterRun('no run'), null);
      await storage.deleteJob(ref('job'));
    }
  },

  'of what was cancelled runs all that had not ended': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await lastingWorker(storage);
    const opener = await fireOne(storage, worker);
    const steps = [
      step('done'),
      step('running'),
      step('due'),
      step('next', ['done', 'running']),
      step('last', ['next']),
    ];
    await openAs(storage, opener, steps);
    const { done, running, due } = await claimSteps(storage, worker);
    await settle(storage, done);
    await storage.giveBack([holdOf(due)]);
    await storage.cancelRun(opener.id);
    await settle(storage, running, { outcome: 'cancelled' });
    const { id } = await retry(storage, opener.id);
    assert.deepEqual(await statesOf(storage, id), {
      done: 'succeeded',
      running: 'released',
      due: 'released',
      next: 'waiting',
      last: 'waiting',
    });
    assert.deepEqual(await runAll(storage, worker), ['due', 'running', 'next', 'last']);
    await assertOver(storage, id, 'succeeded', { due: null, last: null });
  },

  'of what had succeeded before it was cancelled, or after that, goes on behind it': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await lastingWorker(storage);
    const opener = await fireOne(storage, worker);
    await openAs(storage, opener, [step('a'), step('b', ['a'])]);
    const late = await claimOne(storage, worker);
    await storage.cancelRun(opener.id);
    await settle(storage, late);
    const { id } = await retry(storage, opener.id);
    assert.deepEqual(await statesOf(storage, id), { a: 'succeeded', b: 'released' });
    assert.deepEqual(await runAll(storage, worker), ['b']);
    await assertOver(storage, id, 'succeeded', { b: null });
  },

  'from a step on runs it, and all that comes after it, also what has succeeded': async ({ storage }) => {
    const steps = [step('a'), step('b', ['a']), step('c', ['b']), step('side', ['a']), step('bad', ['side'])];
    const { runId, worker } = await openFlow(storage, steps);
    await runAll(storage, worker, failing('bad'));
    const { id } = await retry(storage, runId, ['b']);
    assert.deepEqual(await statesOf(storage, id), {
      a: 'succeeded',
      b: 'released',
      c: 'waiting',
      side: 'succeeded',
      bad: 'failed',
    });
    assert.deepEqual(await runAll(storage, worker), ['b', 'c']);
    await assertOver(storage, id, 'failed');
    const { id: last } = await retry(storage, id, ['side', 'bad', 'side']);
    assert.deepEqual(await runAll(storage, worker), ['side', 'bad']);
    await assertOver(storage, last, 'succeeded', { c: null, bad: null });
  },

  'a step that is named runs, whatever its parents have come to': async ({ storage }) => {
    const steps = [
      step('bad'),
      step('skip'),
      step('cancelled', ['bad'], { otherwise: 'cancel' }),
      step('skipped', ['skip']),
    ];
    const { runId, worker } = await openFlow(storage, steps);
    await runAll(storage, worker, (key) =>
      key === 'skip' ? { flowStep: { skipped: 'no' } } : failing('bad')(key),
    );
    assert.deepEqual(await statesOf(storage, runId), {
      bad: 'failed',
      skip: 'skipped',
      cancelled: 'cancelled',
      skipped: 'skipped',
    });
    const { id } = await retry(storage, runId, ['cancelled', 'skipped']);
    assert.deepEqual(await runAll(storage, worker), ['cancelled', 'skipped']);
    await assertOver(storage, id, 'failed');
  },

  'what it lacks, and what stays blocked, is refused by its name': async ({ storage }, flows) => {
    const steps = [step('a'), step('b', ['a']), step('x'), step('y', ['x'])];
    const { runId, worker } = await openFlow(storage, steps);
    await runAll(storage, worker, failing('a', 'x'));
    const before = await stepsOf(storage, runId);
    for (const [name, ...others] of [['b'], ['b', 'x'], ['y', 'a', 'b'], ['nobody', 'a']] as const) {
      await assert.rejects(
        () => flows.retryFlow(runId, [...others, name]),
        (error: unknown) => error instanceof InvalidOptionError && error.message.includes(`"${name}"`),
      );
    }
    assert.deepEqual(await stepsOf(storage, runId), before);
    assert.equal((await flowOf(storage, runId)).verdict, 'failed');
  },

  'what is blocked may be named beside what it waits for, at any distance, and comes after that': async ({
    storage,
  }) => {
    const steps = [step('a'), step('x'), step('b', ['a', 'x']), step('c', ['b'])];
    const { runId, worker } = await openFlow(storage, steps);
    await runAll(storage, worker, failing('a', 'x'));
    const { id } = await retry(storage, runId, ['c', 'a', 'b']);
    assert.deepEqual(await statesOf(storage, id), { a: 'released', x: 'failed', b: 'waiting', c: 'waiting' });
    assert.deepEqual(await runAll(storage, worker), ['a', 'b', 'c']);
    await assertOver(storage, id, 'failed');
  },

  'of a map runs the instances again that have not ended well, with their items': async ({ storage }) => {
    const steps = [step('list'), step('each', ['list'], { map: true }), step('sum', ['each'])];
    const { runId, worker } = await openFlow(storage, steps);
    await runAll(storage, worker, (key) =>
      key === 'list' ? { result: ['x', 'y', 'z'] } : failing('each.0', 'each.2')(key),
    );
    const { id } = await retry(storage, runId);
    assert.deepEqual(await statesOf(storage, id), {
      list: 'succeeded',
      each: 'released',
      'each.0': 'released',
      'each.1': 'succeeded',
      'each.2': 'released',
      sum: 'waiting',
    });
    const runs = await claimSteps(storage, worker);
    assert.deepEqual(
      [runs['each.0'].payload, runs['each.2'].payload, Object.keys(runs).length],
      ['x', 'z', 2],
    );
    await settle(storage, runs['each.2'], { result: 'at last' });
    await settle(storage, runs['each.0'], { outcome: 'failed' });
    const { id: last } = await retry(storage, id, ['each']);
    assert.deepEqual(await runAll(storage, worker, failing()), ['each.0', 'sum']);
    await assertOver(storage, last, 'succeeded', { sum: 'of sum' });
    const results = await Promise.all([0, 1, 2].map((nth) => stepOf(storage, last, `each.${nth}`)));
    assert.deepEqual(
      results.map(({ result }) => result),
      ['of each.0', 'of each.1', 'at last'],
    );
  },

  'of the list of a map makes the map anew, also where it had been empty or no list': async ({ storage }) => {
    const steps = [step('list'), step('each', ['list'], { map: true }), step('bad')];
    for (const first of [[1, 2, 3], [], 'none']) {
      const { runId, worker } = await openFlow(storage, steps);
      await runAll(storage, worker, (key) => (key === 'list' ? { result: first } : failing('bad')(key)));
      const { id } = await retry(storage, runId, ['list', 'bad']);
      assert.deepEqual(await statesOf(storage, id), { list: 'released', each: 'waiting', bad: 'released' });
      const ran = await runAll(storage, worker, (key) => (key === 'list' ? { result: ['a', 'b'] } : {}));
      assert.deepEqual(ran, ['bad', 'list', 'each.0', 'each.1']);
      await assertOver(storage, id, 'succeeded', { each: [null, null], bad: null });
    }
  },

  'of a map that had no list asks for the list again': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('list'), step('each', ['list'], { map: true })]);
    await runAll(storage, worker, () => ({ result: 'none' }));
    const { id } = await retry(storage, runId);
    assert.deepEqual(await statesOf(storage, id), { list: 'succeeded', each: 'failed' });
    await assertOver(storage, id, 'failed');
    const { id: last } = await retry(storage, id, ['list', 'each']);
    assert.deepEqual(await runAll(storage, worker, () => ({ result: [] })), ['list']);
    await assertOver(storage, last, 'succeeded', { each: null });
  },

  'of a map that had succeeded makes all of its instances anew': async ({ storage }) => {
    const steps = [step('list'), step('each', ['list'], { map: true }), step('bad')];
    const { runId, worker } = await openFlow(storage, steps);
    await runAll(storage, worker, (key) => (key === 'list' ? { result: [1, 2] } : failing('bad')(key)));
    const { id } = await retry(storage, runId, ['each']);
    assert.deepEqual(await runAll(storage, worker, failing()), ['each.0', 'each.1']);
    assert.equal((await flowOf(storage, id)).verdict, 'failed');
  },

  'what a step had added that runs again is added by that only': async ({ storage }) => {
    const steps = [step('a'), step('bad'), step('join', ['a', 'bad'], { otherwise: 'run' })];
    const { runId, worker } = await openFlow(storage, steps);
    const added = [step('x', ['a']), step('y', ['x'])];
    const joined = [{ parent: 'y', child: 'join', data: true }];
    await runAll(storage, worker, (key) => {
      if (key === 'a') return { flowStep: { added, joined } };
      return key === 'y' ? { flowStep: { added: [step('z')] } } : failing('bad')(key);
    });
    assert.deepEqual(Object.keys(await statesOf(storage, runId)), ['a', 'bad', 'join', 'x', 'y', 'z']);
    const { id } = await retry(storage, runId, ['a', 'bad']);
    assert.deepEqual(await statesOf(storage, id), { a: 'released', bad: 'released', join: 'waiting' });
    const { need, after, ok, bad } = await stepOf(storage, id, 'join');
    assert.deepEqual([need, ok, bad], [2, 0, 0]);
    assert.deepEqual(
      after.map(({ parent }) => parent),
      ['a', 'bad'],
    );
    const ran = await runAll(storage, worker, (key) => (key === 'a' ? { flowStep: { added, joined } } : {}));
    assert.deepEqual(ran, ['a', 'bad', 'x', 'y', 'join']);
    await assertOver(storage, id, 'succeeded', { join: null });
  },

  'what a step had added that does not run again stays': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('a'), step('b', ['a'])]);
    const added = [step('x', ['a']), step('y', ['x'])];
    await runAll(storage, worker, (key) => (key === 'a' ? { flowStep: { added } } : failing('x')(key)));
    assert.deepEqual(await statesOf(storage, runId), {
      a: 'succeeded',
      b: 'succeeded',
      x: 'failed',
      y: 'blocked',
    });
    const { id } = await retry(storage, runId);
    assert.deepEqual(await runAll(storage, worker), ['x', 'y']);
    await assertOver(storage, id, 'succeeded', { b: 'of b', y: null });
  },

  'has the deadline that the first had': async ({ storage, clock }) => {
    const { runId, worker } = await openFlow(storage, [step('a')], { deadlineInMs: hour });
    await clock.advance(minute);
    await runAll(storage, worker, failing('a'));
    await clock.advance(5 * hour);
    const { id, dueAt } = await retry(storage, runId);
    assertNear(dueAt, (await storage.now()) + hour, 'The deadline');
    await runNext(storage, worker, { outcome: 'snoozed', retryInMs: day });
    await clock.advance(hour + minute);
    const late = await claimOne(storage, worker);
    assert.deepEqual([late.id, late.openedAt !== undefined], [id, true]);
    await settle(storage, late, { outcome: 'timed_out' });
    const { id: last } = await retry(storage, id);
    assert.deepEqual(await runAll(storage, worker), ['a']);
    await assertOver(storage, last, 'succeeded', { a: null });
  },

  'a step has the durable steps of its run that failed, not of one that had succeeded': async ({
    storage,
  }) => {
    const { runId, worker } = await openFlow(storage, [step('good'), step('bad')]);
    const { good, bad } = await claimSteps(storage, worker);
    for (const run of [good, bad]) {
      const place = {
        name: 'charge',
        kind: 'step',
        position: 1,
        attempt: 1,
        startedAt: run.nominalAt,
      } as const;
      const durable = { ...place, ended: 1, result: 7 };
      assert.equal(await storage.recordRunStep(holdOf(run), durable), true);
    }
    await settle(storage, good);
    await settle(storage, bad, { outcome: 'failed' });
    await retry(storage, runId, ['good', 'bad']);
    const again = await claimSteps(storage, worker);
    assert.deepEqual(
      (await storage.queryRunSteps(again.bad.id)).map(({ name }) => name),
      ['charge'],
    );
    assert.deepEqual(await storage.queryRunSteps(again.good.id), []);
  },

  'its callback is that of the run that it is then': async ({ storage }) => {
    const policies = { onSuccess: { handler: 'work' } };
    const { runId, worker } = await openFlow(storage, [step('a')], { job: { policies } });
    await runAll(storage, worker, failing('a'));
    const { id } = await retry(storage, runId);
    await runNext(storage, worker);
    const callback = await claimOne(storage, worker);
    assert.deepEqual((callback.payload as { runId: string }).runId, id);
  },

  'from steps by name run these after those of their parents that run again, whatever the others have come to':
    async ({ storage }) => {
      const steps = [
        step('a'),
        step('x'),
        step('y'),
        step('never', ['x']),
        step('cancels', ['a', 'x'], { otherwise: 'cancel' }),
        step('blocks', ['a', 'x', 'y']),
        step('next', ['cancels']),
      ];
      const { runId, worker } = await openFlow(storage, steps);
      const { a, x, y } = await claimSteps(storage, worker);
      await settle(storage, y);
      await settle(storage, x, { outcome: 'failed', error: 'no' });
      await settle(storage, a);
      assert.equal((await stepOf(storage, runId, 'cancels')).state, 'cancelled');
      const again = await storage.flows!.retryFlow(runId, ['a', 'cancels']);
      assert.deepEqual(await statesOf(storage, again!.id), {
        ...{ a: 'released', x: 'failed', y: 'succeeded', never: 'waiting' },
        ...{ cancels: 'waiting', blocks: 'waiting', next: 'waiting' },
      });
      assert.deepEqual(await runAll(storage, worker), ['a', 'cancels', 'next']);
      assert.deepEqual(await statesOf(storage, again!.id), {
        ...{ a: 'succeeded', x: 'failed', y: 'succeeded', never: 'blocked' },
        ...{ cancels: 'succeeded', blocks: 'blocked', next: 'succeeded' },
      });
      // One of them that fails again counts.
      const third = await storage.flows!.retryFlow(again!.id, ['a', 'cancels']);
      await settle(storage, await claimOne(storage, worker), { outcome: 'failed', error: 'no' });
      assert.equal((await stepOf(storage, third!.id, 'cancels')).state, 'cancelled');
    },
});
