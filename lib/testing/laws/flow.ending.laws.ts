import assert from 'node:assert/strict';
import type { Capability, ClaimedRun, NewFlowStep, RunVerdict, StorageAdapter } from '../../index.js';
import type { StorageSubject } from '../law.js';
import {
  accepts,
  addRecurring,
  claimOne,
  day,
  fireDue,
  fireOne,
  hour,
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
  statesOf,
  step,
  stepOf,
  verdictOf,
} from './flow.fixture.js';

const job = { handler: 'open' };

/** How it is decided from outside that a flow ends, and as what. */
const ways: Record<string, [RunVerdict, (subject: StorageSubject, runId: string) => Promise<unknown>]> = {
  'a cancel': ['cancelled', ({ storage }, runId) => storage.cancelRun(runId)],
  'a success from outside': [
    'succeeded',
    ({ storage }, runId) => endOpen(storage, runId, { result: 'given' }),
  ],
  'a failure from outside': [
    'failed',
    ({ storage }, runId) => endOpen(storage, runId, { outcome: 'failed', error: 'no' }),
  ],
  'its deadline': ['timed_out', ({ storage, clock }, runId) => timeOut(storage, clock, runId)],
};

async function timeOut(
  storage: StorageAdapter,
  clock: StorageSubject['clock'],
  runId: string,
): Promise<void> {
  await clock.advance(2 * hour);
  const late = await claimOne(storage, await lastingWorker(storage));
  assert.equal(late.id, runId);
  await settle(storage, late, { outcome: 'timed_out', error: 'late' });
}

interface Begun {
  runId: string;
  worker: Capability;
  run: ClaimedRun;
}

/** Of a recurring job, with one step in the hands of a worker. */
async function begin(storage: StorageAdapter, steps: readonly NewFlowStep[] = [step('a')]): Promise<Begun> {
  await addRecurring(storage);
  const worker = await lastingWorker(storage);
  const opener = await fireOne(storage, worker);
  await openAs(storage, opener, steps);
  return { runId: opener.id, worker, run: await claimOne(storage, worker) };
}

