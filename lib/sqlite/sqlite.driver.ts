import { closeSync, existsSync, openSync } from 'node:fs';
import { InvalidOptionError, StorageError } from '../model/errors.js';

/** What is needed of a database, whoever opens it. Values are text, numbers and null. */
export interface SqliteDatabase {
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  close(): void;
}

export interface SqliteStatement {
  run(...values: readonly SqliteValue[]): unknown;
  all(...values: readonly SqliteValue[]): unknown[];
  get(...values: readonly SqliteValue[]): unknown;
}

export type SqliteValue = string | number | null;

const ownMode = 0o600;

/** `auto`: that of Node where there is one, else the package. */
export type SqliteDriver = 'auto' | 'node:sqlite' | 'better-sqlite3';

/** Throws InvalidOptionError where there is no driver, StorageError where the file cannot be opened. */
export function openDatabase(path: string, driver: SqliteDriver): SqliteDatabase {
  const open = opener(driver);
  try {
    makeOwn(path);
    return open(path);
  } catch (cause) {
    throw new StorageError(`${path} cannot be opened: ${(cause as Error).message}`, { cause });
  }
}

/** What is not there yet is for this user alone: payloads and results are in it. What SQLite makes beside it has the rights that it has. */
function makeOwn(path: string): void {
  if (!existsSync(path)) closeSync(openSync(path, 'a', ownMode));
}

/** Whether it is about what the file holds, and not about who may read it, or what else goes on. */
export function isDamage(error: unknown): boolean {
  // A row that is no JSON.
  if (error instanceof SyntaxError) return true;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  // That of Node has the number, of which the lowest byte says the kind; that of the package has the name.
  if (typeof errcode === 'number') return damageCodes.includes(errcode & 0xff);
  return typeof code === 'string' && /^SQLITE_(?:CORRUPT|NOTADB)/.test(code);
}

/** SQLITE_CORRUPT, SQLITE_NOTADB. */
const damageCodes: readonly number[] = [11, 26];

function opener(driver: SqliteDriver): (path: string) => SqliteDatabase {
  const own = driver === 'better-sqlite3' ? null : nodeSqlite();
  if (own !== null) return own;
  if (driver === 'node:sqlite') {
    throw new InvalidOptionError(
      'driver',
      `this Node, ${process.version}, has no node:sqlite: it came with 22.5, and without a flag with 22.13. Use a later one, or leave the option out and install better-sqlite3: npm install better-sqlite3@12`,
    );
  }
  return betterSqlite();
}

function nodeSqlite(): ((path: string) => SqliteDatabase) | null {
  let module: { DatabaseSync: new (path: string) => SqliteDatabase };
  try {
    module = require('node:sqlite') as typeof module;
  } catch {
    return null;
  }
  return (path) => new module.DatabaseSync(path);
}

function betterSqlite(): (path: string) => SqliteDatabase {
  let Database: new (path: string) => SqliteDatabase;
  try {
    Database = require('better-sqlite3') as typeof Database;
  } catch (cause) {
    const problem = `needs SQLite, which this Node, ${process.version}, has no module for. Install a driver, npm install better-sqlite3@12, or use Node 22.13 or later.`;
    throw Object.assign(new InvalidOptionError('sqliteStorage()', problem), { cause });
  }
  return (path) => new Database(path);
}
