import assert from 'node:assert/strict';
import {
  InvalidWorkflowError,
  type ClaimedRun,
  type Run,
  type Settlement,
  type StorageAdapter,
} from '../../index.js';
import { addRecurring, claimOne, fireOne, holdOf, settle } from './fixture.js';
import {
  assertOver,
  claimSteps,
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
} from './flow.fixture.js';

const bad: Partial<Settlement> = { outcome: 'failed', error: 'boom' };
const skipped: Partial<Settlement> = { flowStep: { skipped: 'nothing to do' } };

/** From the failed steps. */
async function retry(storage: StorageAdapter, runId: string): Promise<Run> {
  const run = await storage.flows!.retryFlow(runId, null);
  assert.ok(run, `The run ${runId} should be retried.`);
  return run;
}

/** Keeps a durable step of a run, and a signal that it has taken and one that it has not. */
async function leave(storage: StorageAdapter, run: ClaimedRun): Promise<void> {
  const place = { name: 'charge', kind: 'step', position: 1, attempt: 1, startedAt: run.nominalAt } as const;
  assert.equal(await storage.recordRunStep(holdOf(run), { ...place, ended: 1, result: 7 }), true);
  for (const payload of ['alice', 'bob'])
    assert.equal(await storage.sendRunSignal(run.id, { name: 'ok', payload }), 'sent');
  assert.equal(await taken(storage, run, 'first'), 'alice');
}

/** What a wait for the signal of `leave` gets; null: there is none. */
async function taken(storage: StorageAdapter, run: ClaimedRun, name: string): Promise<unknown> {
  const { attempt, nominalAt: startedAt } = run;
  const place = { name, kind: 'signal', position: 1, attempt, startedAt } as const;
  const found = await storage.takeRunSignal(holdOf(run), {
    ...place,
    signal: 'ok',
    until: null,
    after: [],
    ended: 1,
  });
  assert.ok(found, `The run ${run.id} should be in these hands.`);
  return found.finishedAt === null ? null : found.result;
}

/** That of `leave` is there, in its first attempt. */
async function assertGoesOn(storage: StorageAdapter, run: ClaimedRun): Promise<void> {
  assert.ok(run.fence > 1, 'It should know that there are durable steps.');
  assert.equal(run.attempt, 1);
  const names = new Set((await storage.queryRunSteps(run.id)).map(({ name }) => name));
  assert.deepEqual([names.has('charge'), names.has('first')], [true, true]);
  assert.equal(await taken(storage, run, 'first'), 'alice');
  assert.equal(await taken(storage, run, 'second'), 'bob');
}

