import type { Clock } from '../ports/clock.js';
import { leaseToleranceMs } from '../model/leases.js';
import { StorageError } from '../model/errors.js';
import { LockAdapter, type Lock, type LockState } from '../ports/lock.adapter.js';
import { SystemClock } from '../ports/system.clock.js';

interface LockRow {
  fence: number;
  owner: string | null;
  expiresAt: number;
  leaseMs: number;
}

/** Every lock that was ever taken: the fence has to outlive the lock. */
export type LockTable = Map<string, LockRow>;

/** Locks of one process, with the fences and leases of the real thing. @publicApi */
export class MemoryLock extends LockAdapter {
  readonly shared = false;
  private readonly clock: Clock;
  private readonly rows: LockTable;
  private readonly lasting: () => Promise<void>;
  private closed = false;

  /** `locks`: shared by the adapters that shall exclude one another. @default a table of its own. `lasting`: what is done resolves when this has. @default at once */
  constructor({
    clock,
    locks,
    lasting,
  }: { clock?: Clock; locks?: LockTable; lasting?: () => Promise<void> } = {}) {
    super();
    this.clock = clock ?? new SystemClock();
    this.rows = locks ?? new Map();
    this.lasting = lasting ?? (() => Promise.resolve());
  }

  async init(): Promise<void> {}

  async close(): Promise<void> {
    this.closed = true;
  }

  acquire(key: string, owner: string, ttlMs: number): Promise<Lock | null> {
    return this.atomically((now) => {
      const row = this.rows.get(key);
      if (row && isHeld(row, now) && row.owner !== owner) {
        // Taken while the clock was ahead.
        if (row.expiresAt > now + row.leaseMs + leaseToleranceMs)
          this.rows.set(key, { ...row, expiresAt: now + row.leaseMs });
        return null;
      }
      const fence = (row?.fence ?? 0) + 1;
      this.rows.set(key, { fence, owner, expiresAt: now + ttlMs, leaseMs: ttlMs });
      return { key, owner, fence };
    });
  }

  extend(lock: Lock, ttlMs: number): Promise<boolean> {
    return this.atomically((now) => {
      const row = this.heldRow(lock, now);
      if (row) this.rows.set(lock.key, { ...row, expiresAt: now + ttlMs, leaseMs: ttlMs });
      return row !== null;
    });
  }

  release(lock: Lock): Promise<boolean> {
    return this.atomically((now) => {
      const row = this.heldRow(lock, now);
      if (row) this.rows.set(lock.key, { ...row, owner: null });
      return row !== null;
    });
  }

  reset(key: string): Promise<boolean> {
    return this.atomically((now) => {
      const row = this.rows.get(key);
      if (!row || !isHeld(row, now)) return false;
      this.rows.set(key, { ...row, owner: null });
      return true;
    });
  }

  inspect(key: string): Promise<LockState | null> {
    return this.atomically((now) => {
      const row = this.rows.get(key);
      if (!row || row.owner === null || !isHeld(row, now)) return null;
      return { key, owner: row.owner, fence: row.fence, expiresAt: new Date(row.expiresAt) };
    });
  }

  private heldRow({ key, fence }: Lock, now: number): LockRow | null {
    const row = this.rows.get(key);
    return row && row.fence === fence && isHeld(row, now) ? row : null;
  }

  /** A turn before and after, so that concurrent callers really interleave. */
  private async atomically<T>(work: (now: number) => T): Promise<T> {
    await Promise.resolve();
    if (this.closed)
      throw new StorageError('This memory lock was closed. Make another one on the same locks.');
    const answer = work(this.clock.now());
    await this.lasting();
    return answer;
  }
}

function isHeld(row: LockRow, now: number): boolean {
  return row.owner !== null && row.expiresAt > now;
}
