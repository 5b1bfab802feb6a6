import assert from 'node:assert/strict';
import type { ClaimedRun, NewRunStep, StorageAdapter } from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  assertNear,
  claimOne,
  day,
  eightAtOnce,
  fireOne,
  holdOf,
  hour,
  minute,
  pruneAll,
  ref,
  second,
  settle,
  startWorker,
} from './fixture.js';

function stepOf(run: ClaimedRun, name: string, fields: Partial<NewRunStep> = {}): NewRunStep {
  const place = { name, kind: 'step', position: 1, attempt: run.attempt, startedAt: run.nominalAt } as const;
  return { ...place, ended: 1, result: name, ...fields };
}

const keep = (storage: StorageAdapter, run: ClaimedRun, name: string, fields: Partial<NewRunStep> = {}) =>
  storage.recordRunStep(holdOf(run), stepOf(run, name, fields));

const namesOf = async (storage: StorageAdapter, { id }: Pick<ClaimedRun, 'id'>): Promise<string[]> =>
  (await storage.queryRunSteps(id)).map(({ name }) => name);

/** A run that a worker has. */
async function claimed(storage: StorageAdapter): Promise<ClaimedRun> {
  await addOneOff(storage);
  return claimOne(storage, await startWorker(storage, { leaseMs: minute }));
}

