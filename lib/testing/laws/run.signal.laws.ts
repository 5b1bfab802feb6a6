import assert from 'node:assert/strict';
import {
  mostRunSignals,
  type ClaimedRun,
  type RunStep,
  type SignalWait,
  type StorageAdapter,
} from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  claimOne,
  day,
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

const wait = (run: ClaimedRun, name: string, fields: Partial<SignalWait> = {}): SignalWait => ({
  name,
  kind: 'signal',
  position: 1,
  attempt: run.attempt,
  startedAt: run.nominalAt,
  signal: 'go',
  until: null,
  after: [],
  ended: 1,
  ...fields,
});

const take = (
  storage: StorageAdapter,
  run: ClaimedRun,
  name = 'wait',
  fields: Partial<SignalWait> = {},
): Promise<RunStep | null> => storage.takeRunSignal(holdOf(run), wait(run, name, fields));

const send = (
  storage: StorageAdapter,
  { id }: Pick<ClaimedRun, 'id'>,
  payload: unknown = null,
  name = 'go',
) => storage.sendRunSignal(id, { name, payload: payload as RunStep['result'] });

const sleep = (storage: StorageAdapter, run: ClaimedRun, retryInMs = Infinity): Promise<void> =>
  settle(storage, run, { outcome: 'snoozed', retryInMs });

async function claimed(storage: StorageAdapter, id = 'job'): Promise<[ClaimedRun, string]> {
  await addOneOff(storage, { id });
  const worker = await startWorker(storage, { leaseMs: 400 * day });
  return [await claimOne(storage, worker), worker.workerId];
}

/** The run, if it is due; null: nothing is. */
async function dueRun(storage: StorageAdapter): Promise<ClaimedRun | null> {
  const worker = await startWorker(storage, { name: 'next', leaseMs: 400 * day });
  const [run] = (await storage.claim(worker, 10)).runs;
  return run ?? null;
}

const dueAtOf = async (storage: StorageAdapter, { id }: ClaimedRun) =>
  (await storage.queryRuns({ runId: id }, {})).items[0]!.dueAt;

