import assert from 'node:assert/strict';
import { lostFingerprint, type ClaimedRun, type Settlement, type StorageAdapter } from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  attemptsOf,
  claimOne,
  hour,
  minute,
  only,
  ref,
  runsOf,
  second,
  settle,
  startWorker,
} from './fixture.js';

const kind = 'a'.repeat(16);
const other = 'b'.repeat(16);

type Failed = Partial<Settlement> & { handler?: string; retryInMs?: number };

/** A one-off that fails at once. */
async function failed(storage: StorageAdapter, id: string, given: Failed = {}): Promise<ClaimedRun> {
  const { handler = 'work', ...settlement } = given;
  await addOneOff(storage, { id, handler });
  const run = await claimOne(storage, await startWorker(storage, { handlers: [handler] }));
  await settle(storage, run, { outcome: 'failed', error: `${id} failed`, fingerprint: kind, ...settlement });
  return run;
}

async function failures(
  storage: StorageAdapter,
  filter: Partial<Parameters<StorageAdapter['queryFailures']>[0]> = {},
  limit = 100,
) {
  const now = await storage.now();
  const report = await storage.queryFailures(
    { from: new Date(now - hour), until: new Date(now + hour), ...filter },
    limit,
  );
  assert.equal(report.countedFrom, null);
  return report.items;
}

