import { bySql, type Check, type Ground } from './check.js';
import type { Finding } from './diagnosis.js';
import { ownRelations, ownTables } from './foreign.checks.js';

/** Whether tables of others refer to those of Chronis, whose rows come and go. */
export const referenceCheck: Check = {
  name: 'references',
  look: async ({ session, t }: Ground) =>
    referenceFindings(
      await session.rows<Reference>(referencesSql, [t.schemaText, ownTables(t), `${t.prefix}run`]),
    ),
};

interface Reference {
  name: string;
  /** Of somebody else. */
  table: string;
  /** Of Chronis. */
  target: string;
  isOfRuns: boolean;
  /** What happens to rows of `table` when the row that they name is deleted. */
  effect: 'refused' | 'deleted' | 'changed';
}

/** $3 the table of runs. One that is not enforced, or switched off, has no triggers that do it. Those of tables of Chronis are found as what was put on them. */
const referencesSql = `
select quote_ident(k.conname) as name, quote_ident(m.nspname) || '.' || quote_ident(f.relname) as "table",
  quote_ident(n.nspname) || '.' || quote_ident(c.relname) as target, c.relname = $3 as "isOfRuns",
  case when k.confdeltype in ('a', 'r') then 'refused' when k.confdeltype = 'c' then 'deleted' else 'changed' end as effect
from pg_constraint k join (${ownRelations}) c on c.oid = k.confrelid join pg_namespace n on n.oid = c.relnamespace
  join pg_class f on f.oid = k.conrelid join pg_namespace m on m.oid = f.relnamespace
where k.contype = 'f' and k.conparentid = 0 and k.conrelid not in (select oid from (${ownRelations}) own)
  and exists (select from pg_trigger g where g.tgconstraint = k.oid and g.tgrelid = k.confrelid and g.tgenabled <> 'D') order by 2, 1`;

export function referenceFindings(found: readonly Reference[]): Finding[] {
  return found.map(({ name, table, target, isOfRuns, effect }) => ({
    code: 'doctor.foreign-constraint',
    severity: effect === 'refused' ? 'error' : 'warning',
    sentence: `The constraint ${name} of ${table} refers to ${target}: ${
      effect === 'refused'
        ? `rows that it names cannot be deleted, ${isOfRuns ? 'so a run that has ended gets no verdict, and is executed again' : 'and the statements that delete them fail'}`
        : `rows of ${table} are ${effect} when those that they name are deleted, and each deletion looks for them`
    }.`,
    evidence: { constraint: name, table, references: target },
    repair: bySql(`alter table ${table} drop constraint ${name};`),
  }));
}
