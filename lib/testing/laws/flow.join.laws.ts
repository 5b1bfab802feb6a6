import assert from 'node:assert/strict';
import type { JobStore, StorageAdapter } from '../../index.js';
import type { StorageSubject } from '../law.js';
import { claimOne, holdOf, only, settle } from './fixture.js';
import {
  assertOver,
  claimSteps,
  flowLawsOf,
  flowOf,
  openAs,
  openFlow,
  runAll,
  statesOf,
  step,
  stepOf,
} from './flow.fixture.js';

type Work = (jobs: JobStore) => Promise<void>;

/** Of a storage that has no transactions nothing is asked. */
async function transact({ storage, transaction }: StorageSubject, work: Work): Promise<boolean> {
  if (storage.joined === undefined) return false;
  assert.ok(transaction, 'A storage that can be joined needs a subject with `transaction`.');
  await transaction(async (manager) => {
    const jobs = await storage.joined!(manager);
    assert.ok(jobs, 'The manager should be in a transaction.');
    await work(jobs);
  });
  return true;
}

/** False: the storage has no transactions. */
async function rolledBack(subject: StorageSubject, work: Work): Promise<boolean> {
  if (subject.storage.joined === undefined) return false;
  const undone = new Error('undone');
  const ended = transact(subject, async (jobs) => {
    await work(jobs);
    throw undone;
  });
  await assert.rejects(ended, undone);
  return true;
}

const paused = async (store: Pick<JobStore, 'flows'>, ...runIds: string[]): Promise<boolean[]> => {
  const flows = await Promise.all(runIds.map((runId) => store.flows!.getFlow(runId)));
  return flows.map((flow) => flow!.pausedAt !== null);
};

async function runState(storage: StorageAdapter, flow: string, key: string): Promise<string> {
  const { runId } = await stepOf(storage, flow, key);
  return only((await storage.queryRuns({ runId: runId! }, {})).items, 'run').state;
}

export const flowJoinLaws = flowLawsOf('flows in a transaction of the caller', {
  'are retried exactly if it commits': async (subject) => {
    const { storage } = subject;
    const { runId, worker } = await openFlow(storage, [step('a'), step('b'), step('c', ['b'])]);
    await runAll(storage, worker, (key) => (key === 'b' ? { outcome: 'failed', error: 'boom' } : {}));
    let id = '';
    const retry: Work = async ({ flows }) => {
      ({ id } = (await flows!.retryFlow(runId, null))!);
      assert.equal(await flows!.getFlow(runId), null, 'Within it is another run.');
      assert.equal(await flows!.laterRun(runId), id);
      assert.equal(await flows!.retryFlow(id, null), null, 'It goes on.');
      assert.equal((await flowOf(storage, runId)).verdict, 'failed', 'Nobody else sees it yet.');
    };
    if (!(await rolledBack(subject, retry))) return;
    assert.equal((await flowOf(storage, runId)).verdict, 'failed');
    assert.deepEqual(await claimSteps(storage, worker), {});
    await transact(subject, retry);
    assert.deepEqual(await runAll(storage, worker), ['b', 'c']);
    await assertOver(storage, id, 'succeeded', { a: null, c: null });
  },

  'are paused and resumed exactly if it commits, to whatever depth': async (subject) => {
    const { storage } = subject;
    const { runId, worker } = await openFlow(storage, [step('sub'), step('due')]);
    const { sub, due } = await claimSteps(storage, worker);
    await openAs(storage, sub, [step('sub'), step('other')], { workflow: 'middle' });
    const inner = await claimSteps(storage, worker);
    await openAs(storage, inner.sub, [step('leaf'), step('next', ['leaf'])], { workflow: 'inner' });
    await storage.giveBack([holdOf(due), holdOf(inner.other)]);
    const ids = [runId, sub.id, inner.sub.id];
    const leaf = async (): Promise<string> => runState(storage, inner.sub.id, 'leaf');
    const pause: Work = async (jobs) => {
      assert.equal(await jobs.flows!.pauseFlow(runId), true);
      assert.deepEqual(await paused(jobs, ...ids), [true, true, true]);
      assert.deepEqual(await paused(storage, ...ids), [false, false, false]);
      assert.equal(await jobs.flows!.pauseFlow('987654321'), false);
    };
    if (!(await rolledBack(subject, pause))) return;
    assert.deepEqual([await paused(storage, ...ids), await leaf()], [[false, false, false], 'waiting']);
    await transact(subject, pause);
    assert.deepEqual([await paused(storage, ...ids), await leaf()], [[true, true, true], 'paused']);
    assert.deepEqual(await claimSteps(storage, worker), {});
    const resume: Work = async (jobs) => {
      assert.equal(await jobs.flows!.resumeFlow(runId), true);
      assert.deepEqual(await paused(jobs, ...ids), [false, false, false]);
    };
    await rolledBack(subject, resume);
    assert.deepEqual([await paused(storage, ...ids), await leaf()], [[true, true, true], 'paused']);
    await transact(subject, resume);
    assert.deepEqual([await paused(storage, ...ids), await leaf()], [[false, false, false], 'waiting']);
    assert.equal((await runAll(storage, worker)).length, 4);
    await assertOver(storage, runId, 'succeeded', {
      due: null,
      sub: { other: null, sub: { next: null } },
    });
  },

  'are paused with what the transaction itself has set going': async (subject) => {
    const { storage } = subject;
    const { runId, worker } = await openFlow(storage, [step('a')]);
    await runAll(storage, worker, () => ({ outcome: 'failed', error: 'boom' }));
    let id = '';
    const joined = await transact(subject, async ({ flows }) => {
      ({ id } = (await flows!.retryFlow(runId, null))!);
      assert.equal(await flows!.pauseFlow(id), true);
    });
    if (!joined) return;
    assert.deepEqual(await claimSteps(storage, worker), {});
    assert.equal(await storage.flows!.resumeFlow(id), true);
    assert.deepEqual(await runAll(storage, worker), ['a']);
  },

  'are found in it as they are': async (subject, flows) => {
    const { storage } = subject;
    const { runId } = await openFlow(storage, [step('a')]);
    await transact(subject, async (jobs) => {
      assert.equal(await jobs.flows!.pauseFlow(runId), true);
      const [within] = (await jobs.flows!.queryFlows({}, {})).items;
      assert.deepEqual([within.runId, within.pausedAt !== null], [runId, true]);
      assert.deepEqual(await statesOf(storage, runId), { a: 'released' });
    });
    assert.equal((await flows.queryFlows({}, {})).items.length, 1);
  },

  'are cancelled, and end with the last step in the hands of a worker, also within it': async (subject) => {
    const { storage } = subject;
    const { runId, worker } = await openFlow(storage, [step('a'), step('b', ['a'])]);
    const a = await claimOne(storage, worker);
    const joined = await transact(subject, async (jobs) => {
      assert.equal(await jobs.cancelRun(runId), 'requested');
      assert.equal((await jobs.flows!.getFlow(runId))?.ending, 'cancelled');
      assert.equal(await jobs.flows!.retryFlow(runId, null), null, 'It goes on.');
    });
    if (!joined) return;
    assert.deepEqual(await statesOf(storage, runId), { a: 'released', b: 'cancelled' });
    await settle(storage, a);
    assert.equal((await flowOf(storage, runId)).verdict, 'cancelled');
  },
});
