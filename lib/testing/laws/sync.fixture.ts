import assert from 'node:assert/strict';
import type {
  CarriedSet,
  Declaration,
  DefinitionChange,
  NewJob,
  StorageAdapter,
  StoredDefinition,
  SyncPlan,
  SyncRequest,
  SyncResult,
} from '../../index.js';
import { minute, namespace, recurring, registrationOf, type Wanted } from './fixture.js';

export const app = 'shop';

/** A declaration of the code of the app. */
export async function declared(storage: StorageAdapter, wanted: Wanted = {}): Promise<NewJob> {
  return recurring(storage, { source: 'code', app, ...wanted });
}

type Synced = Extract<SyncResult, { status: 'synced' }>;

/** What a sync is given here: the changes, or a plan of them. */
export interface SyncGiven extends Partial<Omit<SyncRequest, 'plan'>> {
  /** Ids to declare, with all the rest the same, in place of declarations. */
  ids?: string[];
  outranked?: SyncPlan['outranked'];
  plan?: (
    stored: readonly StoredDefinition[],
    now: number,
    carried: readonly CarriedSet[],
  ) => DefinitionChange[];
}

export const graceMs = 10 * minute;

export async function sync(
  storage: StorageAdapter,
  { ids = [], plan = () => [], outranked = [], ...given }: SyncGiven = {},
): Promise<SyncResult> {
  return storage.syncDefinitions({
    app,
    setHash: 'set-1',
    workerId: 'nobody',
    declarations: ids.map((id) => declaration(id)),
    graceMs,
    previousApps: [],
    ...given,
    plan: (stored, carried, now) => ({ changes: plan(stored, now, carried), outranked }),
  });
}

export function declaration(id: string, given: Partial<Declaration> = {}): Declaration {
  return { namespace, id, hash: 'hash', handler: 'work', previousIds: [], ...given };
}

/** Syncs and asserts that it was not refused. */
export async function synced(storage: StorageAdapter, given: SyncGiven = {}): Promise<Synced> {
  const result = await sync(storage, given);
  assert.ok(result.status === 'synced', `The sync should have been done, but was ${result.status}.`);
  return result;
}

/** Begins a worker that carries a set, by the step that syncs it. */
export async function carry(
  storage: StorageAdapter,
  setHash: string,
  given: SyncGiven & { leaseMs?: number } = {},
): Promise<{ workerId: string; generation: number }> {
  const { leaseMs = minute, ...request } = given;
  const worker = registrationOf({ app: request.app ?? app });
  const { id: workerId } = worker;
  const registration = { worker, leaseMs };
  const { generation } = await synced(storage, { setHash, ...request, workerId, registration });
  return { workerId, generation };
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
