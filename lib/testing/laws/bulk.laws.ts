import assert from 'node:assert/strict';
import type { BulkChange, JobRef, StorageAdapter } from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  attemptsOf,
  claimOne,
  failWithRetry,
  fireOne,
  gapsOf,
  hour,
  jobOf,
  only,
  ref,
  runsOf,
  settle,
  startWorker,
  type Held,
} from './fixture.js';

const pause: BulkChange = { kind: 'pause', pause: { reason: 'audit', by: 'ops' } };
const nextAt = 8e12;
const resume: BulkChange = { kind: 'resume', plan: () => () => ({ nextAt, gap: null }) };

/** A recurring job that runs, one whose run waits for a retry, and a one-off of each kind. */
async function allKinds(storage: StorageAdapter): Promise<{ refs: JobRef[]; running: Held[] }> {
  const worker = await startWorker(storage, { leaseMs: 24 * hour });
  await addRecurring(storage, { id: 'r running' });
  const first = await fireOne(storage, worker);
  await addRecurring(storage, { id: 'r retrying' });
  await failWithRetry(storage, await fireOne(storage, worker), hour);
  await addOneOff(storage, { id: 'o running' });
  const second = await claimOne(storage, worker);
  await addOneOff(storage, { id: 'o retrying' });
  await failWithRetry(storage, await claimOne(storage, worker), hour);
  await addOneOff(storage, { id: 'o later', dueInMs: hour });
  const ids = ['o later', 'o retrying', 'o running', 'r retrying', 'r running'];
  return { refs: ids.map(ref), running: [first, second] };
}

async function statesOf(storage: StorageAdapter): Promise<string[]> {
  return (await storage.queryJobs({}, {})).items.map(({ state }) => state);
}

export const bulkLaws = lawsOf('bulk changes', {
  'pause each job as one pause would, and say which were paused already': async ({ storage }) => {
    const { refs, running } = await allKinds(storage);
    await storage.pauseJob(ref('o later'), { reason: 'before', by: null });
    const outcomes = await storage.changeJobs([ref('none'), ...refs], pause);
    assert.deepEqual(outcomes, ['not-found', 'unchanged', ...Array(4).fill('changed')]);
    assert.deepEqual(await statesOf(storage), ['paused', 'paused', 'running', 'paused', 'paused']);
    assert.equal((await jobOf(storage, 'o later')).paused?.reason, 'before');
    assert.equal((await jobOf(storage, 'r running')).paused?.reason, 'audit');
    assert.equal(only(await gapsOf(storage, 'r running'), 'gap').until, null);
    for (const run of running) await failWithRetry(storage, run, hour);
    assert.deepEqual(await statesOf(storage), Array(5).fill('paused'));
  },

  'resume each job by its plan, and leave the others': async ({ storage }) => {
    const { refs } = await allKinds(storage);
    await storage.changeJobs(refs.slice(1), pause);
    const outcomes = await storage.changeJobs([...refs, ref('none')], resume);
    assert.deepEqual(outcomes, ['unchanged', ...Array(4).fill('changed'), 'not-found']);
    assert.deepEqual(await statesOf(storage), ['pending', 'scheduled', 'running', 'scheduled', 'running']);
    assert.equal((await jobOf(storage, 'r retrying')).nextRunAt?.getTime(), nextAt);
    assert.deepEqual(await gapsOf(storage, 'r running'), []);
  },

  'cancel what the jobs run, wherever it stands': async ({ storage }) => {
    const { refs, running } = await allKinds(storage);
    await addRecurring(storage, { id: 'idle', dueInMs: hour });
    const outcomes = await storage.changeJobs([...refs, ref('idle')], { kind: 'cancel' });
    assert.deepEqual(outcomes, [...Array(5).fill('changed'), 'unchanged']);
    for (const run of running) await settle(storage, run, { outcome: 'cancelled' });
    const finals = await attemptsOf(storage, { finalOnly: true });
    assert.deepEqual(
      finals.map(({ outcome }) => outcome),
      Array(5).fill('cancelled'),
    );
    assert.deepEqual(await statesOf(storage), ['pending', 'scheduled', 'scheduled']);
  },

  'delete the jobs; what goes on ends with its attempt': async ({ storage }) => {
    const { refs, running } = await allKinds(storage);
    await addOneOff(storage, { id: 'kept', policies: { keepMs: 'forever' } });
    await settle(storage, await claimOne(storage, await startWorker(storage)));
    const outcomes = await storage.changeJobs([...refs, ref('kept'), ref('none')], { kind: 'delete' });
    assert.deepEqual(outcomes, [...Array(6).fill('changed'), 'not-found']);
    assert.equal(await storage.countJobs({}), 0);
    for (const run of running) await failWithRetry(storage, run);
    for (const { id } of refs) assert.deepEqual(await runsOf(storage, id), []);
    assert.equal((await attemptsOf(storage, { outcome: 'cancelled', finalOnly: true })).length, 3);
    const [again] = await storage.changeJobs([refs[0]], { kind: 'delete' });
    assert.equal(again, 'not-found');
    await addOneOff(storage, { id: 'o running' });
  },

  'change nothing when one of the plans fails': async ({ storage }) => {
    const { refs } = await allKinds(storage);
    await storage.changeJobs(refs, pause);
    const plan = () => (): never => {
      throw new RangeError('no such calendar');
    };
    await assert.rejects(storage.changeJobs(refs, { kind: 'resume', plan }), RangeError);
    assert.equal((await jobOf(storage, 'o later')).state, 'paused');
    assert.equal((await jobOf(storage, 'r retrying')).state, 'paused');
  },

  'find only which jobs there are, in the pages of a query': async ({ storage }) => {
    const { refs } = await allKinds(storage);
    const first = await storage.queryRefs({}, { limit: 3 });
    assert.deepEqual(first.items, refs.slice(0, 3));
    assert.equal(first.cursor, (await storage.queryJobs({}, { limit: 3 })).cursor);
    const rest = await storage.queryRefs({}, { limit: 3, cursor: first.cursor! });
    assert.deepEqual(rest, { items: refs.slice(3), cursor: null });
    const running = await storage.queryRefs({ state: 'running' }, {});
    assert.deepEqual(running.items, [ref('o running'), ref('r running')]);
  },

  'take an empty list': async ({ storage }) => {
    assert.deepEqual(await storage.changeJobs([], pause), []);
  },

  'happen once, however many ask at once': async ({ storage, open }) => {
    const { refs } = await allKinds(storage);
    const adapters = [storage, await open()];
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        adapters[index % 2].changeJobs(index % 3 === 0 ? refs.toReversed() : refs, pause),
      ),
    );
    assert.equal(answers.flat().filter((outcome) => outcome === 'changed').length, refs.length);
  },
});
