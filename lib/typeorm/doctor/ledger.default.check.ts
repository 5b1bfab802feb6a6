import { defaultPartition } from '../sql/ledger.day.fragment.js';
import type { TableNames } from '../sql/table.names.js';
import { bySql, type Ground } from './check.js';
import { asideOf, readTaken, type Taken } from './detached.check.js';
import type { Finding } from './diagnosis.js';

/** By its names as statements have them; null: the ledger has none. */
interface FoundDefault {
  schema: string | null;
  table: string | null;
  isHere: boolean;
  /** It has the name by which Chronis writes it. */
  isOwn: boolean;
}

/** $1 the ledger · $2 its default partition, as Chronis calls it · $3 the schema */
const foundSql = `
select quote_ident(n.nspname) as schema, quote_ident(c.relname) as "table", n.nspname = $3 as "isHere", coalesce(c.oid = to_regclass($2), false) as "isOwn"
from pg_partitioned_table p left join (pg_class c join pg_namespace n on n.oid = c.relnamespace) on c.oid = nullif(p.partdefid, 0)
where p.partrelid = to_regclass($1)`;

/** Whether the ledger has the partition for days without one, by its name. `days`: the partitions that it has. */
export async function defaultPartitionFindings(ground: Ground, days: readonly string[]): Promise<Finding[]> {
  const { session, t } = ground;
  const { name, table } = defaultPartition(t);
  const [found] = await session.rows<FoundDefault>(foundSql, [t.attempt, table, t.schemaText]);
  // Without the ledger itself there is nothing to say of its parts.
  if (found === undefined || found.isOwn) return [];
  const [taken] = await readTaken(ground, [name]);
  return [found.table === null ? lacking(taken, days, t) : renamed(found, taken, t)];
}

const consequence =
  'Runs that end on a day without a partition of its own get no verdict, and are executed again after the next start; no process starts until it is mended';

function lacking(taken: Taken | undefined, days: readonly string[], t: TableNames): Finding {
  const { table, create } = defaultPartition(t);
  const made = create.join('; ');
  const common = { severity: 'error', evidence: { table, ledger: t.attempt } } as const;
  if (taken === undefined) {
    return {
      ...common,
      code: 'doctor.missing-partition',
      sentence: `The ledger has no default partition: ${table} is gone. ${consequence}. What was in it, only a backup brings back.`,
      repair: bySql(`${made};`),
    };
  }
  const code = 'doctor.detached-partition';
  if (!taken.fits) {
    return {
      ...common,
      code,
      sentence: `The ${taken.kind} ${table} has the name of the default partition of the ledger, which is gone. ${consequence}.`,
      repair: bySql(`${asideOf(taken, table)} ${made};`),
    };
  }
  return {
    ...common,
    code,
    sentence: `The table ${table} is no partition of the ledger any more, which has no default partition without it: its rows are not seen. ${consequence}.`,
    repair: bySql(attaching(days, t)),
  };
}

/** Rows of days that have a partition of their own are in the way of attaching it: they go where they belong. */
function attaching(days: readonly string[], t: TableNames): string {
  const { table, attach } = defaultPartition(t);
  const oldest = days
    .flatMap((day) => /attempt_(\d{8})$/.exec(day)?.[1] ?? [])
    .toSorted()
    .at(0);
  if (oldest === undefined) return `${attach};`;
  const moved = 'chronis_moved';
  return [
    'begin',
    `create temporary table ${moved} on commit drop as select * from ${table} where finished_at >= '${oldest} 00:00Z'`,
    `delete from ${table} where finished_at >= '${oldest} 00:00Z'`,
    attach,
    `insert into ${t.attempt} select * from ${moved}`,
    'commit;',
  ].join('; ');
}

function renamed(found: FoundDefault, taken: Taken | undefined, t: TableNames): Finding {
  const { name, table } = defaultPartition(t);
  const actual = `${found.schema}.${found.table}`;
  const steps = [
    ...(taken === undefined ? [] : [asideOf(taken, table)]),
    ...(found.isHere ? [] : [`alter table ${actual} set schema ${t.schema};`]),
    ...(found.table === name ? [] : [`alter table ${t.schema}.${found.table} rename to "${name}";`]),
  ];
  return {
    code: 'doctor.detached-partition',
    severity: 'error',
    sentence: `The default partition of the ledger is called ${actual}, and not ${table}: what is in it does not move to partitions of days, and is not deleted by itself.`,
    evidence: { table: actual, ledger: t.attempt },
    repair: bySql(steps.join(' ')),
  };
}
