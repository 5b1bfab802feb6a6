import { allTables } from '../sql/table.names.js';
import { bySql, byHand, type Check, type Ground } from './check.js';
import type { Finding } from './diagnosis.js';

/** The clean-up of the server freezes what is older than `autovacuum_freeze_max_age`, 200 million as a rule: so much more, and it does not come to its end. */
const lateBy = 300_000_000;
/** The server gives up all that it spares otherwise (`vacuum_failsafe_age`): something is in the way. */
const tooLate = 1_600_000_000;
/** At about this age it takes no changes any more. */
const stopsAt = 2_145_000_000;
const most = 5;

/** Whether the numbers of transactions, or of groups of lockers (multixacts), are about to run out: the server then takes no changes at all. */
export const wraparoundChecks: readonly Check[] = [
  {
    name: 'transaction ids',
    look: async (ground: Ground) => databaseFindings(await ground.session.rows<Aged>(databasesSql)),
  },
  {
    name: 'transaction ids of tables',
    look: async ({ session, t }: Ground) => {
      const tables = allTables.map((name) => `${t.prefix}${name}`);
      const values = [t.schemaText, tables, `${t.prefix}attempt`];
      return tableFindings(await session.rows<Aged>(tablesSql, values));
    },
  },
];

export interface Aged {
  name: string;
  kind: 'transactions' | 'multixacts';
  age: number;
  /** From when on the server cleans up by itself. */
  freezeMax: number;
  /** Whether this connection is in it. */
  isHere: boolean;
}

/** Rows of both kinds that are later than they should be. `$1` and so on are those of `from`. */
function late(from: string): string {
  return `
select name, kind, age::numeric as age, freeze_max::numeric as "freezeMax", here as "isHere" from (
  select a.name, k.kind, k.age, k.freeze_max, a.here from (${from}) a cross join lateral (values
    ('transactions', a.xid_age, current_setting('autovacuum_freeze_max_age')::bigint),
    ('multixacts', a.multi_age, current_setting('autovacuum_multixact_freeze_max_age')::bigint)
  ) k (kind, age, freeze_max)
) aged where age > least(freeze_max + ${lateBy}, ${tooLate} - 1) order by age desc, name limit ${most}`;
}

const databasesSql = late(
  `select datname as name, age(datfrozenxid)::bigint as xid_age, mxid_age(datminmxid)::bigint as multi_age, datname = current_database() as here from pg_database`,
);

/** With what is stored out of line, and the partitions of the ledger. */
const tablesSql = late(`
  select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name, true as here,
    greatest(age(c.relfrozenxid), age(o.relfrozenxid))::bigint as xid_age, greatest(mxid_age(c.relminmxid), mxid_age(o.relminmxid))::bigint as multi_age
  from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_class o on o.oid = c.reltoastrelid
  where n.nspname = $1 and c.relkind = 'r' and (c.relname = any ($2::text[])
    or exists (select from pg_inherits i join pg_class p on p.oid = i.inhparent where i.inhrelid = c.oid and p.relnamespace = n.oid and p.relname = $3))`);

export function databaseFindings(databases: readonly Aged[]): Finding[] {
  return databases.map((database) => {
    const { name, kind, age, freezeMax, isHere } = database;
    return {
      code: 'doctor.wraparound',
      severity: severityOf(database),
      sentence: `The database "${name}" has row versions that are ${age} ${kind} old, and nothing freezes them: at ${stopsAt} the server takes no changes any more, in any database.`,
      evidence: { database: name, kind, age, freezeMax },
      repair: isHere
        ? bySql('vacuum (freeze);')
        : byHand(
            `Run "vacuum (freeze);" in the database "${name}", and end what keeps it from being cleaned up: transactions that are open, prepared ones, replication slots.`,
          ),
    };
  });
}

export function tableFindings(tables: readonly Aged[]): Finding[] {
  return tables.map((table) => {
    const { name, kind, age, freezeMax } = table;
    return {
      code: 'doctor.table-wraparound',
      severity: severityOf(table),
      sentence: `${name} has row versions that are ${age} ${kind} old, and the automatic clean-up does not freeze them: at ${stopsAt} the server takes no changes any more.`,
      evidence: { table: name, kind, age, freezeMax },
      repair: bySql(`vacuum (freeze) ${name};`),
    };
  });
}

function severityOf({ age }: Aged): Finding['severity'] {
  return age >= tooLate ? 'error' : 'warning';
}
