import { unnest } from './arrays.fragment.js';
import type { TableNames } from './table.names.js';
import { now } from './time.fragment.js';

const columns = [
  ['action', 'text'],
  ['actor', 'text'],
  ['note', 'text'],
  ['request_id', 'text'],
  ['namespace', 'text'],
  ['job_id', 'text'],
  ['run_id', 'bigint'],
  ['scope_kind', 'text'],
  ['scope_name', 'text'],
  ['details', 'json'],
  ['count', 'integer'],
  ['batch', 'text'],
  ['request_key', 'text'],
  ['request', 'json'],
] as const;

// $1 time · $2 to $15 the columns. The steps of one batch are one row.
export function recordAuditSql(t: TableNames): string {
  const names = columns.map(([name]) => name).join(', ');
  const given = unnest(columns.map(([, type], nth) => `$${nth + 2}::${type}[]`));
  return `
insert into ${t.audit} as a (at, ${names})
select ${now}, ${names} from ${given} g (${names})
on conflict (batch) where batch is not null do update set count = a.count + excluded.count
returning id::text`;
}
