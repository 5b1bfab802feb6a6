import { createHash } from 'node:crypto';
import { StorageError } from '../model/errors.js';
import { fillApps } from './apps.filling.js';
import type { Database } from './database.js';
import { refuseApart, refuseGone, refuseTaken, withMeta, withNames } from './missing.tables.js';
import { refuseHidden, refuseLacking, withGrants, type FoundTable } from './missing.rights.js';
import { sqlStateOf } from './sql.errors.js';
import { migrationStatements, schemaVersion } from './migration.steps.js';
import { findTablesSql } from './sql/find.tables.sql.js';
import type { TableNames } from './sql/table.names.js';
import { markSql, refuseTestTables } from './test.tables.js';
import type { AdapterSettings } from './typeorm.options.js';

type Script = <Row extends Record<string, unknown>>(text: string) => Promise<Row[]>;

/** Deadlock, lock not available. */
const locked = new Set(['40P01', '55P03']);
/** Some minutes, of which the workers wait for a fifth. */
const mostTries = 120;
const pauseSeconds = 2;
/** Of who waits for the migration of another process. */
const othersPauseMs = 200;
/** How long such a wait may be, and how often it is told. A migration has an hour for each of its statements. */
const othersPatience = { tellEveryMs: 5_000, mostMs: 7_200_000 };

type Failing = (error: unknown, retryInMs: number) => void;

interface Installed {
  /** 0: nothing there. */
  version: number;
  /** The oldest code that can work on it. */
  compatibleWith: number;
  meta: ReadonlyMap<unknown, unknown>;
  tables: readonly FoundTable[];
}

/**
 * Brings the tables up to date, or says why not. Safe when many processes do it at once. Calls `failing` where it has to wait. Throws StorageError, and TestTablesError when
 * tests have made them but the time is real.
 */
export async function prepareSchema(
  database: Database,
  settings: AdapterSettings,
  failing: Failing = () => undefined,
  onlyLooks = false,
): Promise<void> {
  const { tables: t, databaseClock, clock } = settings;
  const mode = onlyLooks && settings.migrate === 'auto' ? 'check' : settings.migrate;
  const forTests = databaseClock !== null;
  if (mode === 'off') return;
  const since = clock.monotonic();
  let toldAt = since;
  for (;;) {
    const installed = await installedVersion(t, (text) => database.plain(text)).catch(
      async (error: unknown) => Promise.reject(await withGrants(withMeta(error, t), 'use', database, t)),
    );
    // Without the rows of meta the tables would be taken for those of somebody else.
    if (installed.version > 0 || installed.tables.some(({ isMeta, isHidden }) => isMeta && isHidden)) {
      refuseHidden(installed.tables);
    }
    if (!forTests) refuseTestTables(t, installed.meta);
    // Another process may have brought it meanwhile.
    refuseNewer(t, installed);
    if (installed.version >= schemaVersion) {
      refuseGone(installed.tables, installed.version, t);
      refuseApart(installed.tables, t);
      refuseLacking(installed.tables, t);
      return onlyLooks ? undefined : fillApps(database, t, installed.meta);
    }
    if (installed.version === 0) refuseTaken(installed.tables, t);
    if (mode === 'check') {
      const found = installed.version === 0 ? 'no tables of Chronis' : `schema version ${installed.version}`;
      throw new StorageError(
        `The schema "${t.schemaText}" has ${found}, this release needs version ${schemaVersion}. Start once with migrate: 'auto', or apply what migrationSql() returns.`,
      );
    }
    const isDone = await migrate(database, t, forTests, failing).catch(async (error: unknown) =>
      Promise.reject(await withGrants(withNames(error, t), { from: installed.version }, database, t)),
    );
    if (isDone) continue;
    const waitedMs = clock.monotonic() - since;
    const waits = `Another process has been bringing the tables in the schema "${t.schemaText}" to version ${schemaVersion}, or has kept the lock for that, for ${Math.round(waitedMs / 1_000)} s.`;
    if (waitedMs >= othersPatience.mostMs) {
      throw new StorageError(
        `${waits} End it (select * from pg_locks where locktype = 'advisory'), and start again.`,
      );
    }
    if (clock.monotonic() - toldAt < othersPatience.tellEveryMs) continue;
    toldAt = clock.monotonic();
    failing(new StorageError(`${waits} This one waits for it.`), othersPauseMs);
  }
}

/**
 * Workers of the release before go on meanwhile, as long as they are let: each try takes all tables at once, or gives way. While another starter is at it, that is left to it, and nothing
 * is done but to wait for a moment: hundreds that start at once must not go through a lock one after the other, each with its way to the database and back. False: it was left to another one.
 */
async function migrate(
  database: Database,
  t: TableNames,
  forTests: boolean,
  failing: Failing,
): Promise<boolean> {
  let isDone = false;
  await database.script(async (script) => {
    // Held to the end of the transaction, so the tries are those of one starter at a time.
    const [{ mine }] = await script<{ mine: boolean }>(
      `select pg_try_advisory_xact_lock(${lockKey(t)}) as mine`,
    );
    if (!mine) return void (await script(`select pg_sleep(${othersPauseMs / 1_000} * (0.5 + random()))`));
    for (let tries = 1; ; tries++) {
      await script('savepoint chronis_migration');
      try {
        await applySteps(script, t, forTests);
        isDone = true;
        return;
      } catch (cause) {
        if (!locked.has(sqlStateOf(cause) ?? '')) throw cause;
        if (tries === mostTries) {
          throw new StorageError(
            `The tables in the schema "${t.schemaText}" were locked for minutes by transactions that stay open, so they could not be brought to version ${schemaVersion}. End these (select * from pg_stat_activity where xact_start < now() - interval '1 minute'), and start again.`,
            { cause },
          );
        }
        await script('rollback to savepoint chronis_migration');
        failing(cause, pauseSeconds * 1_000);
        // On the server, where nothing takes the transaction for an idle one.
        await script(`select pg_sleep(${pauseSeconds} * (0.5 + random()))`);
      }
    }
  });
  return isDone;
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

/** What is there. Changes nothing. */
export async function installedVersion(t: TableNames, run: Script): Promise<Installed> {
  const tables = await run<FoundTable>(findTablesSql(t));
  if (!tables.some(({ isMeta, isGone }) => isMeta && !isGone)) {
    return { version: 0, compatibleWith: 0, meta: new Map(), tables };
  }
  const rows = await run(`select key, value from ${t.meta}`);
  const meta = new Map(rows.map(({ key, value }) => [key, value]));
  const version = Number(meta.get('schema_version') ?? 0);
  return { version, compatibleWith: Number(meta.get('compatible_with') ?? version), meta, tables };
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