export const stepLaws = lawsOf('durable steps', {
  'are kept as they are, by name': async ({ storage, clock }) => {
    const run = await claimed(storage);
    const results = [null, 0, 'text', [], { deep: [{ er: true }] }, 'x'.repeat(1_000_000)];
    assert.deepEqual(await storage.queryRunSteps(run.id), []);
    const startedAt = await storage.now();
    await clock.advance(2 * second);
    for (const [nth, result] of results.entries()) {
      const position = nth === 2 ? null : nth + 1;
      assert.equal(
        await keep(storage, run, `step ${nth}`, { position, ended: nth + 1, result, startedAt }),
        true,
      );
    }
    const steps = await storage.queryRunSteps(run.id);
    assert.equal(steps.length, results.length);
    for (const [nth, step] of steps.entries()) {
      const { finishedAt, startedAt: began, ...rest } = step;
      assert.ok(finishedAt !== null);
      const position = nth === 2 ? null : nth + 1;
      const kept = { name: `step ${nth}`, kind: 'step', position, attempt: 1, ended: nth + 1 };
      const nothing = { until: null, failures: 0, error: null, signal: null, timedOut: false };
      assert.deepEqual(rest, { ...kept, ...nothing, result: results[nth] });
      assert.equal(began, Math.floor(startedAt));
      assertNear(finishedAt, await storage.now(), 'when it was kept');
    }
  },

  'that have not ended are kept with what they wait for, until they end': async ({ storage, clock }) => {
    const run = await claimed(storage);
    const until = Math.floor(await storage.now()) + hour;
    const { ended: _, result: __, ...place } = stepOf(run, 'a');
    const waits = (fields: object, of: ClaimedRun = run): Promise<boolean> =>
      storage.recordStepWait(holdOf(of), { ...place, until, failures: 0, error: null, ...fields });
    assert.equal(await waits({}), true);
    assert.equal(await waits({ name: 'b', kind: 'sleep' }), true);
    await clock.advance(second);
    assert.equal(await waits({ until: until + 1, failures: 2, error: 'Broken.', attempt: 2 }), true);
    assert.equal(await waits({}, { ...run, fence: run.fence + 1 }), false);
    const shown = async (): Promise<unknown[]> =>
      (await storage.queryRunSteps(run.id)).map((step) => [
        step.name,
        step.kind,
        step.finishedAt !== null,
        step.until,
        step.failures,
        step.error,
        step.attempt,
        step.result,
      ]);
    assert.deepEqual(await shown(), [
      ['a', 'step', false, until + 1, 2, 'Broken.', 2, null],
      ['b', 'sleep', false, until, 0, null, 1, null],
    ]);
    assert.equal(await keep(storage, run, 'a', { attempt: 3, result: 7 }), true);
    assert.equal(await keep(storage, run, 'b', { kind: 'sleep', ended: 2, result: null }), true);
    assert.equal(await waits({}), true);
    assert.deepEqual(await shown(), [
      ['a', 'step', true, null, 2, null, 3, 7],
      ['b', 'sleep', true, until, 0, null, 1, null],
    ]);
  },

  'have names of their own in each run': async ({ storage }) => {
    const worker = await startWorker(storage);
    await addOneOff(storage, { id: 'one' });
    const one = await claimOne(storage, worker);
    await addOneOff(storage, { id: 'other' });
    const other = await claimOne(storage, worker);
    for (const name of ['a', "it's; drop table run --", 'ä "quoted" \\ name', 'A'])
      assert.equal(await keep(storage, one, name), true);
    assert.equal(await keep(storage, other, 'a', { result: 'of the other' }), true);
    assert.deepEqual((await namesOf(storage, one)).toSorted(), [
      'A',
      'a',
      "it's; drop table run --",
      'ä "quoted" \\ name',
    ]);
    const [step] = await storage.queryRunSteps(other.id);
    assert.equal(step!.result, 'of the other');
  },

  'are kept once: the same again, as after a lost answer, changes nothing': async ({ storage }) => {
    const run = await claimed(storage);
    assert.equal(await keep(storage, run, 'a', { result: 1 }), true);
    assert.equal(await keep(storage, run, 'a', { result: 2 }), true);
    const [step] = await storage.queryRunSteps(run.id);
    assert.equal(step!.result, 1);
  },

  'are there for the next attempt': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    const first = await fireOne(storage, worker);
    await keep(storage, first, 'a');
    await settle(storage, first, { outcome: 'failed', retryInMs: -second });
    const retry = await claimOne(storage, worker);
    assert.equal(retry.id, first.id);
    assert.deepEqual(await namesOf(storage, retry), ['a']);
    assert.equal(await keep(storage, retry, 'b'), true);
    const steps = await storage.queryRunSteps(first.id);
    assert.deepEqual(
      steps.map(({ name, attempt }) => [name, attempt]),
      [
        ['a', 1],
        ['b', 2],
      ],
    );
  },

  'are refused of an attempt that has not the run any more': async ({ storage, clock }) => {
    const run = await claimed(storage);
    const { runId, fence, worker } = holdOf(run);
    for (const hold of [
      { runId, fence: fence + 1, worker },
      { runId, fence, worker: 'somebody else' },
      { runId: '987654321', fence, worker },
      { runId: 'none', fence, worker },
    ])
      assert.equal(await storage.recordRunStep(hold, stepOf(run, 'a')), false);
    await clock.advance(2 * minute);
    await storage.releaseLost();
    assert.equal(await keep(storage, run, 'a'), false);
    const next = await claimOne(storage, await startWorker(storage, { name: 'other' }));
    assert.equal(next.id, run.id);
    assert.equal(await keep(storage, run, 'a'), false);
    assert.equal(await keep(storage, next, 'b'), true);
    await settle(storage, next);
    assert.equal(await keep(storage, next, 'c'), false);
    assert.deepEqual(await namesOf(storage, run), ['b']);
  },

  'of a run that is taken back at that moment are found by the next attempt, or refused': async ({
    storage,
    open,
    clock,
  }) => {
    const adapters = await Promise.all([open(), open(), open()]);
    const [first, other, third] = adapters;
    for (let round = 0; round < 20; round++) {
      const id = `job-${round}`;
      await addOneOff(storage, { id });
      const run = await claimOne(storage, await startWorker(storage, { leaseMs: minute }));
      await clock.advance(2 * minute);
      const next = await startWorker(storage, { name: 'next' });
      const [kept] = await Promise.all([
        keep(first, run, 'a'),
        other.releaseLost(),
        third.queryRunSteps(run.id),
      ]);
      await storage.releaseLost();
      const again = await claimOne(storage, next);
      assert.deepEqual(await namesOf(storage, again), kept ? ['a'] : []);
      await settle(storage, again);
      await storage.unregister(next.workerId);
    }
  },

  'of eight calls at once are all kept': async ({ storage, open }) => {
    const run = await claimed(storage);
    const adapters = await Promise.all(Array.from({ length: 8 }, open));
    const kept = await eightAtOnce(adapters, (adapter, nth) => keep(adapter, run, `step ${nth}`));
    assert.ok(kept.every((each) => each));
    assert.equal((await namesOf(storage, run)).length, 8);
  },

  'stay as long as their run has no verdict, and then as long as the record': async ({ storage, clock }) => {
    const run = await claimed(storage);
    await keep(storage, run, 'a');
    await settle(storage, run, { outcome: 'snoozed', retryInMs: 200 * day });
    await clock.advance(100 * day);
    await pruneAll(storage);
    assert.deepEqual(await namesOf(storage, run), ['a']);
    await clock.advance(101 * day);
    const again = await claimOne(storage, await startWorker(storage));
    assert.equal(again.id, run.id);
    await keep(storage, again, 'b');
    await settle(storage, again);
    await clock.advance(hour);
    await pruneAll(storage, {}, 2 * day);
    assert.deepEqual(await namesOf(storage, run), ['b']);
    await clock.advance(3 * day);
    await pruneAll(storage, {}, 2 * day);
    assert.deepEqual(await namesOf(storage, run), []);
  },

  'go with a run that gave up to its retry, however late': async ({ storage, clock }) => {
    await addOneOff(storage, { id: 'once' });
    const worker = await startWorker(storage, { leaseMs: 300 * day });
    const once = await claimOne(storage, worker);
    await addRecurring(storage);
    const nth = await fireOne(storage, worker);
    for (const run of [once, nth]) {
      await keep(storage, run, 'a');
      await settle(storage, run, { outcome: 'failed' });
    }
    const [again] = await storage.retryRuns([nth.id]);
    assert.deepEqual(await namesOf(storage, again!), ['a']);
    assert.deepEqual(await namesOf(storage, nth), []);
    await clock.advance(100 * day);
    await pruneAll(storage);
    const [late] = await storage.retryRuns([once.id]);
    assert.deepEqual(await namesOf(storage, late!), ['a']);
    const claimedAgain = (await storage.claim(worker, 10)).runs.find(({ id }) => id === late!.id)!;
    assert.equal(await keep(storage, claimedAgain, 'b'), true);
    assert.deepEqual(await namesOf(storage, late!), ['a', 'b']);
  },

  'of a run that gave up and is discarded go with the record': async ({ storage, clock }) => {
    const run = await claimed(storage);
    await keep(storage, run, 'a');
    await settle(storage, run, { outcome: 'failed' });
    await clock.advance(3 * day);
    await pruneAll(storage, {}, 2 * day);
    assert.deepEqual(await namesOf(storage, run), ['a']);
    await storage.discardRuns([run.id]);
    await pruneAll(storage, {}, 2 * day);
    assert.deepEqual(await namesOf(storage, run), []);
  },

  'of a job that is deleted go with the record': async ({ storage, clock }) => {
    const run = await claimed(storage);
    await keep(storage, run, 'a');
    await settle(storage, run, { outcome: 'snoozed', retryInMs: hour });
    await storage.deleteJob(ref('job'));
    await clock.advance(3 * day);
    await pruneAll(storage);
    assert.deepEqual(await namesOf(storage, run), []);
  },
});
