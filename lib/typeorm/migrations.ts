import { createHash } from 'node:crypto';
import { StorageError } from '../model/errors.js';
import { fillApps } from './apps.filling.js';
import type { Database } from './database.js';
import { sqlStateOf } from './sql.errors.js';
import { migrationStatements, schemaVersion } from './migration.steps.js';
import type { TableNames } from './sql/table.names.js';
import { markSql, refuseTestTables } from './test.tables.js';
import type { AdapterSettings } from './typeorm.options.js';

type Script = <Row extends Record<string, unknown>>(text: string) => Promise<Row[]>;

/** Deadlock, lock not available. */
const locked = new Set(['40P01', '55P03']);
/** Some minutes, of which the workers wait for a fifth. */
const mostTries = 120;
const pauseSeconds = 2;

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
  const look = (): Promise<Installed> => installedVersion(t, (text) => database.plain(text));
  let installed = await look();
  if (!forTests) refuseTestTables(t, installed.meta);
  refuseNewer(t, installed);
  while (installed.version < schemaVersion) {
    if (mode === 'check') {
      const found = installed.version === 0 ? 'no tables of Chronis' : `schema version ${installed.version}`;
      throw new StorageError(
        `The schema "${t.schemaText}" has ${found}, this release needs version ${schemaVersion}. Start once with migrate: 'auto', or apply what migrationSql() returns.`,
      );
    }
    await migrate(database, t, forTests);
    installed = await look();
  }
  await fillApps(database, t, installed.meta);
}

/**
 * Workers of the release before go on meanwhile, as long as they are let: each try takes all tables at once, or gives way. While another starter is at it, that is left to it, and nothing
 * is done but to wait for a moment: hundreds that start at once must not go through a lock one after the other, each with its way to the database and back.
 */
async function migrate(database: Database, t: TableNames, forTests: boolean): Promise<void> {
  await database.script(async (script) => {
    // Held to the end of the transaction, so the tries are those of one starter at a time.
    const [{ mine }] = await script<{ mine: boolean }>(
      `select pg_try_advisory_xact_lock(${lockKey(t)}) as mine`,
    );
    if (!mine) return void (await script(`select pg_sleep(0.2 * (0.5 + random()))`));
    for (let tries = 1; ; tries++) {
      await script('savepoint chronis_migration');
      try {
        return await applySteps(script, t, forTests);
      } catch (cause) {
        if (!locked.has(sqlStateOf(cause) ?? '')) throw cause;
        if (tries === mostTries) {
          throw new StorageError(
            `The tables in the schema "${t.schemaText}" were locked for minutes by transactions that stay open, so they could not be brought to version ${schemaVersion}. End these (select * from pg_stat_activity where xact_start < now() - interval '1 minute'), and start again.`,
            { cause },
          );
        }
        await script('rollback to savepoint chronis_migration');
        // On the server, where nothing takes the transaction for an idle one.
        await script(`select pg_sleep(${pauseSeconds} * (0.5 + random()))`);
      }
    }
  });
}

async function applySteps(script: Script, t: TableNames, forTests: boolean): Promise<void> {
  const installed = await installedVersion(t, script);
  refuseNewer(t, installed);
  const statements = migrationStatements(t, installed.version);
  if (installed.version === 0 && forTests) statements.push(markSql(t));
  const exists = await script(`select from pg_namespace where nspname = '${t.schemaText}'`);
  // Asks for a right on the database that is not needed when the schema is there.
  const needed = statements.filter((text) => !text.startsWith('create schema') || exists.length === 0);
  // At once: the way to the database and back may take longer than all of it, and others wait.
  if (needed.length > 0) await script(needed.join(';\n'));
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
