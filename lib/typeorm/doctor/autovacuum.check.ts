import { bySql, type Check, type Ground } from './check.js';
import type { Finding } from './diagnosis.js';
import { ownRelations, ownTables } from './foreign.checks.js';

/** Whether somebody has switched off the automatic clean-up of a table, of a partition of the ledger, or of what one of these stores out of line. */
export const tableAutovacuumCheck: Check = {
  name: 'autovacuum of tables',
  look: async ({ session, t }: Ground) =>
    switchedOffFindings(await session.rows<SwitchedOff>(switchedOffSql, [t.schemaText, ownTables(t)])),
};

interface SwitchedOff {
  name: string;
  /** The clean-up of the table itself. */
  ofTable: boolean;
  /** That of what it stores out of line, by a setting of its own. */
  ofToast: boolean;
}

/** By the cast, as the server takes every beginning of a word. */
function isOff(options: string): string {
  return `exists (select from pg_options_to_table(${options}) where option_name = 'autovacuum_enabled' and not option_value::boolean)`;
}

const switchedOffSql = `
select * from (
  select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name, ${isOff('c.reloptions')} as "ofTable", ${isOff('o.reloptions')} as "ofToast"
  from (${ownRelations}) c join pg_namespace n on n.oid = c.relnamespace left join pg_class o on o.oid = c.reltoastrelid
) own where "ofTable" or "ofToast" order by name`;

function switchedOffFindings(tables: readonly SwitchedOff[]): Finding[] {
  return tables.map(({ name, ofTable, ofToast }) => {
    const options = [
      ...(ofTable ? ['autovacuum_enabled'] : []),
      ...(ofToast ? ['toast.autovacuum_enabled'] : []),
    ];
    const what = ofTable
      ? `${name}${ofToast ? ', and of what it stores out of line,' : ''}`
      : `what ${name} stores out of line`;
    return {
      code: 'doctor.table-autovacuum',
      severity: 'error',
      sentence: `The automatic clean-up of ${what} is switched off: it grows, and each statement reads past rows that are gone.`,
      evidence: { table: name, options },
      repair: bySql(`alter table ${name} reset (${options.join(', ')});`),
    };
  });
}
