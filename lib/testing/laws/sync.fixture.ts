import assert from 'node:assert/strict';
import type { DefinitionChange, NewJob, StorageAdapter, StoredDefinition, SyncResult } from '../../index.js';
import { recurring, type Wanted } from './fixture.js';

export const app = 'shop';

/** A declaration of the code of the app. */
export async function declared(storage: StorageAdapter, wanted: Wanted = {}): Promise<NewJob> {
  return recurring(storage, { source: 'code', app, ...wanted });
}

type Synced = Extract<SyncResult, { status: 'synced' }>;

/** What a sync is given here: the changes, or a plan of them. */
export interface SyncGiven {
  app?: string;
  setHash?: string;
  workerId?: string | null;
  ids?: string[];
  plan?: (stored: readonly StoredDefinition[], now: number) => DefinitionChange[];
}

export async function sync(storage: StorageAdapter, given: SyncGiven = {}): Promise<SyncResult> {
  return storage.syncDefinitions({
    app: given.app ?? app,
    setHash: given.setHash ?? 'set-1',
    workerId: given.workerId ?? null,
    declared: (given.ids ?? []).map((id) => `default/${id}`),
    plan: given.plan ?? (() => []),
  });
}

/** Syncs and asserts that it was not superseded. */
export async function synced(storage: StorageAdapter, given: SyncGiven = {}): Promise<Synced> {
  const result = await sync(storage, given);
  assert.ok(result.status === 'synced', `The sync should have been done, but was ${result.status}.`);
  return result;
}

/** Stores declared jobs as new. */
export async function insertDeclared(
  storage: StorageAdapter,
  jobs: readonly NewJob[],
  given: SyncGiven = {},
): Promise<Synced> {
  const ids = jobs.map((job) => job.id);
  return synced(storage, { ids, ...given, plan: () => jobs.map((job) => ({ kind: 'insert', job })) });
}

/** Changes the one stored job as `change` says. */
export async function changeStored(
  storage: StorageAdapter,
  change: (uid: string) => DefinitionChange,
  given: SyncGiven = {},
): Promise<Synced> {
  return synced(storage, {
    ...given,
    plan: (stored) => {
      assert.equal(stored.length, 1, 'One job should be stored.');
      return [change(stored[0].uid)];
    },
  });
}
