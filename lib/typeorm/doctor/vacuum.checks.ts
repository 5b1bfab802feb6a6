import { allTables } from '../sql/table.names.js';
import { tableAutovacuumCheck } from './autovacuum.check.js';
import { bySql, type Check, type Ground } from './check.js';
import type { Finding } from './diagnosis.js';
import { lateVacuumCheck } from './late.vacuum.check.js';

/** Of what holds back the clean-up, and of tables, no more than these are told. */
const most = 5;
/** So few are no debt. */
const leastDead = 20_000;
const minuteMs = 60_000;

/** What keeps the server from cleaning up the tables: each statement reads past the rows that are gone. */
export const vacuumChecks: readonly Check[] = [
  {
    name: 'transactions',
    look: async ({ session, limits }) =>
      transactionFindings(await session.rows<Held>(transactionsSql, [limits.longTransactionMs])),
  },
  {
    name: 'prepared transactions',
    look: async ({ session, limits }) =>
      preparedFindings(await session.rows<Prepared>(preparedSql, [limits.longTransactionMs])),
  },
  {
    name: 'replication slots',
    look: async ({ session }) => slotFindings(await session.rows<Slot>(slotsSql)),
  },
  {
    name: 'dead rows',
    look: async ({ session, t }: Ground) =>
      debtFindings(await session.rows<Swollen>(debtSql, [t.schemaText, tableNames(t.prefix)])),
  },
  tableAutovacuumCheck,
  lateVacuumCheck,
];

const tableNames = (prefix: string): string[] => allTables.map((name) => `${prefix}${name}`);

interface Held {
  pid: number;
  application: string;
  role: string;
  idle: boolean;
  ms: number;
}

const transactionsSql = `
select pid, application_name as application, usename as role, state like 'idle in transaction%' as idle, (extract(epoch from now() - xact_start) * 1000)::numeric as ms
from pg_stat_activity
where backend_type = 'client backend' and pid <> pg_backend_pid() and xact_start < now() - $1::float8 * interval '1 millisecond'
  and (backend_xmin is not null or backend_xid is not null or state like 'idle in transaction%')
order by xact_start limit ${most}`;

export function transactionFindings(held: readonly Held[]): Finding[] {
  return held.map(({ pid, application, role, idle, ms }) => ({
    code: idle ? 'doctor.idle-transaction' : 'doctor.long-transaction',
    severity: 'warning',
    sentence: `A transaction of "${application}" has been ${idle ? 'idle' : 'under way'} for ${minutes(ms)}: what it has locked stays so, and no row that went since is cleaned up.`,
    evidence: { pid, application, role, openMs: Math.round(ms) },
    repair: bySql(`select pg_terminate_backend(${pid});`),
  }));
}

function minutes(ms: number): string {
  return ms < minuteMs ? `${Math.round(ms / 1_000)} s` : `${Math.round(ms / minuteMs)} min`;
}

interface Prepared {
  gid: string;
  owner: string;
  ms: number;
}

const preparedSql = `
select gid, owner, (extract(epoch from now() - prepared) * 1000)::numeric as ms from pg_prepared_xacts
where database = current_database() and prepared < now() - $1::float8 * interval '1 millisecond' order by prepared limit ${most}`;

export function preparedFindings(prepared: readonly Prepared[]): Finding[] {
  return prepared.map(({ gid, owner, ms }) => ({
    code: 'doctor.prepared-transaction',
    severity: 'warning',
    sentence: `The prepared transaction "${gid}" was left open ${minutes(ms)} ago: its locks stay over restarts, and no row that went since is cleaned up.`,
    evidence: { gid, owner, openMs: Math.round(ms) },
    repair: bySql(`rollback prepared ${literal(gid)};`),
  }));
}

interface Slot {
  name: string;
  kind: string;
  status: string | null;
  holdsRows: boolean;
}

const slotsSql = `
select slot_name as name, slot_type as kind, wal_status as status, xmin is not null or catalog_xmin is not null as "holdsRows"
from pg_replication_slots where not active and not temporary and (restart_lsn is not null or xmin is not null or catalog_xmin is not null) order by slot_name limit ${most}`;

export function slotFindings(slots: readonly Slot[]): Finding[] {
  return slots.map(({ name, kind, status, holdsRows }) => ({
    code: 'doctor.replication-slot',
    severity: 'warning',
    sentence: `Nobody reads the ${kind} replication slot "${name}": the server keeps its log for it until the disk is full${holdsRows ? ', and rows that are gone' : ''}.`,
    evidence: { slot: name, kind, walStatus: status, holdsRows },
    repair: bySql(`select pg_drop_replication_slot(${literal(name)});`),
  }));
}

interface Swollen {
  name: string;
  dead: number;
  live: number;
  lastVacuum: string | null;
}

const debtSql = `
select quote_ident(schemaname) || '.' || quote_ident(relname) as name, n_dead_tup::numeric as dead, n_live_tup::numeric as live,
  to_char(greatest(last_vacuum, last_autovacuum) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "lastVacuum"
from pg_stat_all_tables where schemaname = $1 and relname = any ($2::text[]) and n_dead_tup > ${leastDead} and n_dead_tup > n_live_tup order by n_dead_tup desc limit ${most}`;

export function debtFindings(tables: readonly Swollen[]): Finding[] {
  return tables.map(({ name, dead, live, lastVacuum }) => ({
    code: 'doctor.vacuum-debt',
    severity: 'warning',
    sentence: `${name} holds ${dead} rows that are gone beside ${live} that are there: statements read past them.`,
    evidence: { table: name, dead, live, lastVacuum },
    repair: bySql(`vacuum (analyze) ${name};`),
  }));
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
