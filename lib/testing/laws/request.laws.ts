import assert from 'node:assert/strict';
import { RequestRepeatedError, type AuditedStore, type NewAudit, type StorageAdapter } from '../../index.js';
import { lawsOf } from '../law.js';
import { addRecurring, day, hour, minute, only, ref } from './fixture.js';

const mark = { actor: 'ada', key: 'k-1' };
const pause = { reason: null, by: null };

function entry(given: Partial<NewAudit> = {}): NewAudit {
  return {
    action: 'runNow',
    actor: mark.actor,
    note: null,
    requestId: null,
    namespace: 'default',
    jobId: 'job',
    runId: null,
    scope: null,
    details: null,
    count: 1,
    batch: null,
    request: { key: mark.key, digest: 'd-1', answer: null },
    ...given,
  };
}

/** What came to nothing has no entry. */
const keyed = (storage: Pick<AuditedStore, 'audited'>, given = mark): Promise<AuditedStore> =>
  storage.audited!((result) => {
    if (result === null) return [];
    const { id } = result as { id: string };
    const request = { key: given.key, digest: 'd-1', answer: { id, at: [1, null] } };
    return [entry({ actor: given.actor, runId: id, request })];
  }, given);
const runs = async (storage: StorageAdapter): Promise<string[]> =>
  (await storage.queryRuns({ jobId: 'job' }, {})).items.map(({ id }) => id);
const repeated = async (doing: Promise<unknown>): Promise<RequestRepeatedError['entry']> => {
  const error: unknown = await doing.then(
    () => assert.fail('It was done a second time.'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof RequestRepeatedError, String(error));
  return error.entry;
};

/** Of storages that keep who has asked for what. */
export const requestLaws = lawsOf('requests with a key', {
  'are done once, and the second is told what the first came to': async ({ storage }) => {
    if (storage.audited === undefined) return;
    await addRecurring(storage, { dueInMs: hour });
    const made = await (await keyed(storage)).runNow(ref('job'));
    const first = await repeated((await keyed(storage)).runNow(ref('job')));
    assert.deepEqual(await runs(storage), [made!.id]);
    const request = { key: 'k-1', digest: 'd-1', answer: { id: made!.id, at: [1, null] } };
    assert.deepEqual([first.runId, first.actor, first.request], [made!.id, 'ada', request]);
    // Whatever else is asked for with the key is not done either.
    await repeated((await keyed(storage)).pauseJob(ref('job'), pause));
    assert.equal((await storage.getJob(ref('job')))!.paused, null);
    const found = (await storage.queryAudit!({ actor: 'ada', requestKey: 'k-1' }, {})).items;
    assert.deepEqual(only(found, 'entry').request, request);
    assert.deepEqual((await storage.queryAudit!({ requestKey: 'k-2' }, {})).items, []);
  },

  'are done once where several come at once': async ({ storage }) => {
    if (storage.audited === undefined) return;
    await addRecurring(storage, { dueInMs: hour });
    const tries = await Promise.allSettled(
      Array.from({ length: 6 }, async () => (await keyed(storage)).runNow(ref('job'))),
    );
    const done = only(
      tries.flatMap((each) => (each.status === 'fulfilled' ? [each.value!.id] : [])),
      'request that was done',
    );
    assert.deepEqual(await runs(storage), [done]);
    for (const each of tries) {
      if (each.status === 'fulfilled') continue;
      assert.ok(each.reason instanceof RequestRepeatedError, String(each.reason));
      assert.equal(each.reason.entry.runId, done);
    }
  },

  'of several actors are apart, and those that came to nothing leave their key free': async ({ storage }) => {
    if (storage.audited === undefined) return;
    assert.equal(await (await keyed(storage)).runNow(ref('job')), null);
    await addRecurring(storage, { dueInMs: hour });
    for (const given of [mark, { ...mark, actor: 'ben' }, { ...mark, key: 'k-2' }])
      await (await keyed(storage, given)).runNow(ref('job'));
    assert.equal((await runs(storage)).length, 3);
  },

  'are remembered for a day, also where the record is kept for less': async ({ storage, clock }) => {
    if (storage.audited === undefined) return;
    await addRecurring(storage, { dueInMs: 90 * day });
    await (await keyed(storage)).runNow(ref('job'));
    const retention = { defaultMs: 30 * day, byVerdict: {}, auditMs: minute };
    await clock.advance(day - hour);
    assert.equal((await storage.prune(retention)).audit, undefined);
    await repeated((await keyed(storage)).runNow(ref('job')));
    await clock.advance(2 * hour);
    assert.equal((await storage.prune(retention)).audit, 1);
    await (await keyed(storage)).runNow(ref('job'));
    assert.equal((await runs(storage)).length, 2);
  },

  'are part of a transaction of the caller: rolled back the key is free, and a repetition leaves it as it is':
    async ({ storage, transaction }) => {
      if (storage.audited === undefined || storage.joined === undefined) return;
      await addRecurring(storage, { dueInMs: hour });
      const undone = new Error('undone');
      for (const ends of ['rollback', 'commit', 'repetition'] as const) {
        const work = transaction!(async (manager) => {
          const jobs = (await storage.joined!(manager))!;
          const run = (await keyed(jobs)).runNow(ref('job'));
          if (ends === 'repetition') await repeated(run);
          else assert.notEqual(await run, null);
          // The transaction goes on.
          await jobs.pauseJob(ref('job'), { reason: ends, by: null });
          if (ends === 'rollback') throw undone;
        });
        if (ends === 'rollback') await assert.rejects(work, undone);
        else await work;
        assert.equal((await runs(storage)).length, ends === 'rollback' ? 0 : 1);
      }
      assert.notEqual((await storage.getJob(ref('job')))!.paused, null);
    },
});
