import { createHash } from 'node:crypto';
import { StorageError } from '../model/errors.js';
import { sqlStateOf, type Database } from './database.js';
import { migrationStatements, schemaVersion } from './migration.steps.js';
import type { TableNames } from './sql/table.names.js';
import { markSql, refuseTestTables } from './test.tables.js';
import type { AdapterSettings } from './typeorm.options.js';

const deadlock = '40P01';
const mostTries = 10;

interface Installed {
  /** 0: nothing there. */
  version: number;
  /** The oldest code that can work on it. */
  compatibleWith: number;
  meta: ReadonlyMap<unknown, unknown>;
}

/**
 * Brings the tables up to date, or says why not. Safe when many processes do it at once. Throws StorageError, and TestTablesError when
 * tests have made them but the time is real.
 */
export async function prepareSchema(database: Database, settings: AdapterSettings): Promise<void> {
  const { tables: t, migrate: mode, databaseClock } = settings;
  const forTests = databaseClock !== null;
  if (mode === 'off') return;
  const installed = await installedVersion(t, (text) => database.plain(text));
  if (!forTests) refuseTestTables(t, installed.meta);
  refuseNewer(t, installed);
  if (installed.version >= schemaVersion) return;
  if (mode === 'check') {
    const found = installed.version === 0 ? 'no tables of Chronis' : `schema version ${installed.version}`;
    throw new StorageError(
      `The schema "${t.schemaText}" has ${found}, this release needs version ${schemaVersion}. Start once with migrate: 'auto', or apply what migrationSql() returns.`,
    );
  }
  for (let tries = 1; ; tries++) {
    try {
      return await migrate(database, t, forTests);
    } catch (error) {
      // Workers of the release before go on meanwhile, and take the tables in another order: one of the two has to give way.
      if (sqlStateOf(error) !== deadlock || tries === mostTries) throw error;
    }
  }
}

async function migrate(database: Database, t: TableNames, forTests: boolean): Promise<void> {
  await database.script(async (script) => {
    // Held to the end of the transaction: the second of two starters waits here, and then finds nothing to do.
    await script(`select pg_advisory_xact_lock(${lockKey(t)})`);
    const installed = await installedVersion(t, script);
    refuseNewer(t, installed);
    const statements = migrationStatements(t, installed.version);
    if (installed.version === 0 && forTests) statements.push(markSql(t));
    const exists = await script(`select from pg_namespace where nspname = '${t.schemaText}'`);
    for (const statement of statements) {
      // Asks for a right on the database that is not needed when the schema is there.
      if (statement.startsWith('create schema') && exists.length > 0) continue;
      await script(statement);
    }
  });
}

async function installedVersion(
  t: TableNames,
  run: (text: string) => Promise<Record<string, unknown>[]>,
): Promise<Installed> {
  // Not by to_regclass(), which may answer from a cache of before the lock.
  const found = await run(
    `select from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = '${t.schemaText}' and c.relname = '${t.prefix}meta'`,
  );
  if (found.length === 0) return { version: 0, compatibleWith: 0, meta: new Map() };
  const rows = await run(`select key, value from ${t.meta}`);
  const meta = new Map(rows.map(({ key, value }) => [key, value]));
  const version = Number(meta.get('schema_version') ?? 0);
  return { version, compatibleWith: Number(meta.get('compatible_with') ?? version), meta };
}

function refuseNewer(t: TableNames, { version, compatibleWith }: Installed): void {
  if (compatibleWith <= schemaVersion) return;
  throw new StorageError(
    `The schema "${t.schemaText}" is at version ${version}, which this release (version ${schemaVersion}) cannot work with. Update nestjs-chronis.`,
  );
}

function lockKey(t: TableNames): bigint {
  return createHash('sha256').update(`chronis migrate ${t.meta}`).digest().readBigInt64BE();
}
