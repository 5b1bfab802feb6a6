import assert from 'node:assert/strict';
import type { Run, StorageAdapter } from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  attemptsOf,
  claimOne,
  day,
  failWithRetry,
  fireDue,
  fireOne,
  hour,
  jobOf,
  minute,
  only,
  pruneAll,
  ref,
  runsOf,
  settle,
  startWorker,
  holdOf,
  accepts,
} from './fixture.js';

const failure = { outcome: 'failed', error: 'boom' } as const;
type Worker = Awaited<ReturnType<typeof startWorker>>;

async function failOneOff(storage: StorageAdapter, worker: Worker, id = 'job'): Promise<string> {
  await addOneOff(storage, { id, payload: 'p' });
  const run = await claimOne(storage, worker);
  await settle(storage, run, failure);
  return run.id;
}

async function failRecurring(storage: StorageAdapter, worker: Worker): Promise<string> {
  const run = await fireOne(storage, worker);
  await settle(storage, run, failure);
  return run.id;
}

async function deadOf(storage: StorageAdapter, filter = {}): Promise<Run[]> {
  const state = ['failed' as const, 'timed_out' as const, 'lost' as const];
  return (await storage.queryRuns({ state, ...filter }, {})).items;
}

export const deadLetterLaws = lawsOf('dead letters', {
  'are the runs that failed, timed out or were lost, newest first': async ({ storage, clock }) => {
    const worker = await startWorker(storage, { leaseMs: minute });
    const ids: string[] = [];
    for (const outcome of ['failed', 'timed_out', 'succeeded', 'cancelled'] as const) {
      await addOneOff(storage, { id: outcome, policies: { keepMs: 'forever' } });
      const run = await claimOne(storage, worker);
      await settle(storage, run, { outcome, error: outcome === 'succeeded' ? null : 'x' });
      if (outcome === 'failed' || outcome === 'timed_out') ids.push(run.id);
    }
    await addOneOff(storage, { id: 'lost', policies: { recovery: 'abandon' } });
    ids.push((await claimOne(storage, worker)).id);
    await clock.advance(2 * minute);
    await storage.releaseLost();
    assert.deepEqual(
      (await deadOf(storage)).map((run) => run.id),
      ids.reverse(),
    );
  },

  'of a recurring job are kept as well, with error and time, and are in nobody’s way': async ({
    storage,
  }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    const id = await failRecurring(storage, worker);
    const dead = only(await runsOf(storage), 'run');
    assert.equal(dead.id, id);
    assert.equal(dead.state, 'failed');
    assert.equal(dead.lastError, 'boom');
    assert.equal(dead.dueAt, null);
    assert.equal(dead.worker, null);
    assert.ok(dead.finishedAt instanceof Date);
    const job = await jobOf(storage);
    assert.equal(job.state, 'scheduled');
    assert.equal(job.consecutiveFailures, 1);
    assert.equal((await storage.nextWakeAt(worker)).runAt, null);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    assert.equal(await storage.cancelJob(ref('job')), 0);
  },

  'do not count as a run that goes on when the next instant is due': async ({ storage, clock }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage, { leaseMs: day });
    await failRecurring(storage, worker);
    await clock.advance(hour);
    const { runs, skipped } = await fireDue(storage, worker);
    assert.deepEqual(skipped, []);
    only(runs, 'run');
  },

  'do not hold up a job that has come to its end': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    await settle(storage, await fireOne(storage, worker, { nextAt: null }), failure);
    assert.equal((await jobOf(storage)).state, 'completed');
  },

  'are found by job, handler, queue and the time of their end': async ({ storage, clock }) => {
    const worker = await startWorker(storage, { leaseMs: day });
    const first = await failOneOff(storage, worker, 'first');
    await clock.advance(hour);
    const between = new Date(await storage.now());
    await clock.advance(hour);
    const other = await startWorker(storage, { queues: ['other'], handlers: ['else'], leaseMs: day });
    await addOneOff(storage, { id: 'second', queue: 'other', handler: 'else' });
    const second = await claimOne(storage, other);
    await settle(storage, second, failure);
    const idsBy = async (filter: object): Promise<string[]> => {
      return (await deadOf(storage, filter)).map((run) => run.id);
    };
    assert.deepEqual(await idsBy({}), [second.id, first]);
    assert.deepEqual(await idsBy({ jobId: 'first' }), [first]);
    assert.deepEqual(await idsBy({ handler: 'else' }), [second.id]);
    assert.deepEqual(await idsBy({ handler: ['work', 'none'] }), [first]);
    assert.deepEqual(await idsBy({ queue: 'other' }), [second.id]);
    assert.deepEqual(await idsBy({ finishedAfter: between }), [second.id]);
    assert.deepEqual(await idsBy({ finishedBefore: between }), [first]);
    await addOneOff(storage, { id: 'waits' });
    const everything = await storage.queryRuns({ finishedBefore: new Date(between.getTime() + day) }, {});
    assert.equal(everything.items.length, 2, 'What has no verdict has no end.');
  },

  'are named by the record of their retry': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    const id = await failRecurring(storage, worker);
    const retry = only(await storage.retryRuns([id]), 'new run');
    await settle(storage, await claimOne(storage, worker));
    assert.deepEqual(
      (await attemptsOf(storage)).map(({ runId, retryOf, origin }) => [runId, retryOf, origin]),
      [
        [retry.id, id, 'retry'],
        [id, null, 'schedule'],
      ],
    );
  },

  'get a new run that is due as much later as is said for each': async ({ storage, clock }) => {
    await addRecurring(storage);
    const first = await failRecurring(storage, await startWorker(storage));
    await clock.advance(60 * minute);
    const worker = await startWorker(storage);
    const second = await failRecurring(storage, worker);
    const now = await storage.now();
    await storage.retryRuns([second, 'no id', first], [90_000, 5, 30_000]);
    const retries = (await runsOf(storage)).map(({ retryOf, dueAt }) => [retryOf, dueAt!.getTime() - now]);
    assert.deepEqual(
      retries.toSorted(([, a], [, b]) => (a as number) - (b as number)),
      [
        [first, 30_000],
        [second, 90_000],
      ],
    );
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    await clock.advance(30_000);
    assert.equal((await claimOne(storage, worker)).nominalAt < now, true);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
  },

  'get a new run by a retry, with the old nominal time and the definition of now': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    const id = await failRecurring(storage, worker);
    const [dead] = await runsOf(storage);
    await storage.updateJob(ref('job'), { payload: 'new' });
    const run = only(await storage.retryRuns([id]), 'new run');
    assert.ok(BigInt(run.id) > BigInt(id), 'The new run should have a higher id.');
    assert.equal(run.retryOf, id);
    assert.equal(run.origin, 'retry');
    assert.equal(run.state, 'waiting');
    assert.equal(run.finishedAt, null);
    assert.equal(run.lastError, null);
    assert.deepEqual(run.nominalAt, dead.nominalAt);
    assert.deepEqual(await runsOf(storage), [run]);
    const claimed = await claimOne(storage, worker);
    assert.equal(claimed.id, run.id);
    assert.equal(claimed.attempt, 1);
    assert.equal(claimed.fence, 1);
    assert.equal(claimed.payload, 'new');
    await settle(storage, claimed);
    assert.deepEqual(await runsOf(storage), []);
    assert.equal((await jobOf(storage)).consecutiveFailures, 0);
    const finals = await attemptsOf(storage, { finalOnly: true });
    const verdicts = Object.fromEntries(finals.map((row) => [row.runId, row.outcome]));
    assert.deepEqual(verdicts, { [id]: 'failed', [run.id]: 'succeeded' });
  },

  'that are one-offs run again as the job that they are': async ({ storage }) => {
    const worker = await startWorker(storage);
    const id = await failOneOff(storage, worker);
    const before = await jobOf(storage);
    assert.equal(before.state, 'failed');
    const run = only(await storage.retryRuns([id]), 'new run');
    const job = await jobOf(storage);
    assert.equal(job.state, 'pending');
    assert.deepEqual([job.errorCount, job.lastError], [1, before.lastError]);
    assert.ok(job.revision > before.revision);
    const claimed = await claimOne(storage, worker);
    assert.equal(claimed.id, run.id);
    assert.equal(claimed.payload, 'p');
    await settle(storage, claimed);
    assert.equal(await storage.getJob(ref('job')), null);
  },

  'get one new run however many ask at once, and runs that did not give up get none': async ({
    storage,
    open,
  }) => {
    const worker = await startWorker(storage);
    const id = await failOneOff(storage, worker, 'dead');
    await addOneOff(storage, { id: 'runs' });
    const going = await claimOne(storage, worker);
    await addOneOff(storage, { id: 'waits', dueInMs: hour });
    const [waiting] = await runsOf(storage, 'waits');
    const adapters = [storage, await open()];
    const ids = [id, id, going.id, waiting.id, '999999999', 'none'];
    const asked = Array.from({ length: 6 }, (_, index) => adapters[index % 2].retryRuns(ids));
    assert.equal((await Promise.all(asked)).flat().length, 1);
    assert.equal((await storage.claim(worker, 10)).runs.length, 1);
    await settle(storage, going);
  },

  'refuse a settlement of the run that gave up after its retry': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    const run = await fireOne(storage, worker);
    await settle(storage, run, failure);
    await storage.retryRuns([run.id]);
    const late = { ...holdOf(run), outcome: 'succeeded' as const };
    const now = await storage.now();
    const times = { startedAt: now, finishedAt: now, retryAt: null, error: null, result: null };
    assert.deepEqual(await accepts(storage, [{ ...late, ...times }]), []);
    only((await storage.claim(worker, 10)).runs, 'claimed retry');
  },

  'run at once when their job is paused': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    const id = await failRecurring(storage, worker);
    await storage.pauseJob(ref('job'), { reason: null, by: null });
    await storage.retryRuns([id]);
    await claimOne(storage, worker);
  },

  'wake a worker when they are retried': async ({ storage }) => {
    const worker = await startWorker(storage);
    const id = await failOneOff(storage, worker);
    assert.equal((await storage.nextWakeAt(worker)).runAt, null);
    await storage.retryRuns([id]);
    const { now, runAt } = await storage.nextWakeAt(worker);
    assert.ok(runAt !== null && runAt <= now);
  },

  'go when they are discarded, one-offs with their job, and only they': async ({ storage }) => {
    await addRecurring(storage, { id: 'recurring' });
    const worker = await startWorker(storage);
    const recurring = await failRecurring(storage, worker);
    const oneOff = await failOneOff(storage, worker, 'one-off');
    await addOneOff(storage, { id: 'runs' });
    const going = await claimOne(storage, worker);
    const gone = await storage.discardRuns([recurring, oneOff, oneOff, going.id, '999999999', 'none']);
    assert.deepEqual([...gone].sort(), [recurring, oneOff].sort());
    assert.deepEqual(await deadOf(storage), []);
    assert.equal(await storage.getJob(ref('one-off')), null);
    assert.equal((await jobOf(storage, 'recurring')).consecutiveFailures, 1);
    assert.equal((await attemptsOf(storage, { outcome: 'failed' })).length, 2);
    await settle(storage, going);
  },

  'go with their recurring job': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    const id = await failRecurring(storage, worker);
    await storage.deleteJob(ref('job'));
    assert.deepEqual(await runsOf(storage), []);
    assert.deepEqual(await storage.retryRuns([id]), []);
  },

  'are not left by a run whose job was deleted meanwhile': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    const run = await fireOne(storage, worker);
    await storage.deleteJob(ref('job'));
    await settle(storage, run, failure);
    assert.deepEqual(await runsOf(storage), []);
  },

  'are left by the last attempt only': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    await failWithRetry(storage, await fireOne(storage, worker));
    assert.deepEqual(await deadOf(storage), []);
    await settle(storage, await claimOne(storage, worker), failure);
    assert.equal(only(await deadOf(storage), 'dead letter').attempt, 2);
  },

  'of recurring jobs are forgotten with the ledger, those of one-offs stay': async ({ storage, clock }) => {
    await addRecurring(storage, { id: 'recurring' });
    const worker = await startWorker(storage, { leaseMs: 10 * day });
    await failRecurring(storage, worker);
    const oneOff = await failOneOff(storage, worker, 'one-off');
    await clock.advance(2 * day);
    await pruneAll(storage, { failed: 3 * day });
    assert.equal((await deadOf(storage)).length, 2);
    await pruneAll(storage, {});
    assert.equal(only(await deadOf(storage), 'dead letter').id, oneOff);
  },
});
