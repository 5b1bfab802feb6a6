import type { TableNames } from './table.names.js';

/** A query for the `name` of each partition of the ledger, and whether it is `bare`: made by a release that gave it no replica identity. */
export function ledgerPartitions(t: TableNames): string {
  return `select p.relname as name, p.relreplident <> 'f' as bare from pg_inherits i
     join pg_class p on p.oid = i.inhrelid join pg_class c on c.oid = i.inhparent
     join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = '${t.schemaText}' and c.relname = '${t.prefix}attempt'`;
}