export const failureLaws = lawsOf('kinds of failures', {
  'are kept with the attempt, and with the run for as long as that is there': async ({ storage }) => {
    await failed(storage, 'a', { retryInMs: -second });
    const [first] = await attemptsOf(storage);
    assert.equal(first?.fingerprint, kind);
    assert.equal(only(await runsOf(storage, 'a'), 'run').lastFingerprint, kind);
    const run = await claimOne(storage, await startWorker(storage));
    await settle(storage, run, { outcome: 'timed_out', error: 'late', fingerprint: other });
    const dead = only(await runsOf(storage, 'a'), 'run');
    assert.deepEqual([dead.state, dead.lastFingerprint], ['timed_out', other]);
    const [again] = await storage.retryRuns([dead.id]);
    assert.equal(again?.lastFingerprint, other);
  },

  'are of failures only': async ({ storage }) => {
    await failed(storage, 'a', { outcome: 'succeeded', error: null });
    await failed(storage, 'b', { outcome: 'cancelled', error: null });
    const attempts = await attemptsOf(storage);
    assert.deepEqual(
      attempts.map(({ fingerprint }) => fingerprint),
      [null, null],
    );
    assert.deepEqual(await failures(storage), []);
  },

  'come of the text of the error where nobody tells them': async ({ storage }) => {
    await failed(storage, 'a', { error: 'order 17 of "ada" failed', fingerprint: null });
    await failed(storage, 'b', { error: 'order 18 of "bob" failed', fingerprint: null });
    await failed(storage, 'c', { error: 'nothing of this', fingerprint: null });
    const [c, b, a] = (await attemptsOf(storage)).map(({ fingerprint }) => fingerprint);
    assert.match(a!, /^[0-9a-f]{16}$/);
    assert.equal(b, a);
    assert.notEqual(c, a);
  },

  'of what was lost are all one': async ({ storage }) => {
    await failed(storage, 'a', { outcome: 'lost', error: 'gone' });
    assert.equal(only(await attemptsOf(storage), 'attempt').fingerprint, lostFingerprint);
    assert.equal(only(await runsOf(storage, 'a'), 'run').lastFingerprint, lostFingerprint);
  },

  'are found again by attempts and by runs': async ({ storage }) => {
    await failed(storage, 'a');
    await failed(storage, 'b', { fingerprint: other });
    await failed(storage, 'c', { outcome: 'succeeded', error: null });
    const attempts = async (fingerprint: string | string[]) =>
      (await attemptsOf(storage, { fingerprint })).map(({ jobId }) => jobId);
    assert.deepEqual(await attempts(kind), ['a']);
    assert.deepEqual(await attempts([other, kind]), ['b', 'a']);
    assert.deepEqual(await attempts('0'.repeat(16)), []);
    const { items } = await storage.queryRuns({ fingerprint: other }, {});
    assert.deepEqual(
      items.map(({ jobId }) => jobId),
      ['b'],
    );
  },

  'are counted by kind and handler, the newest first': async ({ storage }) => {
    const now = await storage.now();
    const [early, late] = [now - 2 * minute, now - minute];
    const at = (finishedAt: number) => ({ startedAt: finishedAt, finishedAt });
    const first = await failed(storage, 'a', { ...at(early), retryInMs: -second });
    const again = await claimOne(storage, await startWorker(storage));
    await settle(storage, again, { ...at(late), outcome: 'failed', error: 'still', fingerprint: kind });
    await failed(storage, 'b', { ...at(late - second), fingerprint: other });
    await failed(storage, 'c', { ...at(late - 2 * second), handler: 'mail' });
    const groups = await failures(storage);
    assert.deepEqual(groups[0], {
      ...{ fingerprint: kind, handler: 'work', attempts: 2, runs: 1, gaveUp: 1 },
      ...{ firstAt: new Date(early), lastAt: new Date(late) },
      sample: {
        ...{ runId: first.id, jobId: 'a', namespace: 'default', queue: 'default', attempt: 2 },
        ...{ outcome: 'failed', finishedAt: new Date(late), error: 'still' },
      },
    });
    assert.deepEqual(
      groups.map(({ handler, fingerprint }) => [handler, fingerprint]),
      [
        ['work', kind],
        ['work', other],
        ['mail', kind],
      ],
    );
    assert.equal((await failures(storage, {}, 2)).length, 2);
  },

  'are counted of a time, a namespace and handlers': async ({ storage }) => {
    const now = await storage.now();
    const at = (finishedAt: number) => ({ startedAt: finishedAt, finishedAt });
    await failed(storage, 'a', at(now - 3 * minute));
    await failed(storage, 'b', { ...at(now - 2 * minute), fingerprint: other });
    await failed(storage, 'c', { ...at(now - minute), handler: 'mail' });
    const found = async (filter: Parameters<typeof failures>[1]) =>
      (await failures(storage, filter)).map(({ sample }) => sample.jobId);
    // From it on, and before it.
    assert.deepEqual(await found({ from: new Date(now - 2 * minute) }), ['c', 'b']);
    assert.deepEqual(await found({ until: new Date(now - 2 * minute) }), ['a']);
    assert.deepEqual(await found({ handler: 'mail' }), ['c']);
    assert.deepEqual(await found({ handler: ['mail', 'work'] }), ['c', 'b', 'a']);
    assert.deepEqual(await found({ namespace: 'elsewhere' }), []);
    assert.deepEqual(await found({ namespace: ref('').namespace, handler: 'mail' }), ['c']);
  },

  'are new where the handler has failed so never before': async ({ storage }) => {
    const now = await storage.now();
    const at = (finishedAt: number) => ({ startedAt: finishedAt, finishedAt });
    await failed(storage, 'old', at(now - 3 * minute));
    await failed(storage, 'same', at(now - minute));
    await failed(storage, 'new', { ...at(now - minute), fingerprint: other });
    await failed(storage, 'elsewhere', { ...at(now - minute), handler: 'mail' });
    const found = async (ms: number, given: Parameters<typeof failures>[1] = {}) =>
      (await failures(storage, { newSince: new Date(ms), ...given })).map(({ sample }) => sample.jobId);
    assert.deepEqual((await found(now - 2 * minute)).toSorted(), ['elsewhere', 'new']);
    // Also of what is older than the time that is looked at.
    assert.deepEqual((await found(now - 2 * minute, { from: new Date(now - 2 * minute) })).toSorted(), [
      'elsewhere',
      'new',
    ]);
    assert.deepEqual((await found(now - hour)).length, 3);
  },
});
