import assert from 'node:assert/strict';
import type { StorageAdapter } from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  claimOne,
  fireOne,
  oneOff,
  only,
  ref,
  runsOf,
  second,
  settle,
  settlementOf,
  startWorker,
} from './fixture.js';
import { step } from './flow.fixture.js';

/** A trace as text. */
const traced = (digit: string): string => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`;
const [asked, first, later] = [traced('a'), `${traced('b')} vendor=1`, traced('c')];

async function claimed(storage: StorageAdapter) {
  return claimOne(storage, await startWorker(storage));
}

export const traceLaws = lawsOf('traces', {
  'are carried by one-offs that were asked for in one': async ({ storage }) => {
    await addOneOff(storage, { id: 'a', trace: asked });
    assert.deepEqual((await claimed(storage)).trace, { parent: asked, last: null });
    await addOneOff(storage, { id: 'b' });
    assert.equal((await claimed(storage)).trace, undefined);
  },

  'are told apart within a call': async ({ storage }) => {
    const jobs = await Promise.all(
      [asked, undefined, first].map((trace, nth) =>
        oneOff(storage, { id: `job-${nth}`, newId: true, ...(trace !== undefined && { trace }) }),
      ),
    );
    await storage.insertJobs(jobs, 'raise');
    const { runs } = await storage.claim(await startWorker(storage), 10);
    const carried = new Map(runs.map(({ jobId, trace }) => [jobId, trace?.parent]));
    assert.deepEqual(
      jobs.map(({ id }) => carried.get(id)),
      [asked, undefined, first],
    );
  },

  'of an attempt are carried by the next one, and by the retry of its run': async ({ storage }) => {
    await addOneOff(storage, { trace: asked });
    const failed = { outcome: 'failed', error: 'no', retryInMs: -second } as const;
    await settle(storage, await claimed(storage), { ...failed, trace: first });
    const second1 = await claimed(storage);
    assert.deepEqual(second1.trace, { parent: asked, last: first });
    await settle(storage, second1, { outcome: 'failed', error: 'no', trace: later });
    const dead = only(await runsOf(storage, 'job'), 'run');
    await storage.retryRuns([dead.id], [], [], first);
    assert.deepEqual((await claimed(storage)).trace, { parent: first, last: later });
  },

  'of a stale owner change nothing': async ({ storage }) => {
    await addOneOff(storage, { trace: asked });
    const run = await claimed(storage);
    const snoozed = { outcome: 'snoozed', retryInMs: -second } as const;
    await settle(storage, run, { ...snoozed, trace: first });
    await storage.settle([await settlementOf(storage, run, { ...snoozed, trace: later })]);
    assert.deepEqual((await claimed(storage)).trace, { parent: asked, last: first });
  },

  'are carried by what is run now, not by what the schedule fires': async ({ storage }) => {
    await addRecurring(storage, { id: 'every', trace: asked });
    const worker = await startWorker(storage);
    assert.equal((await fireOne(storage, worker)).trace, undefined);
    await storage.runNow(ref('every'), [], first);
    assert.deepEqual((await claimOne(storage, worker)).trace, { parent: first, last: null });
  },

  'are carried by a one-off that is run now': async ({ storage }) => {
    await addOneOff(storage, { trace: asked, dueInMs: 3_600 * second });
    await storage.runNow(ref('job'), [], first);
    const run = await claimed(storage);
    assert.deepEqual(run.trace, { parent: first, last: null });
    // It goes on already: nobody asks for it any more.
    await storage.runNow(ref('job'), [], later);
    await settle(storage, run, { outcome: 'snoozed', retryInMs: -second });
    assert.equal((await claimed(storage)).trace?.parent, first);
  },

  'of the run that gave up are carried by the one that takes its place when it is run now': async ({
    storage,
  }) => {
    for (const [trace, parent] of [
      [later, later],
      [undefined, asked],
    ] as const) {
      await addOneOff(storage, { id: `job-${trace}`, trace: asked });
      const run = await claimed(storage);
      await settle(storage, run, { outcome: 'failed', error: 'no', trace: first });
      await storage.runNow(ref(run.jobId), [], trace);
      const again = await claimed(storage);
      assert.deepEqual([again.origin, again.trace], ['retry', { parent, last: first }]);
    }
  },

  'of who retries a workflow are carried by what runs again, else those of what opened it': async ({
    storage,
  }) => {
    if (storage.flows === undefined) return;
    await addOneOff(storage, {});
    const worker = await startWorker(storage);
    const flow = { workflow: 'nightly', version: null, params: null, steps: [step('a')] };
    const opener = await claimOne(storage, worker);
    await settle(storage, opener, { outcome: 'opened', flow, trace: first });
    let { id } = opener;
    for (const [trace, parent] of [
      [undefined, first],
      [later, later],
    ] as const) {
      const a = await claimOne(storage, worker);
      await settle(storage, a, { outcome: 'failed', error: 'no', flowStep: {} });
      ({ id } = (await storage.flows.retryFlow(id, null, [], trace))!);
      const again = await claimOne(storage, worker);
      assert.deepEqual([again.flowStep?.name, again.trace], ['a', { parent, last: null }]);
      await settle(storage, again, { outcome: 'failed', error: 'no', retryInMs: -second, flowStep: {} });
    }
  },

  'of what opens a workflow are carried by its steps': async ({ storage }) => {
    await addOneOff(storage, { trace: asked });
    const worker = await startWorker(storage);
    const flow = { workflow: 'nightly', version: null, params: null, steps: [step('a'), step('b', ['a'])] };
    await settle(storage, await claimOne(storage, worker), { outcome: 'opened', flow, trace: first });
    const a = await claimOne(storage, worker);
    assert.deepEqual(a.trace, { parent: first, last: null });
    await settle(storage, a, { outcome: 'failed', error: 'no', retryInMs: -second, trace: later });
    const again = await claimOne(storage, worker);
    assert.deepEqual([again.flowStep?.name, again.trace], ['a', { parent: first, last: later }]);
    await settle(storage, again, { outcome: 'succeeded', result: 1, flowStep: {} });
    assert.deepEqual((await claimOne(storage, worker)).trace, { parent: first, last: null });
  },

  'are carried by callbacks': async ({ storage }) => {
    await addOneOff(storage, {});
    const callback = await oneOff(storage, { id: 'then', trace: later });
    await settle(storage, await claimed(storage), { outcome: 'succeeded', callback });
    assert.deepEqual((await claimed(storage)).trace, { parent: later, last: null });
  },
});
