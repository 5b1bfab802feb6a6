import { LockAdapter, type Lock, type LockState } from '../ports/lock.adapter.js';
import type { Database } from './database.js';
import { acquireLockSql } from './sql/acquire.lock.sql.js';
import { extendLockSql } from './sql/extend.lock.sql.js';
import { inspectLockSql } from './sql/inspect.lock.sql.js';
import { releaseLockSql } from './sql/release.lock.sql.js';
import type { TableNames } from './sql/table.names.js';

/** The database of a lock, and what becomes of it when the lock is closed. */
export interface LockHome {
  /** Rejects before `init` of what opens it. */
  database(): Database;
  init(): Promise<void>;
  close(): Promise<void>;
}

/** Locks in a table: rows with an owner, a lease and a fence, so that they need no session and survive a pooler. */
export class TypeOrmLock extends LockAdapter {
  readonly shared = true;
  private readonly sql: Record<'acquire' | 'extend' | 'release' | 'inspect', string>;

  constructor(
    tables: TableNames,
    private readonly home: LockHome,
  ) {
    super();
    this.sql = {
      acquire: acquireLockSql(tables),
      extend: extendLockSql(tables),
      release: releaseLockSql(tables),
      inspect: inspectLockSql(tables),
    };
  }

  init(): Promise<void> {
    return this.home.init();
  }

  close(): Promise<void> {
    return this.home.close();
  }

  async acquire(key: string, owner: string, ttlMs: number): Promise<Lock | null> {
    const [row] = await this.run<{ fence: number | null }>('acquire', [key, owner, ttlMs]);
    const fence = row?.fence ?? null;
    return fence === null ? null : { key, owner, fence };
  }

  async extend({ key, fence }: Lock, ttlMs: number): Promise<boolean> {
    return (await this.run('extend', [key, fence, ttlMs])).length > 0;
  }

  async release({ key, fence }: Lock): Promise<boolean> {
    return (await this.run('release', [key, fence])).length > 0;
  }

  async reset(key: string): Promise<boolean> {
    return (await this.run('release', [key, null])).length > 0;
  }

  async inspect(key: string): Promise<LockState | null> {
    const [row] = await this.run<{ owner: string; fence: number; expires_at: number }>('inspect', [key]);
    return row ? { key, owner: row.owner, fence: row.fence, expiresAt: new Date(row.expires_at) } : null;
  }

  private async run<Row>(statement: keyof typeof this.sql, values: readonly unknown[]): Promise<Row[]> {
    return this.home.database().run<Row>(this.sql[statement], values);
  }
}
