import assert from 'node:assert/strict';
import type { DefinitionChange, NewJob, StorageAdapter, StoredDefinition } from '../../index.js';
import { lawsOf } from '../law.js';
import { jobOf, minute, only, recurring, ref } from './fixture.js';
import { app, carry, changeStored, declared, graceMs, insertDeclared, synced } from './sync.fixture.js';

const byAda = { at: Date.parse('2026-01-01T00:00:00Z'), by: 'ada' };
const changed = { payload: { declared: 'of the code', ...byAda }, timeoutMs: byAda };
const shown = {
  payload: { declared: 'of the code', at: new Date(byAda.at), by: 'ada' },
  timeoutMs: { at: new Date(byAda.at), by: 'ada' },
};

/** A declared job that is changed at run time. */
async function changeDeclared(storage: StorageAdapter): Promise<NewJob> {
  const job = await declared(storage, { payload: 'of the code', definitionHash: 'h1' });
  await insertDeclared(storage, [job]);
  await storage.updateJob(ref('job'), { payload: 'changed', policies: { timeoutMs: minute }, changed });
  return job;
}

async function storedOf(storage: StorageAdapter): Promise<StoredDefinition> {
  let seen: readonly StoredDefinition[] = [];
  const plan = (stored: readonly StoredDefinition[]): DefinitionChange[] => {
    seen = stored;
    return [];
  };
  await synced(storage, { plan });
  return only(seen, 'stored definition');
}

export const changedLaws = lawsOf('changed at run time', {
  'what is changed of a declared job is shown, with what the code says, and handed to the plan': async ({
    storage,
  }) => {
    const job = await changeDeclared(storage);
    const view = await jobOf(storage);
    assert.deepEqual([view.payload, view.policies, view.changed], ['changed', { timeoutMs: minute }, shown]);
    assert.deepEqual((await storage.queryJobs({}, {})).items[0]!.changed, shown);
    const stored = await storedOf(storage);
    assert.equal(stored.definitionHash, 'h1');
    assert.deepEqual(stored.changed?.changes, changed);
    assert.deepEqual(stored.changed.definition.payload, 'changed');
    await storage.updateJob(ref('job'), { payload: job.payload, policies: {}, changed: null });
    assert.equal((await jobOf(storage)).changed, null);
    assert.equal((await storedOf(storage)).changed, null);
  },

  'other changes leave it': async ({ storage }) => {
    await changeDeclared(storage);
    await storage.updateJob(ref('job'), { priority: 1 });
    await storage.pauseJob(ref('job'), { reason: null, by: null });
    await storage.resumeJob(ref('job'), () => ({ nextAt: null, gap: null }));
    await changeStored(storage, (uid) => ({ kind: 'orphan', uid, reason: 'undeclared' }));
    await changeStored(storage, (uid) => ({ kind: 'adopt', uid }));
    assert.deepEqual((await jobOf(storage)).changed, shown);
  },

  'a method that is changed at run time stays that of its declaration for the plan': async ({ storage }) => {
    await insertDeclared(storage, [await declared(storage)]);
    const handler = { declared: 'work', ...byAda };
    await storage.updateJob(ref('job'), { handler: 'other', changed: { handler } });
    assert.equal((await jobOf(storage)).handler, 'other');
    assert.equal((await storedOf(storage)).handler, 'work');
  },

  'an update by a sync says what is changed from then on, by another id as well': async ({ storage }) => {
    const job = await changeDeclared(storage);
    const given = { ...job, id: 'renamed', payload: 'changed', definitionHash: 'h2' };
    const payload = { declared: 'of the next release', ...byAda };
    await changeStored(storage, (uid) => {
      return { kind: 'update', uid, job: given, moveCursor: false, changed: { payload } };
    });
    const view = await jobOf(storage, 'renamed');
    assert.deepEqual(view.changed, { payload: { ...shown.payload, declared: 'of the next release' } });
    await changeStored(storage, (uid) => ({ kind: 'update', uid, job: given, moveCursor: false }));
    assert.equal((await jobOf(storage, 'renamed')).changed, null);
  },

  'a declared job that is replaced keeps its declaration below': async ({ storage, clock }) => {
    await changeDeclared(storage);
    const given = await recurring(storage, { payload: 'replaced', priority: 1 });
    await clock.advance(minute);
    await storage.insertJobs([given], 'replace');
    const view = await jobOf(storage);
    assert.deepEqual([view.payload, view.priority, view.policies], ['replaced', 1, {}]);
    const { payload, priority, timeoutMs } = view.changed!;
    assert.deepEqual([payload?.declared, payload?.by], ['of the code', null]);
    assert.ok(payload!.at.getTime() > shown.payload.at.getTime());
    assert.ok(priority);
    // It has none again, as the code says.
    assert.equal(timeoutMs, undefined);
    assert.equal((await storedOf(storage)).definitionHash, 'h1');
  },

  'a set that is synced knows which jobs are changed': async ({ storage }) => {
    const jobs = [await declared(storage), await declared(storage, { id: 'other' })];
    const ids = jobs.map(({ id }) => id);
    await carry(storage, 'set', { ids, plan: () => jobs.map((job) => ({ kind: 'insert', job })) });
    const set = { app, setHash: 'set', graceMs };
    assert.deepEqual((await storage.syncedSet(set))?.changed, []);
    const payload = { declared: null, ...byAda };
    await storage.updateJob(ref('job'), { payload: 'changed', changed: { payload } });
    const known = await storage.syncedSet(set);
    assert.deepEqual(known?.changed, [{ ...ref('job'), changes: { payload } }]);
  },

  'a job that was made at run time has nothing below': async ({ storage }) => {
    await storage.insertJobs([await recurring(storage)], 'raise');
    await storage.updateJob(ref('job'), { payload: 'changed', changed });
    assert.equal((await jobOf(storage)).changed, null);
  },
});