export const flowRetryKeptLaws = flowLawsOf('retries of flows from the failed steps', {
  'run nothing again that has ended well, whatever of its parents does, nor what comes after it': async ({
    storage,
  }) => {
    const { runId, worker } = await openFlow(storage, [
      step('stock'),
      step('crm'),
      step('pay', ['stock', 'crm'], { need: 1 }),
      step('report', ['crm'], { otherwise: 'run' }),
      step('ship', ['pay']),
      step('skip', ['report']),
      step('may', ['crm'], { otherwise: 'run', allowFailure: true }),
      step('stuck', ['crm', 'stock']),
    ]);
    const ends: Record<string, Partial<Settlement>> = { crm: bad, may: bad, skip: skipped };
    const ran = await runAll(storage, worker, (key) => ends[key] ?? { result: `of ${key}` });
    assert.deepEqual(ran.toSorted(), ['crm', 'may', 'pay', 'report', 'ship', 'skip', 'stock']);
    const names = ['stock', 'pay', 'report', 'ship', 'skip', 'may'];
    const keptOf = async (id: string) => {
      const steps = await stepsOf(storage, id, { names, results: true });
      return steps.map((each) => ({ ...each, ok: null, bad: null }));
    };
    const before = await keptOf(runId);
    const { id } = await retry(storage, runId);
    assert.deepEqual(await keptOf(id), before);
    const { ok, bad: notWell } = await stepOf(storage, id, 'pay');
    assert.deepEqual([ok, notWell], [1, 0], 'One of its parents runs again.');
    assert.deepEqual(await runAll(storage, worker), ['crm', 'stuck']);
    assert.deepEqual(await keptOf(id), before);
    for (const name of ['pay', 'report']) {
      const { ok: well, bad: others, after } = await stepOf(storage, id, name);
      assert.deepEqual([well, others], [after.length, 0], name);
    }
    await assertOver(storage, id, 'succeeded', {
      ship: 'of ship',
      skip: null,
      may: null,
      stuck: null,
    });
  },

  'are told apart from those that name a step: that runs all that comes after it': async (
    { storage },
    flows,
  ) => {
    const { runId, worker } = await openFlow(storage, [
      step('crm'),
      step('report', ['crm'], { otherwise: 'run' }),
    ]);
    await runAll(storage, worker, (key) => (key === 'crm' ? bad : {}));
    const { id } = (await flows.retryFlow(runId, ['crm']))!;
    assert.deepEqual(await statesOf(storage, id), { crm: 'released', report: 'waiting' });
    assert.deepEqual(await runAll(storage, worker), ['crm', 'report']);
  },

  'let a step go on at once that needs no parent which runs again, with all that it has left': async ({
    storage,
  }) => {
    const { runId, worker } = await openFlow(storage, [
      step('stock'),
      step('crm'),
      step('pay', ['stock', 'crm'], { need: 1 }),
      step('ship', ['pay']),
    ]);
    const { stock, crm } = await claimSteps(storage, worker);
    await settle(storage, stock);
    await settle(storage, crm, bad);
    const { pay } = await claimSteps(storage, worker);
    await leave(storage, pay);
    await settle(storage, pay, bad);
    const { id } = await retry(storage, runId);
    assert.deepEqual(await statesOf(storage, id), {
      stock: 'succeeded',
      crm: 'released',
      pay: 'released',
      ship: 'waiting',
    });
    const again = await claimSteps(storage, worker);
    await assertGoesOn(storage, again.pay);
    await settle(storage, again.pay);
    assert.deepEqual(Object.keys(await claimSteps(storage, worker)), ['ship']);
    assert.equal((await flowOf(storage, id)).verdict, null);
  },

  'let a step wait for parents that run again as far as it needs them, and go on then with all that it has left':
    async ({ storage }) => {
      const { runId, worker } = await openFlow(storage, [
        step('stock'),
        step('crm'),
        step('report', ['stock', 'crm'], { otherwise: 'run' }),
      ]);
      const { stock, crm } = await claimSteps(storage, worker);
      await settle(storage, stock);
      await settle(storage, crm, bad);
      const { report } = await claimSteps(storage, worker);
      await leave(storage, report);
      await settle(storage, report, bad);
      let { id } = await retry(storage, runId);
      for (const end of [bad, {}]) {
        assert.deepEqual(await statesOf(storage, id), {
          stock: 'succeeded',
          crm: 'released',
          report: 'waiting',
        });
        const { ok, bad: notWell, runId: none, releasedAt } = await stepOf(storage, id, 'report');
        assert.deepEqual([ok, notWell, none, releasedAt], [1, 0, null, null]);
        await runNext(storage, worker, end);
        const again = await claimSteps(storage, worker);
        await assertGoesOn(storage, again.report);
        await settle(storage, again.report, end);
        if (end === bad) ({ id } = await retry(storage, id));
      }
      await assertOver(storage, id, 'succeeded', { report: null });
    },

  'leave what a step had begun by its name to it, also where it is blocked, or cancelled as it waits': async (
    { storage },
    flows,
  ) => {
    await addRecurring(storage);
    const worker = await lastingWorker(storage);
    const opener = await fireOne(storage, worker);
    await openAs(storage, opener, [step('a'), step('b', ['a'], { otherwise: 'cancel' }), step('c', ['b'])]);
    await runNext(storage, worker, bad);
    let { id } = (await flows.retryFlow(opener.id, ['b']))!;
    const b = await claimOne(storage, worker);
    await leave(storage, b);
    await settle(storage, b, bad);
    ({ id } = await retry(storage, id));
    await runNext(storage, worker, bad);
    assert.deepEqual(await statesOf(storage, id), { a: 'failed', b: 'cancelled', c: 'blocked' });
    ({ id } = await retry(storage, id));
    assert.deepEqual(await statesOf(storage, id), { a: 'released', b: 'waiting', c: 'waiting' });
    await storage.cancelRun(id);
    assert.deepEqual(await statesOf(storage, id), { a: 'cancelled', b: 'cancelled', c: 'cancelled' });
    ({ id } = await retry(storage, id));
    await runNext(storage, worker);
    const again = await claimOne(storage, worker);
    await assertGoesOn(storage, again);
    await settle(storage, again);
    assert.deepEqual(await runAll(storage, worker), ['c']);
    await assertOver(storage, id, 'succeeded', { c: null });
  },

  'leave a step that is blocked once more what it had begun': async ({ storage }, flows) => {
    const { runId, worker } = await openFlow(storage, [step('a'), step('b', ['a'])]);
    await runNext(storage, worker, bad);
    let { id } = await retry(storage, runId);
    await runNext(storage, worker);
    const b = await claimOne(storage, worker);
    await leave(storage, b);
    await settle(storage, b, bad);
    ({ id } = (await flows.retryFlow(id, ['a', 'b']))!);
    await runNext(storage, worker, bad);
    assert.equal((await stepOf(storage, id, 'b')).state, 'blocked');
    ({ id } = await retry(storage, id));
    await runNext(storage, worker);
    const anew = await claimOne(storage, worker);
    assert.equal(anew.fence, 1, 'It came after what was named.');
    assert.deepEqual(await storage.queryRunSteps(anew.id), []);
  },

  'let a map that waits again keep the instances that have ended well, and the others what they have left':
    async ({ storage }) => {
      const { runId, worker } = await openFlow(storage, [
        step('list'),
        step('crm'),
        step('each', ['list', 'crm'], {
          map: true,
          otherwise: 'run',
          after: [
            { parent: 'list', data: true },
            { parent: 'crm', data: false },
          ],
        }),
        step('sum', ['each']),
      ]);
      const { list, crm } = await claimSteps(storage, worker);
      await settle(storage, list, { result: ['x', 'y', 'z'] });
      await settle(storage, crm, bad);
      const runs = await claimSteps(storage, worker);
      await settle(storage, runs['each.0'], { result: 'kept' });
      await leave(storage, runs['each.1']);
      await settle(storage, runs['each.1'], bad);
      await settle(storage, runs['each.2'], bad);
      const kept = await stepOf(storage, runId, 'each.0');
      let { id } = await retry(storage, runId);
      for (const end of [bad, {}]) {
        assert.deepEqual(await statesOf(storage, id), {
          list: 'succeeded',
          crm: 'released',
          each: 'waiting',
          'each.0': 'succeeded',
          'each.1': 'waiting',
          'each.2': 'waiting',
          sum: 'waiting',
        });
        assert.deepEqual(await stepOf(storage, id, 'each.0'), kept);
        await runNext(storage, worker, end);
        assert.equal((await stepOf(storage, id, 'each')).state, 'released');
        const again = await claimSteps(storage, worker);
        assert.deepEqual(
          Object.fromEntries(Object.entries(again).map(([key, { payload }]) => [key, payload])),
          { 'each.1': 'y', 'each.2': 'z' },
        );
        await assertGoesOn(storage, again['each.1']);
        for (const run of Object.values(again)) await settle(storage, run, { result: 'now', ...end });
        if (end === bad) ({ id } = await retry(storage, id));
      }
      assert.deepEqual(await runAll(storage, worker), ['sum']);
      await assertOver(storage, id, 'succeeded', { sum: null });
      const results = await Promise.all([0, 1, 2].map((nth) => stepOf(storage, id, `each.${nth}`)));
      assert.deepEqual(
        results.map(({ result }) => result),
        ['kept', 'now', 'now'],
      );
    },

  'give the instances of a map after a map, which go on behind it, the items that these have come to':
    async ({ storage }) => {
      const { runId, worker } = await openFlow(storage, [
        step('list'),
        step('each', ['list'], { map: true }),
        step('next', ['each'], { map: true, otherwise: 'run' }),
      ]);
      const ends: Record<string, Partial<Settlement>> = {
        list: { result: [1, 2] },
        'each.0': { result: 'one' },
        'each.1': bad,
        'next.1': bad,
      };
      await runAll(storage, worker, (key) => ends[key] ?? {});
      const { id } = await retry(storage, runId);
      await runNext(storage, worker, { result: 'two' });
      const last = await runNext(storage, worker);
      assert.deepEqual([last.flowStep!.nth, last.payload], [1, 'two']);
      await assertOver(storage, id, 'succeeded', { next: [null, null] });
    },

  'let a map that waits be cancelled with its instances, and go on after that': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await lastingWorker(storage);
    const opener = await fireOne(storage, worker);
    await openAs(storage, opener, [
      step('list'),
      step('each', ['list'], { map: true }),
      step('next', ['each'], { map: true, otherwise: 'run' }),
    ]);
    await runAll(storage, worker, (key) =>
      key === 'list' ? { result: [1, 2] } : ['each.1', 'next.1'].includes(key) ? bad : { result: key },
    );
    let { id } = await retry(storage, opener.id);
    await storage.cancelRun(id);
    const cancelled = await statesOf(storage, id);
    assert.deepEqual(
      [cancelled.next, cancelled['next.0'], cancelled['next.1']],
      ['cancelled', 'succeeded', 'cancelled'],
    );
    ({ id } = await retry(storage, id));
    assert.deepEqual(await runAll(storage, worker), ['each.1', 'next.1']);
    assert.equal((await flowOf(storage, id)).verdict, 'succeeded');
  },

  'have a step that is a workflow wait for its parents, and begin it anew': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [
      step('crm'),
      step('inner', ['crm'], { otherwise: 'run' }),
    ]);
    await runNext(storage, worker, bad);
    await openAs(storage, await claimOne(storage, worker), [step('x')]);
    await runNext(storage, worker, bad);
    const { id } = await retry(storage, runId);
    assert.deepEqual(await statesOf(storage, id), { crm: 'released', inner: 'waiting' });
    await runNext(storage, worker);
    const inner = await claimOne(storage, worker);
    await openAs(storage, inner, [step('x')]);
    assert.deepEqual(await statesOf(storage, inner.id), { x: 'released' });
    assert.deepEqual(await runAll(storage, worker), ['x']);
    assert.equal((await flowOf(storage, id)).verdict, 'succeeded');
  },

  'skip what never began where by now all of its parents were skipped': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await lastingWorker(storage);
    const opener = await fireOne(storage, worker);
    await openAs(storage, opener, [
      step('left'),
      step('right'),
      step('join', ['left', 'right'], { need: 1 }),
    ]);
    const { left, right } = await claimSteps(storage, worker);
    await settle(storage, left, skipped);
    await storage.cancelRun(opener.id);
    await settle(storage, right, skipped);
    assert.deepEqual(await statesOf(storage, opener.id), {
      left: 'skipped',
      right: 'skipped',
      join: 'cancelled',
    });
    const { id } = await retry(storage, opener.id);
    assert.equal((await stepOf(storage, id, 'join')).state, 'skipped');
    await assertOver(storage, id, 'succeeded', { join: null });
  },

  'refuse an edge into what has ended well, by the name of that, as it does not run again': async ({
    storage,
  }) => {
    const { runId, worker } = await openFlow(storage, [
      step('a'),
      step('report', ['a'], { otherwise: 'run' }),
    ]);
    await runAll(storage, worker, (key) => (key === 'a' ? bad : {}));
    await retry(storage, runId);
    const a = await claimOne(storage, worker);
    const growth = { added: [step('x')], joined: [{ parent: 'x', child: 'report', data: true }] };
    await assert.rejects(
      () => settle(storage, a, { flowStep: growth }),
      (error: unknown) => error instanceof InvalidWorkflowError && error.message.includes('"report"'),
    );
    await settle(storage, a, { flowStep: { added: growth.added } });
    assert.deepEqual(await runAll(storage, worker), ['x']);
  },
});
