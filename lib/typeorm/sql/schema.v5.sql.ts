import { commentsOfTable } from './comments.sql.js';
import type { TableNames } from './table.names.js';

/** The version that has comments of all that is older. */
const commentsSince = 4;

/** What schema version 5 adds: a table that releases before do not know, and need not. */
export function schemaV5(t: TableNames, from: number): string[] {
  return [
    // Hardly any program can be packed, so none is tried to be.
    `create table ${t.binary} (
      sha256 text collate "C" primary key,
      size integer not null,
      stored_at timestamptz not null,
      used_at timestamptz not null,
      bytes bytea not null
    )`,
    `alter table ${t.binary} alter column bytes set storage external`,
    `create index ${t.index('binary_used')} on ${t.binary} (used_at)`,
    // Where there are none of what is older, the newest version brings all.
    ...(from < commentsSince ? [] : commentsOfTable(t, 'binary')),
  ];
}