export const runSignalLaws = lawsOf('signals of runs', {
  'are given to the waits for them in the order in which they came, one to each': async ({ storage }) => {
    const [run] = await claimed(storage);
    for (const payload of ['one', { two: [2] }, null])
      assert.equal(await send(storage, run, payload), 'sent');
    await send(storage, run, 'of another name', 'stop');
    const steps = [];
    for (let nth = 1; nth <= 4; nth++) steps.push(await take(storage, run, `wait ${nth}`, { ended: nth }));
    assert.deepEqual(
      steps.map((step) => [step!.result, step!.ended, step!.finishedAt !== null, step!.timedOut]),
      [
        ['one', 1, true, false],
        [{ two: [2] }, 2, true, false],
        [null, 3, true, false],
        [null, null, false, false],
      ],
    );
    assert.equal((await take(storage, run, 'stop', { signal: 'stop' }))!.result, 'of another name');
  },

  'are put by for the waits that came before, and have none: a wait has what these leave': async ({
    storage,
  }) => {
    const [run] = await claimed(storage);
    const open = { signal: 'stop' };
    for (const name of ['first', 'second']) assert.equal((await take(storage, run, name))!.finishedAt, null);
    await take(storage, run, 'of another name', open);
    for (const payload of [1, 2, 3, 4]) await send(storage, run, payload);
    const after = ['first', 'of another name', 'none', 'second'];
    const third = (await take(storage, run, 'third', { after }))!;
    const beside = (await take(storage, run, 'beside', { after: ['first', 'second', 'third'] }))!;
    const none = (await take(storage, run, 'late', { after }))!;
    assert.deepEqual([third.result, beside.result, none.finishedAt], [3, 4, null]);
    assert.deepEqual(await take(storage, run, 'third', { after, ended: 7 }), third);
    const second = (await take(storage, run, 'second', { after: ['first'], ended: 3 }))!;
    const first = (await take(storage, run, 'first', { ended: 4 }))!;
    assert.deepEqual([first.result, second.result], [1, 2]);
    await send(storage, run, 5);
    assert.equal((await take(storage, run, 'late', { after }))!.result, 5);
  },

  'are not put by for a wait whose time is over, but for those that came in time': async ({
    storage,
    clock,
  }) => {
    const [run] = await claimed(storage);
    const until = (await storage.now()) + hour;
    for (const name of ['a', 'b']) await take(storage, run, name, { until });
    await clock.advance(minute);
    await send(storage, run, 'in time');
    await clock.advance(hour);
    await send(storage, run, 'late');
    await send(storage, run, 'later');
    const steps: RunStep[] = [];
    for (const name of ['c', 'd', 'e'])
      steps.push((await take(storage, run, name, { after: ['a', 'b', ...steps.map((step) => step.name)] }))!);
    assert.deepEqual(
      steps.map(({ result, finishedAt }) => [result, finishedAt !== null]),
      [
        ['late', true],
        ['later', true],
        [null, false],
      ],
    );
    assert.equal((await take(storage, run, 'b', { after: ['a'] }))!.timedOut, true);
    assert.equal((await take(storage, run, 'a'))!.result, 'in time');
  },

  'are taken once: the same wait again, as after a lost answer, has the same one': async ({ storage }) => {
    const [run] = await claimed(storage);
    await send(storage, run, 1);
    await send(storage, run, 2);
    const first = await take(storage, run);
    assert.deepEqual(await take(storage, run, 'wait', { ended: 7 }), first);
    assert.equal((await take(storage, run, 'next'))!.result, 2);
    assert.deepEqual(
      (await storage.queryRunSteps(run.id)).map(({ name, result, signal }) => [name, result, signal]),
      [
        ['next', 2, 'go'],
        ['wait', 1, 'go'],
      ],
    );
  },

  'make a run due that sleeps as it waits for them, and only those': async ({ storage, clock }) => {
    const [run] = await claimed(storage);
    assert.equal((await take(storage, run))!.finishedAt, null);
    await sleep(storage, run);
    assert.equal(await dueAtOf(storage, run), null);
    await clock.advance(10 * day);
    assert.equal(await send(storage, run, 'other', 'stop'), 'sent');
    assert.equal(await dueRun(storage), null);
    assert.equal(await send(storage, run, 'here'), 'sent');
    const again = (await dueRun(storage))!;
    assert.equal(again.id, run.id);
    assert.equal((await take(storage, again))!.result, 'here');
  },

  'that come before the attempt that waits has ended keep it from sleeping': async ({ storage }) => {
    const [run] = await claimed(storage);
    await take(storage, run);
    await send(storage, run, 'early');
    await sleep(storage, run);
    const again = (await dueRun(storage))!;
    assert.equal(again.id, run.id);
    assert.equal((await take(storage, again))!.result, 'early');
    await sleep(storage, again, hour);
    assert.equal(await dueRun(storage), null);
  },

  'leave a run alone that sleeps for another reason, or waits for its retry': async ({ storage }) => {
    const [run, workerId] = await claimed(storage);
    await send(storage, run, 'before it waits');
    await sleep(storage, run, hour);
    await send(storage, run, 'while it sleeps');
    assert.equal(await dueRun(storage), null);
    await storage.unregister(workerId);
    const [other] = await claimed(storage, 'other');
    await take(storage, other);
    await settle(storage, other, { outcome: 'failed', retryInMs: hour });
    await send(storage, other);
    assert.equal(await dueRun(storage), null);
  },

  'come or are waited for, whatever comes first: none is lost as the run goes to sleep': async ({
    storage,
    open,
  }) => {
    const [one, other] = await Promise.all([open(), open()]);
    for (let round = 0; round < 30; round++) {
      const [run, workerId] = await claimed(storage, `job-${round}`);
      const sending = async (): Promise<void> => {
        for (let turn = 0; turn < round % 10; turn++) await other.queryRunSteps(run.id);
        assert.equal(await send(other, run, round), 'sent');
      };
      const waiting = async (): Promise<RunStep['result']> => {
        const step = (await take(one, run))!;
        if (step.finishedAt !== null) return step.result;
        await sleep(one, run);
        return null;
      };
      const [got] = await Promise.all([waiting(), sending()]);
      if (got === null) {
        const again = await dueRun(storage);
        assert.equal(again?.id, run.id, 'the signal has come, and the run sleeps');
        assert.equal((await take(storage, again))!.result, round);
        await settle(storage, again);
      } else {
        assert.equal(got, round);
        await settle(storage, run);
      }
      await storage.unregister(workerId);
    }
  },

  'are waited for until a time: what comes later is for the next wait': async ({ storage, clock }) => {
    const [run] = await claimed(storage);
    const until = (await storage.now()) + hour;
    assert.equal((await take(storage, run, 'a', { until }))!.timedOut, false);
    assert.equal((await take(storage, run, 'b', { until }))!.finishedAt, null);
    await clock.advance(minute);
    await send(storage, run, 'in time');
    await clock.advance(hour);
    await send(storage, run, 'too late');
    // The first wait that was kept decides until when.
    assert.equal((await take(storage, run, 'a', { until: until + day }))!.result, 'in time');
    const over = (await take(storage, run, 'b', { until: until + day, ended: 2 }))!;
    assert.deepEqual([over.timedOut, over.result, over.ended], [true, null, 2]);
    assert.equal(over.until, Math.floor(until));
    assert.deepEqual(await take(storage, run, 'b'), over);
    assert.equal((await take(storage, run, 'c'))!.result, 'too late');
  },

  'that did not come in time are waited for anew by a retry by hand, unless something has come after the wait':
    async ({ storage, clock }) => {
      const [run, worker] = await claimed(storage);
      const until = (await storage.now()) + hour;
      const step = (name: string, position: number | null, startedAt: number): Promise<boolean> => {
        const place = { name, kind: 'step', position, attempt: run.attempt, startedAt } as const;
        return storage.recordRunStep(holdOf(run), { ...place, ended: 1, result: name });
      };
      await step('before', 1, run.nominalAt);
      await take(storage, run, 'passed', { until, position: 2 });
      await take(storage, run, 'sent', { until: until + day, signal: 'other', position: null });
      await send(storage, run, 1, 'other');
      await take(storage, run, 'sent', { signal: 'other' });
      await clock.advance(2 * hour);
      assert.equal((await take(storage, run, 'passed', { position: 2 }))!.timedOut, true);
      await step('after', 3, await storage.now());
      const last = (await storage.now()) + hour;
      await take(storage, run, 'last', { until: last, position: 4 });
      await take(storage, run, 'open', { until: last + day, position: null });
      await take(storage, run, 'unseen', { until: last, position: null });
      await clock.advance(2 * hour);
      // It ran beside the wait that comes to its end, and began before that.
      await step('beside', null, last - minute);
      assert.equal((await take(storage, run, 'last', { position: 4 }))!.timedOut, true);
      await settle(storage, run, { outcome: 'failed', error: 'no' });
      const [again] = await storage.retryRuns([run.id]);
      const kept = await storage.queryRunSteps(again!.id);
      assert.deepEqual(
        kept.map(({ name }) => name),
        ['after', 'before', 'beside', 'open', 'passed', 'sent'],
      );
      assert.deepEqual(await storage.queryRunSteps(run.id), []);
      assert.equal(kept.find(({ name }) => name === 'passed')!.timedOut, true);
      const taken = await storage.claim(
        { workerId: worker, app: 'default', queues: ['default'], handlers: [run.handler] },
        1,
      );
      const next = taken.runs[0]!;
      const anew = (await take(storage, next, 'last', { until: last + day, position: 4 }))!;
      assert.deepEqual([anew.timedOut, anew.until], [false, Math.floor(last + day)]);
      await send(storage, next, 'late');
      assert.equal((await take(storage, next, 'last', { position: 4 }))!.result, 'late');
    },

  'of a run whose job is paused make it due at the end of the pause': async ({ storage, clock }) => {
    const [run] = await claimed(storage);
    await take(storage, run);
    await sleep(storage, run);
    await storage.pauseJob(ref('job'), { reason: null, by: null });
    await clock.advance(minute);
    await send(storage, run, 'held');
    assert.equal(await dueRun(storage), null);
    await storage.resumeJob(ref('job'), () => ({ nextAt: null, gap: null }));
    assert.equal((await dueRun(storage))?.id, run.id);
  },

  'are not given to an attempt that has not the run any more': async ({ storage }) => {
    const [run] = await claimed(storage);
    await send(storage, run, 1);
    const { runId, fence, worker } = holdOf(run);
    for (const hold of [
      { runId, fence: fence + 1, worker },
      { runId, fence, worker: 'somebody else' },
      { runId: '987654321', fence, worker },
      { runId: 'none', fence, worker },
    ])
      assert.equal(await storage.takeRunSignal(hold, wait(run, 'wait')), null);
    assert.equal((await take(storage, run))!.result, 1);
  },

  'are refused for a run that has its verdict, or is none': async ({ storage }) => {
    const [run] = await claimed(storage);
    await settle(storage, run, { outcome: 'failed' });
    assert.equal(await send(storage, run), null);
    for (const id of ['987654321', 'none', '']) assert.equal(await send(storage, { id }), null);
  },

  'are kept up to a number': async ({ storage }) => {
    const [run] = await claimed(storage);
    for (let nth = 0; nth < mostRunSignals; nth++) assert.equal(await send(storage, run, nth), 'sent');
    assert.equal(await send(storage, run), 'full');
    assert.equal((await take(storage, run))!.result, 0);
    assert.equal(await send(storage, run), 'sent');
  },

  'and the waits for them go to the retry of a run that gave up': async ({ storage, clock }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage, { leaseMs: 300 * day });
    const run = await fireOne(storage, worker);
    await send(storage, run, 'taken');
    await send(storage, run, 'left');
    await take(storage, run, 'a');
    await settle(storage, run, { outcome: 'failed' });
    await clock.advance(2 * minute);
    await pruneAll(storage);
    const [again] = await storage.retryRuns([run.id]);
    const retry = (await storage.claim(worker, 10)).runs.find(({ id }) => id === again!.id)!;
    assert.equal((await take(storage, retry, 'a'))!.result, 'taken');
    assert.equal((await take(storage, retry, 'b'))!.result, 'left');
    assert.equal((await take(storage, retry, 'c'))!.finishedAt, null);
  },

  'wake workers that wait for something to do': async ({ storage, clock }) => {
    const [run] = await claimed(storage);
    await take(storage, run);
    await sleep(storage, run, day);
    await clock.advance(second);
    await send(storage, run);
    const worker = await startWorker(storage, { name: 'next' });
    const { now, runAt } = await storage.nextWakeAt(worker);
    assert.ok(runAt !== null && runAt <= now);
  },
});
