import { allTables } from '../sql/table.names.js';
import { byHand, bySql, type Check, type Ground } from './check.js';
import type { Finding } from './diagnosis.js';

/** Of its numbers. */
const nearShare = 0.8;
const atEndShare = 0.95;

/** Whether what numbers rows is about to run out of numbers, or a crash would set it back. Says nothing of a sequence that the role may not read. */
export const sequenceCheck: Check = {
  name: 'sequences',
  look: async ({ session, t }: Ground) => {
    const tables = allTables.map((name) => `${t.prefix}${name}`);
    const values = [t.schemaText, tables];
    return [
      ...sequenceFindings(await session.rows<NearEnd>(sequencesSql, [...values, nearShare])),
      ...unloggedSequenceFindings(await session.rows<Unlogged>(unloggedSequencesSql, values)),
    ];
  },
};

interface Unlogged {
  sequence: string;
  table: string;
}

interface NearEnd extends Unlogged {
  last: string;
  highest: string;
  share: number;
  /** Somebody has taken numbers away that the type has. */
  isLowered: boolean;
  cycles: boolean;
}

/** $1 schema · $2 tables: the sequences that belong to them. */
const own = `
from pg_class q join pg_namespace m on m.oid = q.relnamespace
  join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = q.oid and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
  join pg_class c on c.oid = d.refobjid join pg_namespace n on n.oid = c.relnamespace`;
const names = `quote_ident(m.nspname) || '.' || quote_ident(q.relname) as sequence, quote_ident(n.nspname) || '.' || quote_ident(c.relname) as "table"`;
const ofTables = `q.relkind = 'S' and n.nspname = $1 and c.relname = any ($2::text[])`;

/** Those that count up. One that is cycled is told wherever it stands. */
const sequencesSql = `
select ${names},
  coalesce(s.last_value, s.start_value)::text as last, s.max_value::text as highest, (coalesce(s.last_value, s.start_value)::numeric / s.max_value) as share,
  s.max_value < case s.data_type::text when 'smallint' then 32767 when 'integer' then 2147483647 else 9223372036854775807 end as "isLowered", s.cycle as cycles
${own} join pg_sequences s on s.schemaname = m.nspname and s.sequencename = q.relname
where ${ofTables} and s.increment_by > 0 and (s.cycle or s.last_value >= s.max_value * $3::float8) order by 1`;

/** A table that is unlogged has its own finding, and makes its sequences so. */
const unloggedSequencesSql = `select ${names} ${own} where ${ofTables} and q.relpersistence = 'u' and c.relpersistence <> 'u' order by 1`;

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

export function unloggedSequenceFindings(found: readonly Unlogged[]): Finding[] {
  return found.map(({ sequence, table }) => ({
    code: 'doctor.unlogged-sequence',
    severity: 'error',
    sentence: `The sequence ${sequence} is unlogged: a crash of the server sets it back to its beginning, and rows of ${table} get numbers that others have had, or are refused.`,
    evidence: { sequence, table },
    repair: bySql(`alter sequence ${sequence} set logged;`),
  }));
}
