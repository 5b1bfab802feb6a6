import {
  bulkActionsKeptMs,
  type BulkActionStorage,
  type BulkProgress,
  type EpochMs,
  type NewBulkAction,
  type StoredBulkAction,
} from '../ports/storage.adapter.js';
import type { BulkActionRow, MemoryTables, Step } from './tables.js';

/** Changes of many in memory. */
export class MemoryBulkActions implements BulkActionStorage {
  constructor(private readonly atomically: <T>(step: Step<T>, kind?: 'read') => Promise<T>) {}

  begin(action: NewBulkAction, leaseMs: number): Promise<{ begun: boolean; action: StoredBulkAction }> {
    return this.atomically(({ bulkActions }, now) => {
      const there = bulkActions.get(action.id);
      if (there !== undefined) return { begun: false, action: toStored(there, now) };
      const row: BulkActionRow = {
        ...structuredClone(action),
        ...{ state: 'running', matched: 0, changed: 0, failed: [], problem: null },
        ...{ abortRequested: false, createdAt: now, endedAt: null, leaseUntil: now + leaseMs },
      };
      bulkActions.set(row.id, row);
      return { begun: true, action: toStored(row, now) };
    });
  }

  report(
    id: string,
    owner: string,
    progress: BulkProgress,
    leaseMs: number,
  ): Promise<StoredBulkAction | null> {
    return this.atomically(({ bulkActions }, now) => {
      const row = bulkActions.get(id);
      if (row === undefined || row.owner !== owner || row.state !== 'running') return null;
      const isLost = row.leaseUntil <= now;
      const { state } = progress;
      const next: BulkActionRow = {
        ...row,
        ...structuredClone(progress),
        state: isLost ? 'interrupted' : state,
        endedAt: isLost || state !== 'running' ? now : null,
        leaseUntil: now + leaseMs,
      };
      bulkActions.set(id, next);
      return toStored(next, now);
    });
  }

  requestAbort(id: string): Promise<StoredBulkAction | null> {
    return this.atomically(({ bulkActions }, now) => {
      const row = bulkActions.get(id);
      if (row === undefined) return null;
      if (row.state !== 'running') return toStored(row, now);
      const next = { ...row, abortRequested: true };
      bulkActions.set(id, next);
      return toStored(next, now);
    });
  }

  get(id: string): Promise<StoredBulkAction | null> {
    return this.atomically(({ bulkActions }, now) => {
      const row = bulkActions.get(id);
      return row === undefined ? null : toStored(row, now);
    }, 'read');
  }

  list(tenant: string | null, limit: number): Promise<StoredBulkAction[]> {
    return this.atomically(({ bulkActions }, now) => {
      const own = [...bulkActions.values()].filter((row) => tenant === null || row.tenant === tenant);
      const newest = own.sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
      return newest.slice(0, limit).map((row) => toStored(row, now));
    }, 'read');
  }
}

export function pruneBulkActions({ bulkActions }: MemoryTables, now: EpochMs): void {
  for (const { id, createdAt, leaseUntil, state } of bulkActions.values()) {
    const goesOn = state === 'running' && leaseUntil > now;
    if (createdAt < now - bulkActionsKeptMs && !goesOn) bulkActions.delete(id);
  }
}

function toStored(row: BulkActionRow, now: EpochMs): StoredBulkAction {
  const { owner: _, leaseUntil, ...stored } = row;
  const isLost = row.state === 'running' && leaseUntil <= now;
  return structuredClone(isLost ? { ...stored, state: 'interrupted', endedAt: leaseUntil } : stored);
}
