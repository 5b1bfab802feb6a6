import { defaultPartition } from '../sql/ledger.day.fragment.js';
import { findTablesSql } from '../sql/find.tables.sql.js';
import { allTables, type TableNames } from '../sql/table.names.js';
import type { FoundTable } from '../missing.rights.js';
import { migrationStatements, schemaVersion } from '../migration.steps.js';
import { rightFindings } from './right.checks.js';
import { byCommand, byHand, bySql, some, type Check, type Ground } from './check.js';
import type { Finding } from './diagnosis.js';

/** What `meta` says. */
export interface Installed {
  /** 0: nothing is there. */
  version: number;
  compatibleWith: number;
  madeByTests: boolean;
  /** Nothing says of which version they are. */
  hasTables: boolean;
}

/** Reads which schema is there, at all. */
export async function installed({ session, t }: Pick<Ground, 'session' | 't'>): Promise<Installed> {
  const there = await session.rows<{ name: string }>(
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = any ($2::text[])`,
    [t.schemaText, allTables.map((name) => `${t.prefix}${name}`)],
  );
  const hasMeta = there.some(({ name }) => name === `${t.prefix}meta`);
  const hasTables = there.length > (hasMeta ? 1 : 0);
  if (!hasMeta) return { version: 0, compatibleWith: 0, madeByTests: false, hasTables };
  const rows = await session.rows<{ key: string; value: string }>(`select key, value from ${t.meta}`);
  const meta = new Map(rows.map(({ key, value }) => [key, value]));
  const version = Number(meta.get('schema_version') ?? 0);
  const compatibleWith = Number(meta.get('compatible_with') ?? version);
  return { version, compatibleWith, madeByTests: meta.get('made_by') === 'tests', hasTables };
}

/** Whether nothing says of which version tables are that are there. `isOfRelease`: they look as this release makes them. */
export function versionlessFindings(t: TableNames, isOfRelease: boolean): Finding[] {
  return [
    {
      code: 'doctor.missing-version',
      severity: 'error',
      sentence: `The schema "${t.schemaText}" has tables of Chronis, but ${t.meta} does not say of which version: no process starts on them.`,
      evidence: { schema: t.schemaText, needed: schemaVersion, asOfThisRelease: isOfRelease },
      repair: isOfRelease
        ? bySql(refounding(t))
        : byHand(
            `Restore ${t.meta} from a backup. Where there is none: its row "schema_version" is that of the release that has worked on the tables last.`,
          ),
    },
  ];
}

/** What the first migration puts into `meta`, where it is not there. */
function refounding(t: TableNames): string {
  const statements = migrationStatements(t, 0).map((statement) => statement.replaceAll(/\s+/g, ' '));
  const [table, id, version] = [
    statements.find((each) => each.startsWith(`create table ${t.meta} `))!,
    statements.find((each) => each.startsWith(`insert into ${t.meta} `))!,
    statements.at(-1)!,
  ];
  return `${table.replace('create table', 'create table if not exists')}; ${id} on conflict (key) do nothing; ${version};`;
}

/** Whether the tables are those that this release works with. `settings.clock`: of tests, which may make tables of their own. */
export function versionFindings(
  { version, compatibleWith, madeByTests }: Omit<Installed, 'hasTables'>,
  t: TableNames,
  isTest: boolean,
): Finding[] {
  const evidence = { schema: t.schemaText, version, needed: schemaVersion };
  if (version === 0) {
    const sentence = `The schema "${t.schemaText}" has no tables of Chronis: no process with migrate: 'auto' has started on this database, or it is another one.`;
    const repair = byCommand('chronis migrate');
    return [{ code: 'doctor.no-schema', severity: 'error', sentence, evidence, repair }];
  }
  const findings: Finding[] = [];
  if (version < schemaVersion) {
    findings.push({
      code: 'doctor.schema-behind',
      severity: 'error',
      sentence: `The schema "${t.schemaText}" is at version ${version}; this release needs ${schemaVersion}.`,
      evidence,
      repair: byCommand('chronis migrate'),
    });
  }
  if (version > schemaVersion) {
    const cannot = compatibleWith > schemaVersion;
    findings.push({
      code: 'doctor.schema-ahead',
      severity: cannot ? 'error' : 'note',
      sentence: `The schema "${t.schemaText}" is at version ${version}, of a later release than this one (${schemaVersion})${cannot ? ', which cannot work with it' : ''}.`,
      evidence: { ...evidence, compatibleWith },
      repair: byHand('Update nestjs-chronis.'),
    });
  }
  if (madeByTests && !isTest) {
    findings.push({
      code: 'doctor.test-tables',
      severity: 'error',
      sentence: `The tables in the schema "${t.schemaText}" were made by tests, which empty them.`,
      evidence: { schema: t.schemaText },
      repair: byHand(
        `Give the application a schema of its own, or drop this one: drop schema ${t.schema} cascade;`,
      ),
    });
  }
  return findings;
}

/** What every start looks at as well. */
export const tablesCheck: Check = {
  name: 'tables',
  look: async ({ session, t }: Ground) => {
    const { version } = await installed({ session, t });
    const toCome = tablesAfter(version, t);
    const found = await session.rows<FoundTable>(findTablesSql(t));
    return tableFindings(
      found.filter(({ relation }) => !toCome.has(bare(relation))),
      t,
    );
  },
};

const bare = (name: string): string => name.replaceAll('"', '');

/** Tables that a later version brings are not gone. */
function tablesAfter(version: number, t: TableNames): ReadonlySet<string> {
  const made = migrationStatements(t, version).map(
    (statement) => /^\s*create table (\S+)/.exec(statement)?.[1],
  );
  return new Set(made.flatMap((name) => (name === undefined ? [] : bare(name))));
}

function tableFindings(found: readonly FoundTable[], t: TableNames): Finding[] {
  const findings: Finding[] = [];
  const relations = (is: (table: FoundTable) => boolean): string[] =>
    found.filter(is).map(({ relation }) => relation);
  // It can be made anew, and has a finding of its own.
  const gone = relations(({ isGone, name }) => isGone && name !== defaultPartition(t).name);
  if (gone.length > 0) {
    findings.push({
      code: 'doctor.missing-table',
      severity: 'error',
      sentence: `These tables of the schema "${t.schemaText}" are gone: ${gone.join(', ')}. No start is possible, and none brings back what was in them.`,
      evidence: { tables: gone },
      repair: byHand(
        'Restore them from a backup. Or, where jobs that were made at run time may be lost, drop the others too and run chronis migrate.',
      ),
    });
  }
  findings.push(...rightFindings(found));
  const hidden = relations(({ isHidden }) => isHidden);
  if (hidden.length > 0) {
    const { role } = found[0]!;
    findings.push({
      code: 'doctor.row-security',
      severity: 'error',
      sentence: `The role ${role} does not see all rows of ${some(hidden)}: what is hidden stands still, and nothing fails.`,
      evidence: { role, tables: hidden },
      repair: bySql(hidden.map((table) => `alter table ${table} disable row level security;`).join(' ')),
    });
  }
  return findings;
}
