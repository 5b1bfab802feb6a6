import assert from 'node:assert/strict';
import type { AuditedStore, NewAudit, StorageAdapter } from '../../index.js';
import { lawsOf } from '../law.js';
import { addOneOff, addRecurring, assertNear, day, hour, minute, only, ref } from './fixture.js';

const pause = { reason: null, by: null };

function entry(given: Partial<NewAudit> = {}): NewAudit {
  return {
    action: 'pause',
    actor: 'ada',
    note: null,
    requestId: null,
    namespace: 'default',
    jobId: 'job',
    runId: null,
    scope: null,
    details: null,
    count: 1,
    batch: null,
    request: null,
    ...given,
  };
}

const audit = async (storage: StorageAdapter) => (await storage.queryAudit!({}, {})).items;
const auditing = (storage: StorageAdapter, ...entries: NewAudit[]): Promise<AuditedStore> =>
  storage.audited!(() => entries);

/** Of storages that keep who has asked for what; the others are in order. */
export const auditLaws = lawsOf('who has asked', {
  'is on record with what was done, as it was told': async ({ storage }) => {
    if (storage.audited === undefined) return;
    await addRecurring(storage, { dueInMs: hour });
    const told = {
      note: 'why',
      requestId: 'r-1',
      runId: '7',
      scope: { kind: 'queue', name: 'mail' },
      details: { before: { a: 1 }, after: ['b', null] },
      count: 3,
    } as const;
    const job = await (
      await auditing(storage, entry(told as unknown as NewAudit))
    ).pauseJob(ref('job'), pause);
    assert.equal(job?.state, 'paused');
    const { id, at, ...rest } = only(await audit(storage), 'entry');
    assert.match(id, /^\d+$/);
    assertNear(at, await storage.now(), 'The time of the entry');
    const { batch: _, request: __, ...expected } = entry(told as unknown as NewAudit);
    assert.deepEqual(rest, expected);
  },

  'gets what the call came to': async ({ storage }) => {
    if (storage.audited === undefined) return;
    const results: unknown[] = [];
    const store = await storage.audited((result) => {
      results.push(result);
      return [];
    });
    assert.equal(await store.pauseJob(ref('none'), pause), null);
    assert.deepEqual([...new Set(results)], [null]);
    assert.deepEqual(await audit(storage), []);
  },

  'adds up the steps of a batch to one entry': async ({ storage }) => {
    if (storage.audited === undefined) return;
    for (const id of ['a', 'b']) await addRecurring(storage, { id, dueInMs: hour });
    for (const [id, count] of [
      ['a', 2],
      ['b', 3],
    ] as const) {
      const store = await auditing(storage, entry({ count, batch: 'one' }));
      await store.changeJobs([ref(id)], { kind: 'cancel' });
    }
    assert.equal(only(await audit(storage), 'entry').count, 5);
  },

  'is found by each condition, the newest first, page by page, and stays when the job is gone': async ({
    storage,
  }) => {
    if (storage.audited === undefined || storage.queryAudit === undefined) return;
    const entries = [
      entry({ jobId: 'a' }),
      entry({ jobId: 'b', actor: 'ben', action: 'runNow', runId: '12' }),
      entry({ namespace: 'other', jobId: 'a' }),
      entry({ namespace: null, jobId: null, scope: { kind: 'all', name: '' }, action: 'pauseScope' }),
    ];
    for (const each of entries) {
      await addOneOff(storage, { dueInMs: hour });
      await (await auditing(storage, each)).deleteJob(ref('job'));
    }
    const all = await audit(storage);
    assert.deepEqual(
      all.map(({ action }) => action),
      ['pauseScope', 'pause', 'runNow', 'pause'],
    );
    const count = async (filter: Parameters<NonNullable<StorageAdapter['queryAudit']>>[0]) =>
      (await storage.queryAudit!(filter, {})).items.length;
    assert.equal(await count({ namespace: 'default' }), 2);
    assert.equal(await count({ namespace: 'default', jobId: 'a' }), 1);
    assert.equal(await count({ runId: '12' }), 1);
    assert.equal(await count({ runId: 'none' }), 0);
    assert.equal(await count({ actor: 'ada' }), 3);
    assert.equal(await count({ action: ['pause', 'pauseScope'] }), 3);
    const now = await storage.now();
    assert.equal(await count({ from: new Date(now - minute), until: new Date(now + minute) }), 4);
    assert.equal(await count({ until: new Date(now - minute) }), 0);
    assert.equal(await count({ from: new Date(now + minute) }), 0);
    const seen: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = await storage.queryAudit({}, { limit: 1, ...(cursor && { cursor }) });
      seen.push(...page.items.map(({ id }) => id));
      ({ cursor } = page);
    }
    assert.deepEqual(
      seen,
      all.map(({ id }) => id),
    );
  },

  'is told with a run that is stored: the last that was asked for by its id': async ({ storage }) => {
    if (storage.audited === undefined) return;
    await addRecurring(storage, { dueInMs: hour });
    const run = await storage.runNow(ref('job'));
    const runId = run!.id;
    const other = await storage.runNow(ref('job'));
    await (
      await auditing(
        storage,
        entry({ action: 'runNow', runId, note: 'first' }),
        entry({ action: 'cancelRun', actor: 'bob', runId: other!.id }),
      )
    ).pauseJob(ref('job'), pause);
    const requests = async () =>
      new Map(
        (await storage.queryRuns({ jobId: 'job' }, {})).items.map(
          ({ id, requestedBy, requestedAction, note }) => [id, [requestedBy, requestedAction, note]],
        ),
      );
    assert.deepEqual((await requests()).get(runId), ['ada', 'runNow', 'first']);
    assert.deepEqual((await requests()).get(other!.id), ['bob', 'cancelRun', null]);
    // What is no request is not told, and of several the last.
    await (
      await auditing(
        storage,
        entry({ action: 'cancelRun', actor: 'eve', runId }),
        entry({ action: 'signal', actor: 'mallory', runId }),
      )
    ).pauseJob(ref('job'), pause);
    assert.deepEqual((await requests()).get(runId), ['eve', 'cancelRun', null]);
    const third = await storage.runNow(ref('job'));
    assert.deepEqual((await requests()).get(third!.id), [null, null, null]);
  },

  'is forgotten after its time, and kept where nobody says how long': async ({ storage, clock }) => {
    if (storage.audited === undefined) return;
    await addOneOff(storage, { dueInMs: hour });
    await (await auditing(storage, entry())).pauseJob(ref('job'), pause);
    const retention = { defaultMs: 30 * day, byVerdict: {} };
    await clock.advance(hour);
    await storage.prune(retention);
    await storage.prune({ ...retention, auditMs: 2 * hour });
    assert.equal((await audit(storage)).length, 1);
    const { audit: gone } = await storage.prune({ ...retention, auditMs: minute });
    assert.equal(gone, 1);
    assert.deepEqual(await audit(storage), []);
  },

  'is part of a transaction of the caller': async ({ storage, transaction }) => {
    if (storage.audited === undefined || storage.joined === undefined) return;
    await addOneOff(storage, { dueInMs: hour });
    const undone = new Error('undone');
    for (const ends of ['rollback', 'commit'] as const) {
      const inTransaction = transaction!(async (manager) => {
        const jobs = await storage.joined!(manager);
        await (await jobs!.audited!(() => [entry()])).pauseJob(ref('job'), pause);
        assert.equal((await jobs!.queryAudit!({}, {})).items.length, 1);
        assert.deepEqual(await audit(storage), []);
        if (ends === 'rollback') throw undone;
      });
      if (ends === 'rollback') await assert.rejects(inTransaction, undone);
      else await inTransaction;
      assert.equal((await audit(storage)).length, ends === 'commit' ? 1 : 0);
    }
  },
});
