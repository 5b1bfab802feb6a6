import assert from 'node:assert/strict';
import { lawsOf } from '../law.js';
import { addOneOff, addRecurring, claimOne, fireOne, namespace, settle, startWorker } from './fixture.js';

const all = { limit: 10 };

export const freshLaws = lawsOf('test', {
  'begins with nothing of what an earlier one left, ids included': async ({ storage, open }) => {
    if (!storage.beginTest) return;
    await addRecurring(storage, { id: 'recurring' });
    await addOneOff(storage, { id: 'once' });
    const worker = await startWorker(storage);
    await settle(storage, await fireOne(storage, worker));
    await settle(storage, await claimOne(storage, worker));
    await addOneOff(storage, { id: 'open' });
    await storage.pauseScope({ kind: 'namespace', name: namespace }, { reason: 'audit', by: null });
    const next = await open();
    await next.beginTest!();
    assert.equal(await next.countJobs({}), 0);
    assert.deepEqual((await next.queryRuns({}, all)).items, []);
    assert.deepEqual((await next.queryAttempts({}, all)).items, []);
    assert.deepEqual(await next.queryPauses(), []);
    assert.deepEqual(await next.queryWorkers(), []);
    await addRecurring(next, { id: 'recurring' });
    await addOneOff(next, { id: 'open' });
  },
});
