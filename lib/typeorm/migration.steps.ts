import { InvalidOptionError } from '../model/errors.js';
import { markUnfilled } from './apps.filling.js';
import { refuseUnknown } from '../model/unknown.options.js';
import { schemaV1 } from './sql/schema.v1.sql.js';
import { schemaV2 } from './sql/schema.v2.sql.js';
import { schemaV3 } from './sql/schema.v3.sql.js';
import { schemaV4 } from './sql/schema.v4.sql.js';
import { schemaV5 } from './sql/schema.v5.sql.js';
import { schemaV6 } from './sql/schema.v6.sql.js';
import { tableNames, type TableNames } from './sql/table.names.js';
import type { TableOptions } from './typeorm.options.js';

/** One step of the schema. Versions count from 1 without holes. */
interface MigrationStep {
  statements(tables: TableNames, from: number): string[];
  /** The tables of earlier versions that these statements change, as far as they are there. */
  changes(tables: TableNames, from: number): string[];
  /** The oldest version whose code can still work on this schema: adding is compatible, changing is not. */
  compatibleWith: number;
}

const steps: readonly MigrationStep[] = [
  { statements: schemaV1, changes: () => [], compatibleWith: 1 },
  { statements: schemaV2, changes: (t) => [t.run], compatibleWith: 1 },
  {
    statements: schemaV3,
    changes: (t) => [t.cursor, t.worker, t.pause, t.attempt, t.lock],
    compatibleWith: 1,
  },
  { statements: schemaV4, changes: (t) => [t.run], compatibleWith: 1 },
  { statements: schemaV5, changes: () => [], compatibleWith: 1 },
  { statements: schemaV6, changes: changedByV6, compatibleWith: 1 },
];

function changedByV6(t: TableNames, from: number): string[] {
  const always = [t.worker, t.run, t.attempt];
  return from < stepsSince ? always : [...always, t.run_step, t.run_signal];
}

/** Rows of older versions have no app. */
const appsSince = 3;
/** The first version that has durable steps and signals. */
const stepsSince = 4;
/** Of a migration for one table, and of all others for the migration. */
const longestWaitMs = 500;

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
  const missing = steps.slice(from);
  return [
    ...(from === 0 ? foundation : lockTables(missing.flatMap((step) => step.changes(t, from)))),
    ...missing.flatMap((step) => step.statements(t, from)),
    ...(from > 0 && from < appsSince ? [markUnfilled(t)] : []),
    `insert into ${t.meta} (key, value) values ('schema_version', '${schemaVersion}'), ('compatible_with', '${compatibleWith}')
      on conflict (key) do update set value = excluded.value`,
  ];
}

/**
 * While this waits for a transaction that stays open, everything that comes later waits behind it: it gives up before a worker could lose its lease. All at once and first, so that nothing is held
 * while it waits for the next.
 */
function lockTables(tables: readonly string[]): string[] {
  const names = [...new Set(tables)].toSorted();
  if (names.length === 0) return [];
  return [
    `set local lock_timeout = ${longestWaitMs}`,
    `lock table ${names.join(', ')} in access exclusive mode`,
  ];
}

/**
 * The migrations as a script for psql, for those who do not let applications change schemas (`migrate: 'check'`). From
 * an older version on it gives up at once, with nothing changed, where a transaction that stays open has the tables: run it again then.
 * `from`: the version that is there; from the newest the script is a comment. Throws InvalidOptionError. @publicApi
 */
export function migrationSql(
  options: TableOptions & {
    /** From 0 to `schemaVersion`. @default 0: nothing is there yet */
    from?: number;
  } = {},
): string {
  refuseUnknown('migrationSql()', options, ['schema', 'tablePrefix', 'from']);
  const { schema = 'chronis', tablePrefix = '', from = 0 } = options;
  checkVersion(from);
  const statements = migrationStatements(tableNames(schema, tablePrefix), from);
  if (from === schemaVersion)
    return `-- The schema is at version ${from}, the newest: nothing is to be done.\n`;
  return ['begin', ...statements, 'commit']
    .map((statement) => `${statement.replaceAll(/\n {6}/g, '\n  ')};\n`)
    .join('\n');
}

/** A version that there is not would give a script that does nothing, or one that fails half way. */
function checkVersion(from: unknown): void {
  if (typeof from === 'number' && Number.isInteger(from) && from >= 0 && from <= schemaVersion) return;
  throw new InvalidOptionError(
    'from',
    `must be the version of the schema that is there, a whole number from 0 (none) to ${schemaVersion}, but is ${typeof from === 'string' ? `'${from}'` : String(from)}.`,
  );
}
