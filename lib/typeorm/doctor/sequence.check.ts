import { allTables } from '../sql/table.names.js';
import { byHand, bySql, type Check, type Ground } from './check.js';
import type { Finding } from './diagnosis.js';

/** Of its numbers. */
const nearShare = 0.8;
const atEndShare = 0.95;

/** Whether what numbers rows is about to run out of numbers. Says nothing of a sequence that the role may not read. */
export const sequenceCheck: Check = {
  name: 'sequences',
  look: async ({ session, t }: Ground) => {
    const tables = allTables.map((name) => `${t.prefix}${name}`);
    return sequenceFindings(await session.rows<NearEnd>(sequencesSql, [t.schemaText, tables, nearShare]));
  },
};

interface NearEnd {
  sequence: string;
  table: string;
  last: string;
  highest: string;
  share: number;
  /** Somebody has taken numbers away that the type has. */
  isLowered: boolean;
  cycles: boolean;
}

/** Those that count up. One that is cycled is told wherever it stands. */
const sequencesSql = `
select quote_ident(s.schemaname) || '.' || quote_ident(s.sequencename) as sequence, quote_ident(n.nspname) || '.' || quote_ident(c.relname) as "table",
  coalesce(s.last_value, s.start_value)::text as last, s.max_value::text as highest, (coalesce(s.last_value, s.start_value)::numeric / s.max_value) as share,
  s.max_value < case s.data_type::text when 'smallint' then 32767 when 'integer' then 2147483647 else 9223372036854775807 end as "isLowered", s.cycle as cycles
from pg_sequences s join pg_namespace m on m.nspname = s.schemaname
  join pg_class q on q.relname = s.sequencename and q.relnamespace = m.oid and q.relkind = 'S'
  join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = q.oid and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
  join pg_class c on c.oid = d.refobjid join pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1 and c.relname = any ($2::text[]) and s.increment_by > 0 and (s.cycle or s.last_value >= s.max_value * $3::float8) order by 1`;

export function sequenceFindings(found: readonly NearEnd[]): Finding[] {
  return found.map(({ cycles, ...each }) => (cycles ? cycling(each) : nearEnd(each)));
}

type Numbered = Omit<NearEnd, 'cycles'>;

function cycling({ sequence, table, last, highest }: Numbered): Finding {
  return {
    code: 'doctor.sequence-cycle',
    severity: 'error',
    sentence: `The sequence ${sequence} begins anew when its numbers run out: rows of ${table} get numbers then that others have had, or are refused.`,
    evidence: { sequence, table, last, highest },
    repair: bySql(`alter sequence ${sequence} no cycle;`),
  };
}

function nearEnd({ sequence, table, last, highest, share, isLowered }: Numbered): Finding {
  return {
    code: 'doctor.sequence-end',
    severity: share >= atEndShare ? 'error' : 'warning',
    sentence: `The sequence ${sequence} has reached ${last} of ${highest}: when its numbers run out, no row can be written to ${table}.`,
    evidence: { sequence, table, last, highest },
    repair: isLowered
      ? bySql(`alter sequence ${sequence} no maxvalue;`)
      : byHand(
          `Find out what has taken so many numbers, and let it count on from above the highest that ${table} has: alter sequence ${sequence} restart with …;`,
        ),
  };
}
