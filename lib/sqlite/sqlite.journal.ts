import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noRows, tableNames, type Change, type StoredTables, type TableName } from '../journal/change.js';
import type { Batch, Journal } from '../journal/journal.js';
import { HeldFile } from '../journal/held.file.js';
import { LockFile } from '../journal/lock.file.js';
import { assertOneName, real } from '../journal/real.path.js';
import { readUnchanged } from '../journal/unchanged.files.js';
import { StorageDamagedError, StorageError } from '../model/errors.js';
import {
  isDamage,
  openDatabase,
  type SqliteDatabase,
  type SqliteDriver,
  type SqliteStatement,
} from './sqlite.driver.js';
import {
  applicationId,
  isNumbered,
  schemaSql,
  sqliteSchemaVersion,
  tableOf,
  tablesSql,
} from './sqlite.schema.js';

interface Statements {
  put: Map<TableName, SqliteStatement>;
  remove: Map<TableName, SqliteStatement>;
}

/** A database in a file: each write is one transaction. */
export class SqliteJournal implements Journal {
  private readonly path: string;
  private readonly lock: LockFile;
  private file: HeldFile | null = null;
  private database: SqliteDatabase | null = null;
  private statements: Statements | null = null;
  private looks = false;

  constructor(
    path: string,
    private readonly driver: SqliteDriver,
  ) {
    this.path = real(path);
    this.lock = new LockFile(`${this.path}.lock`);
  }

  onlyLook(): void {
    this.looks = true;
  }

  async open(): Promise<StoredTables> {
    if (this.looks) return this.reading(() => this.look());
    this.lock.acquire(this.path);
    assertOneName(this.path);
    return this.reading(() => {
      this.database = openDatabase(this.path, this.driver);
      this.database.exec(settings);
      prepareTables(this.database, this.path);
      this.file = new HeldFile(this.path);
      return this.readAlone(this.database);
    });
  }

  async write({ changes }: Batch): Promise<void> {
    if (this.looks) return;
    this.lock.assertHeld(this.path);
    this.file!.assertInPlace();
    const database = this.database!;
    database.exec('begin immediate');
    try {
      // Nobody can take the file over from here to the commit, as that begins with a transaction too.
      this.lock.assertHeld(this.path);
      for (const change of changes) this.store(change);
      database.exec('commit');
    } catch (error) {
      rollBack(database);
      throw error;
    }
  }

  recover(): StoredTables {
    this.lock.assertHeld(this.path);
    rollBack(this.database!);
    return readTables(this.database!);
  }

  async close(): Promise<void> {
    this.statements = null;
    this.database?.close();
    this.database = null;
    this.lock.release();
  }

  private reading(read: () => StoredTables): StoredTables {
    try {
      return read();
    } catch (cause) {
      if (cause instanceof StorageError) throw cause;
      const { message } = cause as Error;
      if (!isDamage(cause)) throw new StorageError(`${this.path} cannot be opened: ${message}`, { cause });
      const problem = `is no SQLite database that can be read: ${message}. It was left as it is; give another path, or put back a copy.`;
      throw new StorageDamagedError(this.path, problem, { cause });
    }
  }

  /** In a copy: to open it is to write, of its log at least, whatever it is opened for. */
  private look(): StoredTables {
    if (!existsSync(this.path)) return noRows();
    const folder = mkdtempSync(join(tmpdir(), 'nestjs-chronis-look-'));
    try {
      const copy = join(folder, 'copy.db');
      const log = `${this.path}-wal`;
      readUnchanged([this.path, log], () => {
        rmSync(`${copy}-wal`, { force: true });
        if (existsSync(log)) copyFileSync(log, `${copy}-wal`);
        copyFileSync(this.path, copy);
      });
      const database = openDatabase(copy, this.driver);
      try {
        prepareTables(database, this.path);
        return readTables(database);
      } finally {
        database.close();
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** What a process that has lost the file was still writing is there, or comes to nothing. */
  private readAlone(database: SqliteDatabase): StoredTables {
    database.exec('begin immediate');
    try {
      return readTables(database);
    } finally {
      rollBack(database);
    }
  }

  private store({ table, key, row }: Change): void {
    const { put, remove } = (this.statements ??= prepare(this.database!));
    if (row === null) remove.get(table)!.run(key);
    else put.get(table)!.run(key, JSON.stringify(row));
  }
}

/** A commit is on disk when it returns; the log keeps others reading meanwhile. */
const settings = `
pragma busy_timeout = 5000;
pragma journal_mode = wal;
pragma synchronous = full;
`;

/** Makes the tables in a database that is empty. Throws StorageDamagedError for one that is somebody else's, or of another version. */
function prepareTables(database: SqliteDatabase, path: string): void {
  const { application_id: id } = database.prepare('pragma application_id').get() as {
    application_id: number;
  };
  const { user_version: version } = database.prepare('pragma user_version').get() as { user_version: number };
  if (id === applicationId && version === sqliteSchemaVersion) return database.exec(tablesSql);
  if (id === applicationId) {
    throw new StorageDamagedError(
      path,
      `has version ${version} of the tables; this release reads ${sqliteSchemaVersion}. Use the release that has written it.`,
    );
  }
  const { count } = database.prepare('select count(*) as count from sqlite_master').get() as {
    count: number;
  };
  if (count > 0)
    throw new StorageDamagedError(
      path,
      'is a database of something else, which was left as it is. Give a path of its own.',
    );
  database.exec(`begin immediate;\n${schemaSql}\ncommit;`);
}

function prepare(database: SqliteDatabase): Statements {
  const all = (sql: (table: string) => string): Map<TableName, SqliteStatement> =>
    new Map(tableNames.map((name) => [name, database.prepare(sql(tableOf(name)))]));
  return {
    put: all(
      (table) =>
        `insert into ${table} (key, row) values (?, ?) on conflict (key) do update set row = excluded.row`,
    ),
    remove: all((table) => `delete from ${table} where key = ?`),
  };
}

function readTables(database: SqliteDatabase): StoredTables {
  const stored = noRows();
  for (const name of tableNames) {
    const rows = database.prepare(`select ${keyOf(name)} as key, row from ${tableOf(name)} order by 1`).all();
    for (const { key, row } of rows as { key: Uint8Array | number; row: string }[])
      stored[name].set(typeof key === 'number' ? key : utf8.decode(key), JSON.parse(row));
  }
  return stored;
}

/** Keys may hold NUL, where node:sqlite of Node 22 ends a text that it reads. */
const keyOf = (name: TableName): string => (isNumbered(name) ? 'key' : 'cast(key as blob)');

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

function rollBack(database: SqliteDatabase): void {
  try {
    database.exec('rollback');
  } catch {
    // There was none: SQLite ends some by itself.
  }
}
