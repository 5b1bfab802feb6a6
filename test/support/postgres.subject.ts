import pg from 'pg';
import { DataSource, type EntityManager } from 'typeorm';
import { Clock, type CancelTimer, type StorageAdapter } from '../../lib/index.js';
import { ManualClock, type LockSubject, type StorageSubject } from '../../lib/testing/index.js';
import { typeOrmStorage, type TypeOrmServer, type TypeOrmStorageOptions } from '../../lib/typeorm/index.js';
import { databaseUrl, freshSchema } from './schema.js';
import { inTransaction } from './strict.executor.js';

/** A storage on the test run's PostgreSQL; not yet open. */
export function newStorage(options: TypeOrmStorageOptions): StorageAdapter {
  const given = { url: databaseUrl(), ...options } as TypeOrmStorageOptions & TypeOrmServer;
  return typeOrmStorage(given).create() as StorageAdapter;
}

/** Each law has a clock of its own, but the storage is opened once. */
class ClockOfTheLaw extends Clock {
  current = new ManualClock();

  now(): number {
    return this.current.now();
  }

  monotonic(): number {
    return this.current.monotonic();
  }

  setTimer(delayMs: number, callback: () => void): CancelTimer {
    return this.current.setTimer(delayMs, callback);
  }
}

/** What changes how values are written or read, as far as a role may set it. None of it may make a difference: a pooler keeps what sessions ask for from the server. */
const writing = [
  'extra_float_digits = -15',
  'array_nulls = off',
  `DateStyle = 'German', 'DMY'`,
  'IntervalStyle = sql_standard',
  `TimeZone = 'Asia/Kolkata'`,
  'bytea_output = escape',
  'standard_conforming_strings = off',
  'escape_string_warning = off',
  'quote_all_identifiers = on',
  'xmlbinary = hex',
  'search_path = pg_catalog',
];

/** Makes subjects for the laws: one schema for all of them, emptied before each, of a role with settings of all kinds. */
export class PostgresLawBench {
  private readonly schema = freshSchema('laws');
  private readonly role = `role_of_${this.schema}`;
  private readonly url = urlOf(this.role);
  private readonly admin = new pg.Client(databaseUrl());
  private readonly client = new pg.Client(this.url);
  private readonly clock = new ClockOfTheLaw();
  private readonly storage = newStorage({ url: this.url, schema: this.schema, clock: this.clock });
  private readonly application = new DataSource({ type: 'postgres', url: this.url });
  private emptying = '';

  async open(): Promise<void> {
    await this.admin.connect();
    await this.admin.query(
      `create role "${this.role}" login; create schema "${this.schema}" authorization "${this.role}"`,
    );
    for (const setting of writing) await this.admin.query(`alter role "${this.role}" set ${setting}`);
    await this.storage.init();
    await this.application.initialize();
    await this.client.connect();
    const { rows } = await this.client.query<{ name: string }>(
      `select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables
       where schemaname = $1 and tablename <> 'meta' and tablename not like 'attempt@_%' escape '@'`,
      [this.schema],
    );
    const forget = `delete from "${this.schema}".meta where key in ('zone_data', 'record_as_of', 'statistics')`;
    this.emptying = [forget, ...rows.map(({ name }) => `delete from ${name}`)].join('; ');
  }

  async storageSubject(): Promise<StorageSubject> {
    const { open, clock, close } = await this.fresh();
    const transaction = (work: (manager: EntityManager) => Promise<void>): Promise<void> =>
      this.application.transaction(work);
    return { storage: this.storage, open, clock, close, transaction };
  }

  /** The same for transactions of another library. */
  async executorSubject(): Promise<StorageSubject> {
    return { ...(await this.storageSubject()), transaction: (work) => inTransaction(this.client, work) };
  }

  async lockSubject(): Promise<LockSubject> {
    const { open, clock, close } = await this.fresh();
    return { lock: this.storage.lock, open: async () => (await open()).lock, clock, close };
  }

  async close(): Promise<void> {
    await this.storage.close();
    await this.application.destroy();
    await this.client.end();
    await this.admin.query(`drop schema "${this.schema}" cascade; drop role "${this.role}"`);
    await this.admin.end();
  }

  private async fresh() {
    await this.client.query(this.emptying);
    const clock = new ManualClock();
    this.clock.current = clock;
    const opened: StorageAdapter[] = [];
    return {
      clock: {
        advance: (ms: number) => clock.advanceBy(ms),
        setBack: (ms: number) => clock.jumpWall(-ms),
      },
      open: async (): Promise<StorageAdapter> => {
        const storage = newStorage({ url: this.url, schema: this.schema, clock, migrate: 'check' });
        await storage.init();
        opened.push(storage);
        return storage;
      },
      close: async () => {
        await Promise.all(opened.map((storage) => storage.close()));
      },
    };
  }
}

function urlOf(role: string): string {
  const url = new URL(databaseUrl());
  url.username = role;
  return url.href;
}
