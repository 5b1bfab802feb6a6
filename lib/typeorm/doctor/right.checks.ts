import type { FoundTable } from '../missing.rights.js';
import { findTablesSql } from '../sql/find.tables.sql.js';
import { bySql, type Ground } from './check.js';
import type { Finding } from './diagnosis.js';

interface Rights {
  role: string;
  mayEnter: boolean;
  mayRead: boolean;
}

/** $1 schema · $2 meta, without its schema */
const rightsSql = `
select quote_ident(current_user) as role, has_schema_privilege(n.oid, 'usage') as "mayEnter", coalesce(has_table_privilege(c.oid, 'select'), true) as "mayRead"
from pg_namespace n left join pg_class c on c.relnamespace = n.oid and c.relname = $2 where n.nspname = $1`;

/** The rights without which nobody can look at what is there, and with them all others that the role lacks. */
export async function lackingToLook({ session, t }: Ground): Promise<Finding[]> {
  const [rights] = await session.rows<Rights>(rightsSql, [t.schemaText, `${t.prefix}meta`]);
  if (rights === undefined || (rights.mayEnter && rights.mayRead)) return [];
  const ofTables = rightFindings(await session.rows<FoundTable>(findTablesSql(t)));
  const { role, mayEnter } = rights;
  if (mayEnter) return ofTables;
  const ofSchema: Finding = {
    code: 'doctor.rights',
    severity: 'error',
    sentence: `The role ${role} may not look into the schema "${t.schemaText}": it lacks usage on it, without which no statement of Chronis works.`,
    evidence: { role, schema: t.schemaText, lacks: 'usage' },
    repair: bySql(`grant usage on schema ${t.schema} to ${role};`),
  };
  return [ofSchema, ...ofTables];
}

/** What the role may not do with tables that are there. */
export function rightFindings(found: readonly FoundTable[]): Finding[] {
  return found.flatMap(({ lacks, relation, role, isGone }): Finding[] => {
    if (lacks === null || isGone) return [];
    const kind = relation.startsWith('sequence ') ? '' : 'table ';
    return [
      {
        code: 'doctor.rights',
        severity: 'error',
        sentence: `The role ${role} may not do all that is needed with ${relation}: it lacks ${lacks}.`,
        evidence: { role, relation, lacks },
        repair: bySql(`grant ${lacks} on ${kind}${relation} to ${role};`),
      },
    ];
  });
}
