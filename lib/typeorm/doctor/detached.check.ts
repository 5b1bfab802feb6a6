import type { LedgerDay } from '../sql/ledger.day.fragment.js';
import type { TableNames } from '../sql/table.names.js';
import { bySql, type Ground } from './check.js';
import type { Finding } from './diagnosis.js';

/** What has the name of a partition that the ledger needs, and is none of it. */
export interface Taken {
  name: string;
  kind: 'table' | 'foreign table' | 'view' | 'materialized view' | 'sequence' | 'index' | 'type';
  /** It has the columns of the ledger, in their order: it can be attached. */
  fits: boolean;
}

/** $1 schema · $2 names · $3 the ledger */
const takenSql = `
select c.relname as name, c.relkind = 'r' and not c.relispartition and own.columns = ledger.columns as fits,
  case c.relkind when 'f' then 'foreign table' when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' when 'c' then 'type'
    when 'i' then 'index' when 'I' then 'index' else 'table' end as kind
from pg_class c join pg_namespace n on n.oid = c.relnamespace, lateral (${columnsOf('c.oid')}) own, lateral (${columnsOf('to_regclass($3)')}) ledger
where n.nspname = $1 and c.relname = any ($2::text[])
  and not exists (select from pg_inherits i where i.inhrelid = c.oid and i.inhparent = to_regclass($3)) order by 1`;

function columnsOf(table: string): string {
  return `select array_agg(format('%s %s %s %s', a.attname, format_type(a.atttypid, a.atttypmod), a.attcollation, a.attnotnull) order by a.attnum) as columns
    from pg_attribute a where a.attrelid = ${table} and a.attnum > 0 and not a.attisdropped`;
}

/** Those of the partitions with these names that cannot be made. */
export function readTaken({ session, t }: Ground, names: readonly string[]): Promise<Taken[]> {
  return session.rows<Taken>(takenSql, [t.schemaText, names, t.attempt]);
}

/** `place`: its name as a statement has it. */
export function asideOf({ kind, name }: Pick<Taken, 'kind' | 'name'>, place: string): string {
  return `alter ${kind} ${place} rename to "${name}_aside";`;
}

export function detachedFindings(
  taken: readonly Taken[],
  days: readonly LedgerDay[],
  t: TableNames,
): Finding[] {
  return taken.map(({ name, kind, fits }) => {
    const { table, move, attach } = days.find((day) => day.name === name)!;
    return {
      code: 'doctor.detached-partition',
      severity: 'warning',
      sentence: fits
        ? `The table ${table} is no partition of the ledger, though it looks like one and has the name: until it is attached again, its rows are not seen, no other can be made for that day, and new rows of that day go to the default partition.`
        : `The ${kind} ${table} has the name that a partition of the ledger needs: that cannot be made, and rows of its day go to the default partition.`,
      evidence: { [kind]: table, ledger: t.attempt },
      repair: bySql(fits ? ['begin', ...move, attach, 'commit;'].join('; ') : asideOf({ kind, name }, table)),
    };
  });
}
