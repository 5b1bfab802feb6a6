import assert from 'node:assert/strict';
import {
  callbackOf,
  type CallbackPayload,
  type ClaimedRun,
  type Settlement,
  type StorageAdapter,
} from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  attemptsOf,
  claimOne,
  eightAtOnce,
  fireOne,
  hour,
  minute,
  only,
  ref,
  runsOf,
  settlementOf,
  startWorker,
  accepts,
} from './fixture.js';

const onFailure = { handler: 'alarm' };

/** A settlement with the callback that the run's policies name for it. */
async function called(
  storage: StorageAdapter,
  run: ClaimedRun,
  given: Partial<Settlement> & { retryInMs?: number } = {},
): Promise<Settlement> {
  const settlement = await settlementOf(storage, run, given);
  return { ...settlement, callback: callbackOf(run, settlement.outcome, settlement) };
}

const failed = { outcome: 'failed', error: 'boom' } as const;

/** A worker for the jobs of the laws and for their callbacks. */
const startBoth = (storage: StorageAdapter, given: object = {}) =>
  startWorker(storage, { handlers: ['work', 'alarm', 'praise'], ...given });

export const callbackLaws = lawsOf('callbacks', {
  'bears the callback with the verdict: a one-off of its own, due at once': async ({ storage }) => {
    const payload = { order: 7 };
    const metadata = { tenant: 'acme' };
    await addRecurring(storage, { policies: { onFailure }, payload, metadata, priority: 2, queue: 'q' });
    const worker = await startBoth(storage, { queues: ['q'] });
    const run = await fireOne(storage, worker);
    assert.deepEqual(await accepts(storage, [await called(storage, run, failed)]), [run.id]);
    const callback = await claimOne(storage, worker);
    const { id: runId, jobId, namespace, handler } = run;
    const about = { runId, jobId, namespace, handler, verdict: 'failed', attempt: 1, payload };
    const nominalAt = new Date(run.nominalAt).toISOString();
    const expected = { ...about, nominalAt, error: 'boom', result: null };
    assert.deepEqual(callback.payload, expected);
    assert.equal(callback.jobId, `job:onFailure:${run.id}`);
    assert.equal(callback.handler, 'alarm');
    assert.equal(callback.origin, 'callback');
    assert.equal(callback.jobUid, null);
    assert.equal(callback.queue, 'q');
    assert.equal(callback.priority, 2);
    assert.equal(callback.timeZone, run.timeZone);
    assert.deepEqual(callback.metadata, metadata);
    assert.deepEqual(callback.policies, {});
    assert.equal((await storage.getJob(ref(callback.jobId)))?.state, 'running');
  },

  'bears the callback of a success, with its result, for one-offs as well': async ({ storage }) => {
    await addOneOff(storage, { policies: { onSuccess: { handler: 'praise', queue: 'other' }, onFailure } });
    const run = await claimOne(storage, await startBoth(storage));
    await accepts(storage, [await called(storage, run, { result: { sent: 3 } })]);
    const callback = await claimOne(storage, await startBoth(storage, { queues: ['other'] }));
    assert.equal(callback.jobId, `job:onSuccess:${run.id}`);
    assert.equal(callback.handler, 'praise');
    const { verdict, result, error } = callback.payload as unknown as CallbackPayload;
    assert.deepEqual({ verdict, result, error }, { verdict: 'succeeded', result: { sent: 3 }, error: null });
  },

  'bears none before the verdict: not for an attempt that is tried again, nor for one that is handed back':
    async ({ storage }) => {
      await addOneOff(storage, { policies: { onFailure } });
      const worker = await startBoth(storage);
      const run = await claimOne(storage, worker);
      await accepts(storage, [await called(storage, run, { ...failed, retryInMs: 0 })]);
      const second = await claimOne(storage, worker);
      await accepts(storage, [await called(storage, second, { outcome: 'handed_back' })]);
      const third = await claimOne(storage, worker);
      assert.equal(third.handler, 'work');
      await accepts(storage, [await called(storage, third, { ...failed, outcome: 'timed_out' })]);
      const payload = (await claimOne(storage, worker)).payload as unknown as CallbackPayload;
      assert.deepEqual([payload.verdict, payload.attempt], ['timed_out', 2]);
    },

  'bears the callback of a failure whose retry nobody wants any more': async ({ storage }) => {
    await addOneOff(storage, { policies: { onFailure } });
    const worker = await startBoth(storage);
    const run = await claimOne(storage, worker);
    await storage.cancelJob(ref('job'));
    await accepts(storage, [await called(storage, run, { ...failed, retryInMs: hour })]);
    assert.equal((await claimOne(storage, worker)).handler, 'alarm');
  },

  'bears one callback, however often the settlement is said': async ({ storage, open }) => {
    await addRecurring(storage, { policies: { onFailure } });
    const worker = await startBoth(storage);
    const run = await fireOne(storage, worker);
    const settlement = await called(storage, run, failed);
    const adapters = [storage, await open()];
    const accepted = await eightAtOnce(adapters, (adapter) => accepts(adapter, [settlement, settlement]));
    assert.deepEqual([...new Set(accepted.flat())], [run.id]);
    const callback = await claimOne(storage, worker);
    await accepts(storage, [await called(storage, callback)]);
    assert.deepEqual(await accepts(storage, [settlement]), []);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
  },

  'bears none for a settlement that is refused': async ({ storage }) => {
    await addOneOff(storage, { policies: { onFailure } });
    const worker = await startBoth(storage);
    const run = await claimOne(storage, worker);
    const stale = await called(storage, { ...run, fence: run.fence + 1 }, failed);
    const settlement = await called(storage, run);
    assert.deepEqual(await accepts(storage, [stale, settlement]), [run.id]);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
  },

  'settles those with callbacks beside those without in one call': async ({ storage }) => {
    await addOneOff(storage, { id: 'a', policies: { onFailure } });
    await addOneOff(storage, { id: 'b' });
    const worker = await startBoth(storage);
    const { runs } = await storage.claim(worker, 10);
    const settlements = await Promise.all(runs.map((run) => called(storage, run, failed)));
    assert.equal((await accepts(storage, settlements)).length, 2);
    const callback = await claimOne(storage, worker);
    assert.equal((callback.payload as unknown as CallbackPayload).jobId, 'a');
    assert.equal((await attemptsOf(storage)).length, 2);
  },

  'leaves a callback out whose id somebody has taken, and settles all the same': async ({ storage }) => {
    await addOneOff(storage, { policies: { onFailure } });
    const worker = await startBoth(storage);
    const run = await claimOne(storage, worker);
    await addOneOff(storage, { id: `job:onFailure:${run.id}`, dueInMs: hour });
    assert.deepEqual(await accepts(storage, [await called(storage, run, failed)]), [run.id]);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
  },

  'bears the callback of a run that is lost for good with its worker, by the definition of now': async ({
    storage,
    clock,
  }) => {
    for (const add of [addRecurring, addOneOff]) {
      const payload = { order: 7 };
      const metadata = { tenant: 'acme' };
      await add(storage, { policies: { maxLost: 2 }, payload, metadata, priority: 3 });
      const dying = await startWorker(storage, { leaseMs: minute });
      const run = add === addRecurring ? await fireOne(storage, dying) : await claimOne(storage, dying);
      await storage.updateJob(ref('job'), { policies: { maxLost: 2, onFailure } });
      await clock.advance(2 * minute);
      await storage.releaseLost();
      await claimOne(storage, await startWorker(storage, { leaseMs: minute }));
      await clock.advance(2 * minute);
      assert.equal(only((await storage.releaseLost()).runs, 'released run').verdict, 'lost');
      const callback = await claimOne(storage, await startBoth(storage));
      assert.equal(callback.jobId, `job:onFailure:${run.id}`);
      assert.equal(callback.origin, 'callback');
      assert.equal(callback.priority, 3);
      assert.deepEqual(callback.metadata, metadata);
      const { error, ...about } = callback.payload as unknown as CallbackPayload;
      assert.match(error ?? '', /lease .* ended/);
      const nominalAt = new Date(run.nominalAt).toISOString();
      const { id: runId, jobId, namespace, handler } = run;
      const expected = { runId, jobId, namespace, handler, verdict: 'lost', nominalAt, attempt: 2 };
      assert.deepEqual(about, { ...expected, result: null, payload });
      assert.deepEqual(await runsOf(storage, callback.jobId).then((runs) => runs.length), 1);
      await storage.deleteJob(ref('job'));
      await accepts(storage, [await called(storage, callback)]);
    }
  },

  'bears none for a run that is cancelled, nor for one whose job was deleted before its worker died': async ({
    storage,
    clock,
  }) => {
    await addRecurring(storage, { id: 'gone', policies: { onFailure } });
    await addOneOff(storage, { id: 'deleted', policies: { onFailure } });
    await addOneOff(storage, { id: 'cancelled', policies: { onFailure } });
    const dying = await startWorker(storage, { leaseMs: minute });
    await fireOne(storage, dying);
    assert.equal((await storage.claim(dying, 10)).runs.length, 2);
    await storage.deleteJob(ref('gone'));
    await storage.deleteJob(ref('deleted'));
    await storage.cancelJob(ref('cancelled'));
    await clock.advance(2 * minute);
    const { runs } = await storage.releaseLost();
    assert.deepEqual(runs.map(({ verdict }) => String(verdict)).sort(), ['cancelled', 'lost', 'lost']);
    assert.deepEqual((await storage.claim(await startBoth(storage), 10)).runs, []);
  },

  'bears none of a callback': async ({ storage, clock }) => {
    await addOneOff(storage, { policies: { onFailure } });
    const worker = await startBoth(storage);
    const run = await claimOne(storage, worker);
    await accepts(storage, [await called(storage, run, failed)]);
    const id = `job:onFailure:${run.id}`;
    await storage.updateJob(ref(id), { policies: { onFailure, recovery: 'abandon' } });
    const callback = await claimOne(storage, await startBoth(storage, { leaseMs: minute }));
    assert.equal(callbackOf(callback, 'failed', { finishedAt: 0, error: null, result: null }), null);
    await clock.advance(2 * minute);
    assert.equal(only((await storage.releaseLost()).runs, 'released run').verdict, 'lost');
    assert.deepEqual((await storage.claim(await startBoth(storage), 10)).runs, []);
  },

  'has an id that can be stored, however long that of the job is': async ({ storage }) => {
    const id = '\u{1F916}'.repeat(127);
    await addOneOff(storage, { id, policies: { onFailure } });
    const worker = await startBoth(storage);
    const run = await claimOne(storage, worker);
    await accepts(storage, [await called(storage, run, failed)]);
    const callback = await claimOne(storage, worker);
    assert.ok(callback.jobId.length <= 255 && callback.jobId.endsWith(`:onFailure:${run.id}`));
    assert.match(callback.jobId, /^\u{1F916}{100,}:onFailure/u);
  },
});
