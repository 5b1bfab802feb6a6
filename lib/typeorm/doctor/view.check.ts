import { viewStatements } from '../sql/views.sql.js';
import type { TableNames } from '../sql/table.names.js';
import { bySql, type Check, type Ground } from './check.js';
import type { Finding } from './diagnosis.js';

/** Whether the views for people are there. Chronis itself reads none. Only to be asked of the version of this release. */
export const viewCheck: Check = {
  name: 'views',
  look: async ({ session, t }: Ground) => {
    const found = await session.rows<{ name: string }>(
      `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relkind = 'v'`,
      [t.schemaText],
    );
    return viewFindings(
      t,
      found.map(({ name }) => name),
    );
  },
};

/** `there`: views of the schema, by name. */
export function viewFindings(t: TableNames, there: readonly string[]): Finding[] {
  return viewStatements(t, 'create or replace view').flatMap((statement) => {
    const view = /^create or replace view (\S+) as/.exec(statement)![1]!;
    const name = view.split('.').at(-1)!.replaceAll('"', '');
    if (there.includes(name)) return [];
    return {
      code: 'doctor.missing-view',
      severity: 'warning',
      sentence: `The view ${view} is gone: Chronis does without it, but what people and dashboards ask of it fails.`,
      evidence: { view },
      repair: bySql(`${statement.replaceAll(/\s+/g, ' ')};`),
    };
  });
}