export const flowEndingLaws = flowLawsOf('flows that are ending', {
  ...Object.fromEntries(
    Object.entries(ways).map(([way, [outcome, decide]]) => [
      `by ${way} are open until the last step in the hands of a worker has ended, and have that verdict then`,
      async (subject: StorageSubject): Promise<void> => {
        const { storage } = subject;
        const steps = [step('a'), step('b'), step('next', ['a'])];
        const { runId, worker } = await openFlow(storage, steps, { job, deadlineInMs: hour });
        const { a, b } = await claimSteps(storage, worker);
        await decide(subject, runId);
        const isOpen = async (): Promise<void> => {
          const { verdict, ending, endedAt } = await flowOf(storage, runId);
          assert.deepEqual([verdict, ending, endedAt], [null, outcome, null]);
          const run = only(await runsOf(storage), 'run');
          assert.deepEqual([run.id, run.state, run.dueAt, run.finishedAt], [runId, 'open', null, null]);
          assert.deepEqual((await storage.queryAttempts({ runId, finalOnly: true }, {})).items, []);
        };
        await isOpen();
        await settle(storage, a);
        await isOpen();
        assert.deepEqual(await statesOf(storage, runId), {
          a: 'succeeded',
          b: 'released',
          next: 'cancelled',
        });
        // What comes later decides nothing.
        assert.equal(await endOpen(storage, runId, { result: 'later' }), false);
        assert.equal(await storage.cancelRun(runId), 'requested');
        await subject.clock.advance(2 * day);
        assert.deepEqual((await storage.claim(worker, 10)).runs, [], 'Its deadline is none any more.');
        await isOpen();
        await settle(storage, b, { outcome: 'cancelled' });
        const { verdict, ending, endedAt } = await flowOf(storage, runId);
        const asFlow = outcome === 'timed_out' ? 'cancelled' : outcome;
        assert.deepEqual([verdict, ending, endedAt !== null], [asFlow, null, true]);
        const row = await verdictOf(storage, runId);
        const error = { failed: 'no', timed_out: 'late' }[outcome as string] ?? null;
        assert.deepEqual(
          [row.outcome, row.error, row.result],
          [outcome, error, outcome === 'succeeded' ? 'given' : null],
        );
        assert.ok(row.startedAt !== null);
        assert.deepEqual(await claimSteps(storage, worker), {});
      },
    ]),
  ),

  'with nothing in the hands of a worker are over at once': async (subject) => {
    const { storage } = subject;
    const steps = [step('due'), step('later', [], { delayMs: day }), step('open', [], { kind: 'manual' })];
    const { runId } = await openFlow(storage, steps, { job });
    assert.equal(await storage.cancelRun(runId), 'cancelled');
    assert.equal((await flowOf(storage, runId)).verdict, 'cancelled');
    assert.equal((await verdictOf(storage, runId)).outcome, 'cancelled');
  },

  'grow by nothing that a step adds as it ends': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('a'), step('b')], { job });
    const { a, b } = await claimSteps(storage, worker);
    await storage.cancelRun(runId);
    await settle(storage, a, { flowStep: { added: [step('more')] } });
    await settle(storage, b);
    assert.deepEqual(await statesOf(storage, runId), { a: 'succeeded', b: 'succeeded' });
    assert.deepEqual(await claimSteps(storage, worker), {});
    assert.equal((await flowOf(storage, runId)).verdict, 'cancelled');
  },

  'are over when the lease of the worker that has the last step ends; that does not run again': async (
    { storage },
    flows,
  ) => {
    const { runId, worker } = await openFlow(storage, [step('a'), step('b', ['a'])], { job });
    await claimOne(storage, worker);
    await endOpen(storage, runId, { outcome: 'failed', error: 'no' });
    await storage.unregister(worker.workerId);
    assert.equal((await flowOf(storage, runId)).verdict, null);
    await storage.releaseLost();
    assert.deepEqual(await statesOf(storage, runId), { a: 'cancelled', b: 'cancelled' });
    await assertOver(storage, runId, 'failed');
    const other = await lastingWorker(storage);
    assert.deepEqual(await claimSteps(storage, other), {});
    assert.ok(await flows.retryFlow(runId, null));
    assert.deepEqual(await runAll(storage, other), ['a', 'b']);
  },

  'are over when the last step comes back unstarted': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('a')], { job });
    const { id, fence, worker: holder } = await claimOne(storage, worker);
    await storage.cancelRun(runId);
    await storage.giveBack([{ runId: id, fence, worker: holder }]);
    assert.deepEqual(await statesOf(storage, runId), { a: 'cancelled' });
    assert.equal((await flowOf(storage, runId)).verdict, 'cancelled');
  },

  'are neither paused nor resumed; one that is paused ends all the same': async ({ storage }, flows) => {
    const { runId, worker } = await openFlow(storage, [step('a'), step('b')], { job });
    const first = only((await storage.claim(worker, 1)).runs, 'run');
    await flows.pauseFlow(runId);
    assert.equal(await storage.cancelRun(runId), 'requested');
    const { pausedAt, ending } = await flowOf(storage, runId);
    assert.deepEqual([pausedAt, ending], [null, 'cancelled']);
    assert.equal(await flows.pauseFlow(runId), false);
    assert.equal(await flows.resumeFlow(runId), false);
    await settle(storage, first);
    assert.equal((await flowOf(storage, runId)).verdict, 'cancelled');
  },

  'are not retried, by themselves or as jobs': async ({ storage }, flows) => {
    const { runId, worker } = await openFlow(storage, [step('a')], { job });
    const a = await claimOne(storage, worker);
    await endOpen(storage, runId, { outcome: 'failed', error: 'no' });
    assert.equal(await flows.retryFlow(runId, null), null);
    assert.deepEqual(await storage.retryRuns([runId]), []);
    const now = await storage.runNow(ref('job'));
    assert.deepEqual([now!.id, now!.state], [runId, 'open']);
    assert.deepEqual(await flows.queryRunningSteps(runId), [
      { name: 'a', nth: null, flowRunId: runId, workflow: 'nightly' },
    ]);
    await settle(storage, a, { outcome: 'cancelled' });
    assert.ok(await flows.retryFlow(runId, null));
  },

  'that were to be tried again are not, once they are cancelled': async ({ storage }) => {
    const { runId, worker, run } = await begin(storage);
    await endOpen(storage, runId, { outcome: 'failed', error: 'no', retryInMs: -second });
    assert.equal(await storage.cancelRun(runId), 'requested');
    await settle(storage, run);
    assert.equal((await verdictOf(storage, runId)).outcome, 'failed');
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
  },

  'as steps of others end these only with that': async ({ storage }) => {
    const steps = [step('pay'), step('refund', ['pay'], { otherwise: 'run' })];
    const { runId, worker } = await openFlow(storage, steps, { job });
    const pay = await claimOne(storage, worker);
    await openAs(storage, pay, [step('charge')], { workflow: 'inner' });
    const charge = await claimOne(storage, worker);
    await endOpen(storage, pay.id, { outcome: 'timed_out', error: 'late' });
    assert.deepEqual(await statesOf(storage, runId), { pay: 'released', refund: 'waiting' });
    assert.deepEqual(await claimSteps(storage, worker), {});
    await settle(storage, charge, { outcome: 'cancelled' });
    assert.deepEqual(
      [(await stepOf(storage, runId, 'pay')).state, await runAll(storage, worker)],
      ['timed_out', ['refund']],
    );
    assert.equal((await flowOf(storage, runId)).verdict, 'failed');
  },

  'have the flows in them end first, however deep': async ({ storage }) => {
    const { runId, worker } = await openFlow(storage, [step('sub'), step('other')], { job });
    const { sub, other } = await claimSteps(storage, worker);
    await openAs(storage, sub, [step('deeper')], { workflow: 'middle' });
    const { deeper } = await claimSteps(storage, worker);
    await openAs(storage, deeper, [step('leaf')], { workflow: 'inner' });
    const { leaf } = await claimSteps(storage, worker);
    await storage.cancelRun(runId);
    await settle(storage, other);
    for (const id of [runId, sub.id, deeper.id])
      assert.equal((await flowOf(storage, id)).ending, 'cancelled');
    await settle(storage, leaf, { outcome: 'cancelled' });
    for (const id of [runId, sub.id, deeper.id]) {
      assert.equal((await flowOf(storage, id)).verdict, 'cancelled');
      assert.equal((await verdictOf(storage, id)).outcome, 'cancelled');
    }
    assert.deepEqual(await statesOf(storage, runId), { sub: 'cancelled', other: 'succeeded' });
  },

  'have the next run of their job left out, by `skip`': async ({ storage, clock }) => {
    const { runId, worker, run } = await begin(storage);
    await storage.cancelRun(runId);
    await clock.advance(day);
    assert.equal((await fireDue(storage, worker, { overlap: 'skip' })).skipped.length, 1);
    await settle(storage, run, { outcome: 'cancelled' });
    await clock.advance(day);
    assert.equal((await fireDue(storage, worker, { overlap: 'skip' })).runs.length, 1);
  },

  ...Object.fromEntries(
    (['queue', 'cancel-running'] as const).map((overlap) => [
      `have the next run of their job wait, by \`${overlap}\``,
      async ({ storage, clock }: StorageSubject): Promise<void> => {
        const { runId, worker, run } = await begin(storage);
        if (overlap === 'queue') await storage.cancelRun(runId);
        await clock.advance(day);
        assert.deepEqual((await fireDue(storage, worker, { overlap })).runs, []);
        assert.equal((await flowOf(storage, runId)).ending, 'cancelled');
        await clock.advance(day);
        await fireDue(storage, worker, { overlap });
        assert.deepEqual((await storage.claim(worker, 10)).runs, []);
        await settle(storage, run, { outcome: 'cancelled' });
        assert.equal((await verdictOf(storage, runId)).outcome, 'cancelled');
        const { runs } = await storage.claim(worker, 10);
        assert.deepEqual([runs.length, runs[0]!.id === runId], [1, false]);
      },
    ]),
  ),

  'of a job that is deleted end with their last step, and leave nothing': async ({ storage }, flows) => {
    for (const [nth, remove] of [
      () => storage.deleteJob(ref('job')),
      () => storage.changeJobs([ref('job')], { kind: 'delete' }),
    ].entries()) {
      const { runId, run } = nth === 0 ? await begin(storage) : await oneOffBegun(storage);
      await remove();
      assert.equal((await flowOf(storage, runId)).ending, 'cancelled');
      await settle(storage, run);
      assert.equal((await verdictOf(storage, runId)).outcome, 'cancelled');
      assert.deepEqual((await storage.queryRuns({}, {})).items, []);
      assert.equal(await flows.retryFlow(runId, null), null);
    }
  },

  'take no settlement of the worker that had their run at the deadline': async ({ storage, clock }) => {
    const { runId, worker } = await openFlow(storage, [step('a', [], { delayMs: second })], {
      job,
      deadlineInMs: hour,
    });
    await clock.advance(2 * second);
    const a = await claimOne(storage, worker);
    await clock.advance(2 * hour);
    const expiring = await claimOne(storage, worker);
    assert.equal(expiring.id, runId);
    await endOpen(storage, runId, { result: 'in time' });
    const stale = await settlementOf(storage, expiring, { outcome: 'timed_out' });
    assert.deepEqual(await accepts(storage, [stale]), []);
    await settle(storage, a);
    await assertOver(storage, runId, 'succeeded', 'in time');
  },
});

/** The same of a one-off. */
async function oneOffBegun(storage: StorageAdapter): Promise<Begun> {
  const { runId, worker } = await openFlow(storage, [step('a')], { job });
  return { runId, worker, run: await claimOne(storage, worker) };
}
