import { allTables, type TableNames } from '../sql/table.names.js';
import { bySql, type Check, type Ground } from './check.js';
import type { Finding } from './diagnosis.js';
import { expectedSchema } from './expected.schema.js';

/** What somebody else has put on the tables, and what it refuses or changes. Only to be asked of the version of this release. */
export const foreignChecks: readonly Check[] = [
  {
    name: 'constraints',
    look: async ({ session, t }: Ground) => {
      const indexes = [...expectedSchema(t).indexes.keys()].map((name) => `${t.prefix}${name}`);
      const values = [t.schemaText, ownTables(t), indexes];
      return obstacleFindings(await session.rows<Obstacle>(obstaclesSql, values));
    },
  },
  {
    name: 'triggers',
    look: async ({ session, t }: Ground) => {
      return triggerFindings(await session.rows<Trigger>(triggersSql, [t.schemaText, ownTables(t)]));
    },
  },
];

export function ownTables(t: TableNames): string[] {
  return allTables.map((name) => `${t.prefix}${name}`);
}

/** $1 schema · $2 tables: these, and their partitions, which may have something of their own. */
export const ownRelations = `
  select w.* from pg_class w join pg_namespace s on s.oid = w.relnamespace where s.nspname = $1 and w.relname = any ($2::text[])
  union all
  select w.* from pg_inherits p join pg_class w on w.oid = p.inhrelid join pg_class o on o.oid = p.inhparent join pg_namespace s on s.oid = o.relnamespace
  where s.nspname = $1 and o.relname = any ($2::text[]) and o.relkind = 'p'`;

interface Trigger {
  name: string;
  table: string;
}

const triggersSql = `
select quote_ident(g.tgname) as name, quote_ident(n.nspname) || '.' || quote_ident(c.relname) as "table"
from pg_trigger g join (${ownRelations}) c on c.oid = g.tgrelid join pg_namespace n on n.oid = c.relnamespace
where not g.tgisinternal and g.tgparentid = 0 and g.tgenabled <> 'D' order by 2, 1`;

export function triggerFindings(triggers: readonly Trigger[]): Finding[] {
  return triggers.map(({ name, table }) => ({
    code: 'doctor.foreign-trigger',
    severity: 'warning',
    sentence: `Somebody has put the trigger ${name} on ${table}: what it refuses keeps runs from being claimed or settled, and each row costs what it does.`,
    evidence: { trigger: name, table },
    repair: bySql(`drop trigger ${name} on ${table};`),
  }));
}

interface Obstacle extends Trigger {
  kind: 'constraint' | 'rule' | 'unique index';
}

/** The tables of Chronis have no checks, no foreign keys and no rules, and no unique indexes but those that the migrations make ($3). */
const obstaclesSql = `
select 'constraint' as kind, quote_ident(k.conname) as name, quote_ident(n.nspname) || '.' || quote_ident(c.relname) as "table"
from pg_constraint k join (${ownRelations}) c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
where k.contype in ('c', 'f', 'x') and k.conparentid = 0 and k.conislocal
union all
select case when k.oid is null then 'unique index' else 'constraint' end, coalesce(quote_ident(k.conname), quote_ident(m.nspname) || '.' || quote_ident(i.relname)),
  quote_ident(n.nspname) || '.' || quote_ident(c.relname)
from pg_index x join (${ownRelations}) c on c.oid = x.indrelid join pg_namespace n on n.oid = c.relnamespace
  join pg_class i on i.oid = x.indexrelid join pg_namespace m on m.oid = i.relnamespace
  left join pg_constraint k on k.conindid = i.oid and k.contype in ('p', 'u')
where x.indisunique and i.relname <> all ($3::text[]) and not exists (select from pg_inherits h where h.inhrelid = i.oid)
union all
select 'rule', quote_ident(r.rulename), quote_ident(n.nspname) || '.' || quote_ident(c.relname)
from pg_rewrite r join (${ownRelations}) c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and r.ev_enabled <> 'D' order by 3, 2`;

export function obstacleFindings(found: readonly Obstacle[]): Finding[] {
  return found.map(({ kind, name, table }) => ({
    code: 'doctor.foreign-constraint',
    severity: 'warning',
    sentence: `Somebody has put the ${kind} ${name} on ${table}: ${kind === 'rule' ? 'it changes what is written there, or keeps it from being written' : 'what it refuses cannot be stored'}.`,
    evidence: { [kind === 'unique index' ? 'index' : kind]: name, table },
    repair: bySql(removing({ kind, name, table })),
  }));
}

function removing({ kind, name, table }: Obstacle): string {
  if (kind === 'unique index') return `drop index ${name};`;
  return kind === 'rule' ? `drop rule ${name} on ${table};` : `alter table ${table} drop constraint ${name};`;
}
