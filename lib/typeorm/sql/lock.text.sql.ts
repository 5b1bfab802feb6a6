import { createHash } from 'node:crypto';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 app, or request. One sync at a time for an app, one request at a time with a key; the lock goes with the transaction.
export function lockTextSql(t: TableNames, of: 'sync' | 'request'): string {
  const space = createHash('sha256').update(`chronis ${of} ${t.meta}`).digest().readInt32BE();
  return `select pg_advisory_xact_lock(${space}, hashtext($2)), ${ms(now)} as now`;
}
