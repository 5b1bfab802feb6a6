import { createHash } from 'node:crypto';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 app. One sync at a time for an app; the lock goes with the transaction.
export function lockAppSql(t: TableNames): string {
  const space = createHash('sha256').update(`chronis sync ${t.meta}`).digest().readInt32BE();
  return `select pg_advisory_xact_lock(${space}, hashtext($2)), ${ms(now)} as now`;
}
