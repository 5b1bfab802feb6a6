import { schemaV1 } from './sql/schema.v1.sql.js';
import { schemaV2 } from './sql/schema.v2.sql.js';
import { schemaV3 } from './sql/schema.v3.sql.js';
import { tableNames, type TableNames } from './sql/table.names.js';
import type { TableOptions } from './typeorm.options.js';

/** One step of the schema. Versions count from 1 without holes. */
interface MigrationStep {
  statements(tables: TableNames): string[];
  /** The oldest version whose code can still work on this schema: adding is compatible, changing is not. */
  compatibleWith: number;
}

const steps: readonly MigrationStep[] = [
  { statements: schemaV1, compatibleWith: 1 },
  { statements: schemaV2, compatibleWith: 1 },
  { statements: schemaV3, compatibleWith: 1 },
];

/** The schema version that this code works with. */
export const schemaVersion = steps.length;

/** The statements that bring the tables from a version (0: nothing there) to the present one, in order. */
export function migrationStatements(t: TableNames, from: number): string[] {
  if (from >= schemaVersion) return [];
  const foundation = [
    `create schema if not exists ${t.schema}`,
    `create table ${t.meta} (key text primary key, value text not null)`,
    // Tells one installation from another: a transaction of the application proves by it that it is in the same database.
    `insert into ${t.meta} (key, value) values ('install_id', gen_random_uuid()::text)`,
  ];
  const { compatibleWith } = steps[schemaVersion - 1];
  return [
    ...(from === 0 ? foundation : []),
    ...steps.slice(from).flatMap((step) => step.statements(t)),
    `insert into ${t.meta} (key, value) values ('schema_version', '${schemaVersion}'), ('compatible_with', '${compatibleWith}')
      on conflict (key) do update set value = excluded.value`,
  ];
}

/**
 * The migrations as a script for psql, for those who do not let applications change schemas (`migrate: 'check'`).
 * `from`: the version that is there. Throws InvalidOptionError (schema, tablePrefix). @publicApi
 */
export function migrationSql(
  options: TableOptions & {
    /** @default 0: nothing is there yet */
    from?: number;
  } = {},
): string {
  const statements = migrationStatements(
    tableNames(options.schema ?? 'chronis', options.tablePrefix ?? ''),
    options.from ?? 0,
  );
  return ['begin', ...statements, 'commit']
    .map((statement) => `${statement.replaceAll(/\n {6}/g, '\n  ')};\n`)
    .join('\n');
}
