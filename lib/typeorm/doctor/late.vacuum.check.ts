import { migrationStatements } from '../migration.steps.js';
import type { TableNames } from '../sql/table.names.js';
import { bySql, type Check, type Ground } from './check.js';
import type { Finding } from './diagnosis.js';

/** What a server has without anybody's settings. */
const usualFactor = 0.2;
const usualThreshold = 50;
/** Statements do not notice that so many rows are gone. */
const mostRows = 20_000;

/** Whether the automatic clean-up of the hot tables begins late, by their own settings or by those of the server. */
export const lateVacuumCheck: Check = {
  name: 'begin of autovacuum',
  look: async ({ session, t }: Ground) => {
    const factors = hotTables(t);
    const values = [t.schemaText, [...factors.keys()], usualFactor, mostRows];
    const found = await session.rows<Late>(lateSql, values);
    return lateFindings(found, factors);
  },
};

/** What the migrations give each table that changes all the time: how much of it may be gone. By name. */
export function hotTables(t: TableNames): Map<string, number> {
  const hot = /^\s*create table "[^"]*"\."([^"]*)" .*\bautovacuum_vacuum_scale_factor = ([\d.]+)/s;
  return new Map(
    migrationStatements(t, 0).flatMap((statement) => {
      const [, name, factor] = hot.exec(statement) ?? [];
      return name === undefined ? [] : [[name, Number(factor)] as const];
    }),
  );
}

interface Late {
  name: string;
  table: string;
  factor: number;
  threshold: number;
}

/** $1 schema · $2 tables · $3 share · $4 rows: from more than that on it is late */
const lateSql = `
select c.relname as name, quote_ident(n.nspname) || '.' || quote_ident(c.relname) as "table", e.factor, e.threshold
from pg_class c join pg_namespace n on n.oid = c.relnamespace cross join lateral (
  select coalesce(max(case option_name when 'autovacuum_vacuum_scale_factor' then option_value::numeric end), current_setting('autovacuum_vacuum_scale_factor')::numeric) as factor,
    coalesce(max(case option_name when 'autovacuum_vacuum_threshold' then option_value::numeric end), current_setting('autovacuum_vacuum_threshold')::numeric) as threshold
  from pg_options_to_table(c.reloptions)
) e where n.nspname = $1 and c.relname = any ($2::text[]) and (e.factor > $3::numeric or e.threshold > $4::numeric) order by 2`;

function lateFindings(found: readonly Late[], factors: ReadonlyMap<string, number>): Finding[] {
  return found.map(({ name, table, factor, threshold }) => ({
    code: 'doctor.late-autovacuum',
    severity: 'warning',
    sentence: `The automatic clean-up of ${table} waits until ${threshold} rows, and ${Math.round(factor * 100)} rows for each 100 that are there, are gone: statements read past them until then.`,
    evidence: { table, scaleFactor: factor, threshold },
    repair: bySql(
      `alter table ${table} set (autovacuum_vacuum_scale_factor = ${factors.get(name)!}, autovacuum_vacuum_threshold = ${usualThreshold});`,
    ),
  }));
}
