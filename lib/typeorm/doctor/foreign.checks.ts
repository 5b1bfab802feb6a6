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
      const values = [t.schemaText, ownTables(t), indexes, `${t.prefix}run`];
      return obstacleFindings(await session.rows<Obstacle>(obstaclesSql, values));
    },
  },
  {
    name: 'triggers',
    look: async ({ session, t }: Ground) => {
      const values = [t.schemaText, ownTables(t), `${t.prefix}run`];
      return triggerFindings(await session.rows<Trigger>(triggersSql, values));
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

interface Placed {
  name: string;
  table: string;
  /** It is the table of runs. */
  isOfRuns: boolean;
}

interface Trigger extends Placed {
  /** What it may keep from being done, though nothing fails: its function returns null before the row is written. */
  swallows: Change[];
}

type Change = 'inserts' | 'updates' | 'deletes';

/** Bits of tgtype: 1 for each row, 2 before, 4 inserts, 8 deletes, 16 updates. To return NEW of a row that is deleted is to return null. $3 the table of runs */
const triggersSql = String.raw`
select quote_ident(g.tgname) as name, quote_ident(n.nspname) || '.' || quote_ident(c.relname) as "table", c.relname = $3 as "isOfRuns",
  to_json(case when g.tgtype::int & 3 = 3 and (p.prosrc ~* '\mreturn\s+null\M' or (g.tgtype::int & 28 = 8 and p.prosrc ~* '\mreturn\s+new\M' and p.prosrc !~* '\mreturn\s+old\M'))
    then array_remove(array[case when g.tgtype::int & 4 > 0 then 'inserts' end, case when g.tgtype::int & 16 > 0 then 'updates' end, case when g.tgtype::int & 8 > 0 then 'deletes' end], null)
    else array[]::text[] end) as swallows
from pg_trigger g join (${ownRelations}) c on c.oid = g.tgrelid join pg_namespace n on n.oid = c.relnamespace join pg_proc p on p.oid = g.tgfoid
where not g.tgisinternal and g.tgparentid = 0 and g.tgenabled <> 'D' order by 2, 1`;

const again = 'a run that has ended may stay then, and is executed again';

export function triggerFindings(triggers: readonly Trigger[]): Finding[] {
  return triggers.map(({ name, table, isOfRuns, swallows }) => {
    const lost =
      isOfRuns && swallows.some((change) => change !== 'inserts') ? again : 'what it takes is not there';
    return {
      code: 'doctor.foreign-trigger',
      severity: swallows.length > 0 ? 'error' : 'warning',
      sentence:
        swallows.length > 0
          ? `Somebody has put the trigger ${name} on ${table}: its function returns null, so that it may swallow ${swallows.join(' and ')}, and no statement fails: ${lost}.`
          : `Somebody has put the trigger ${name} on ${table}: what it refuses keeps runs from being claimed or settled, and each row costs what it does.`,
      evidence: { trigger: name, table, ...(swallows.length > 0 && { swallows }) },
      repair: bySql(`drop trigger ${name} on ${table};`),
    };
  });
}

interface Obstacle extends Placed {
  kind: 'constraint' | 'rule' | 'unique index';
  /** Of a rule. */
  change: Change | null;
  /** The rule is done in place of it. */
  isInstead: boolean | null;
}

/** The tables of Chronis have no checks, no foreign keys and no rules, and no unique indexes but those that the migrations make ($3). $4 the table of runs */
const obstaclesSql = `
select 'constraint' as kind, quote_ident(k.conname) as name, quote_ident(n.nspname) || '.' || quote_ident(c.relname) as "table", c.relname = $4 as "isOfRuns",
  null as change, null::boolean as "isInstead"
from pg_constraint k join (${ownRelations}) c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
where k.contype in ('c', 'f', 'x') and k.conparentid = 0 and k.conislocal
union all
select case when k.oid is null then 'unique index' else 'constraint' end, coalesce(quote_ident(k.conname), quote_ident(m.nspname) || '.' || quote_ident(i.relname)),
  quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relname = $4, null, null
from pg_index x join (${ownRelations}) c on c.oid = x.indrelid join pg_namespace n on n.oid = c.relnamespace
  join pg_class i on i.oid = x.indexrelid join pg_namespace m on m.oid = i.relnamespace
  left join pg_constraint k on k.conindid = i.oid and k.contype in ('p', 'u')
where x.indisunique and i.relname <> all ($3::text[]) and not exists (select from pg_inherits h where h.inhrelid = i.oid)
union all
select 'rule', quote_ident(r.rulename), quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relname = $4,
  case r.ev_type when '2' then 'updates' when '3' then 'inserts' else 'deletes' end, r.is_instead
from pg_rewrite r join (${ownRelations}) c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and r.ev_enabled <> 'D' order by 3, 2`;

export function obstacleFindings(found: readonly Obstacle[]): Finding[] {
  return found.map((obstacle) => {
    const { kind, name, table } = obstacle;
    return {
      code: 'doctor.foreign-constraint',
      severity: kind === 'rule' ? 'error' : 'warning',
      sentence: `Somebody has put the ${kind} ${name} on ${table}: ${kind === 'rule' ? effectOfRule(obstacle) : 'what it refuses cannot be stored'}.`,
      evidence: { [kind === 'unique index' ? 'index' : kind]: name, table },
      repair: bySql(removing(obstacle)),
    };
  });
}

/** The server takes no rule for a change that is a part of a statement (WITH), as most of Chronis are. */
function effectOfRule({ change, isInstead, isOfRuns }: Obstacle): string {
  const done = isInstead
    ? `${change} are not done, but what it says in their place`
    : `it does something else beside ${change}`;
  const lost =
    isOfRuns && change !== 'inserts' ? ': a run that has ended gets no verdict, and is executed again' : '';
  return `${done}, and statements of Chronis fail by it${lost}`;
}

function removing({ kind, name, table }: Obstacle): string {
  if (kind === 'unique index') return `drop index ${name};`;
  return kind === 'rule' ? `drop rule ${name} on ${table};` : `alter table ${table} drop constraint ${name};`;
}
