import type { JsonObject } from '../model/json.js';
import type { EpochMs } from './epoch.ms.js';

/** A change of many that somebody has begun, and other processes tell of. */
export interface NewBulkAction {
  id: string;
  /** Who is confined to this tenant has begun it; null: nobody is. */
  tenant: string | null;
  action: string;
  /** As it was frozen at the beginning. */
  filter: JsonObject;
  /** No more than so many are concerned. */
  expected: number;
  /** A sum of what was asked for: another one with the same id is another wish. */
  asked: string;
  actor: string | null;
  /** The one who does it, and nobody else ever. */
  owner: string;
}

/** How far it is. */
export interface BulkProgress {
  state: 'running' | 'done' | 'aborted' | 'failed';
  /** Looked at so far. */
  matched: number;
  /** Of these those that are different now. */
  changed: number;
  /** What stood in the way of single ones. */
  failed: JsonObject[];
  /** Why it could not go on. */
  problem: JsonObject | null;
}

export interface StoredBulkAction extends Omit<NewBulkAction, 'owner'>, Omit<BulkProgress, 'state'> {
  /** `interrupted`: the lease of its owner has ended, so what it had done last may not be counted. */
  state: BulkProgress['state'] | 'interrupted';
  /** Somebody wants it to end. */
  abortRequested: boolean;
  createdAt: EpochMs;
  endedAt: EpochMs | null;
}

/** How long one is kept from its beginning, in ms; one that goes on stays. */
export const bulkActionsKeptMs = 30 * 86_400_000;

/** Changes of many, so that each process can tell of them and end them. `StorageAdapter.prune` forgets them after `bulkActionsKeptMs`. */
export interface BulkActionStorage {
  /** Stores it as begun, with a lease of its owner; or gives the one that has this id, whoever has begun it. */
  begin(action: NewBulkAction, leaseMs: number): Promise<{ begun: boolean; action: StoredBulkAction }>;
  /**
   * Writes how far it is, and prolongs the lease. null: it is not this owner's, or has ended. Where the lease has ended meanwhile it is written, and that it was interrupted: others have been told so.
   */
  report(
    id: string,
    owner: string,
    progress: BulkProgress,
    leaseMs: number,
  ): Promise<StoredBulkAction | null>;
  /** Has its owner end it, who is told by `report`. One that has ended stays as it is. null: there is none. */
  requestAbort(id: string): Promise<StoredBulkAction | null>;
  /** null: there is none. */
  get(id: string): Promise<StoredBulkAction | null>;
  /** Of this tenant, or of all (null), the newest first, up to `limit`. */
  list(tenant: string | null, limit: number): Promise<StoredBulkAction[]>;
}
