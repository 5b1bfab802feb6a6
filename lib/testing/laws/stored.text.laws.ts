import assert from 'node:assert/strict';
import type { StorageAdapter, StoredText } from '../../index.js';
import { lawsOf, type Law } from '../law.js';
import { addOneOff, addRecurring, claimOne, holdOf, ref, settle, startWorker } from './fixture.js';
import { openFlow, step } from './flow.fixture.js';

/** Of storages that give JSON letter by letter; the others are in order. */
const ofText =
  (check: (text: StoredText, storage: StorageAdapter) => Promise<void>): Law['check'] =>
  async ({ storage }) => {
    if (storage.storedText !== undefined) await check(storage.storedText, storage);
  };

const payload = { to: ['a "b"\n☃', null, 0.1, -1e21], deep: { er: [[[]]] }, empty: {} };

export const storedTextLaws = lawsOf('JSON as it is stored', {
  'is the text of the payload and the metadata of a job, recurring or not': ofText(async (text, storage) => {
    const metadata = { team: { name: 'core', level: 2 } };
    await addRecurring(storage, { id: 'often', payload, metadata });
    await addOneOff(storage, { id: 'once', payload: 'only text', metadata: {} });
    const often = (await text.job(ref('often')))!;
    assert.deepEqual(JSON.parse(often.payload), payload);
    assert.deepEqual(JSON.parse(often.metadata), metadata);
    const once = (await text.job(ref('once')))!;
    assert.deepEqual([once.payload, JSON.parse(once.metadata)], ['"only text"', {}]);
    assert.equal(await text.job({ namespace: 'other', id: 'often' }), null);
    assert.equal(await text.job(ref('nobody')), null);
  }),

  'says at which revision of the job': ofText(async (text, storage) => {
    const { revision } = await addRecurring(storage, { id: 'job', payload: 1 });
    assert.deepEqual([(await text.job(ref('job')))!.revision, revision], [revision, revision]);
    await storage.updateJob(ref('job'), { payload: [2] });
    const later = (await text.job(ref('job')))!;
    assert.deepEqual([later.payload, later.revision], ['[2]', revision + 1]);
  }),

  'is that of the results of the newest attempts': ofText(async (text, storage) => {
    await addOneOff(storage, { id: 'job' });
    const first = await claimOne(storage, await startWorker(storage));
    assert.deepEqual(await text.results(first.id, 10), []);
    await settle(storage, first, { outcome: 'failed', error: 'boom', retryInMs: -1_000 });
    const second = await claimOne(storage, await startWorker(storage));
    await settle(storage, second, { result: payload });
    const [result, ...others] = await text.results(first.id, 10);
    assert.deepEqual([result!.fence, result!.final, others], [second.fence, true, []]);
    assert.deepEqual(JSON.parse(result!.result), payload);
    assert.deepEqual(await text.results(first.id, 1), [result]);
    for (const id of ['0', 'none']) assert.deepEqual(await text.results(id, 10), []);
  }),

  'is that of the results of durable steps, however many': ofText(async (text, storage) => {
    await addOneOff(storage, { id: 'job' });
    const run = await claimOne(storage, await startWorker(storage));
    assert.deepEqual(await text.stepResults(run.id), []);
    const names = Array.from({ length: 40 }, (_, nth) => `step ${String(nth).padStart(2, '0')}`);
    const startedAt = await storage.now();
    for (const [nth, name] of names.entries()) {
      const place = { name, kind: 'step', position: nth + 1, attempt: 1, startedAt } as const;
      await storage.recordRunStep(holdOf(run), { ...place, ended: nth + 1, result: { nth } });
    }
    const found = await text.stepResults(run.id);
    const parsed = found.map(({ name, result }) => [name, JSON.parse(result)] as const);
    assert.deepEqual(new Map(parsed), new Map(names.map((name, nth) => [name, { nth }])));
    assert.equal(found.length, names.length);
    for (const id of ['0', 'none']) assert.deepEqual(await text.stepResults(id), []);
  }),

  'is that of what a workflow was begun with': ofText(async (text, storage) => {
    if (storage.flows === undefined) return;
    const { runId } = await openFlow(storage, [step('a')], { params: payload });
    assert.deepEqual(JSON.parse((await text.params(runId))!), payload);
    for (const id of ['0', 'none']) assert.equal(await text.params(id), null);
  }),
});
