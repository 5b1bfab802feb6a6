import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { Capability, StorageAdapter } from '../../../lib/index.js';
import { startWorker } from '../../../lib/testing/laws/fixture.js';
import { diagnose, type DiagnoseOptions, type Diagnosis } from '../../../lib/typeorm/index.js';
import { startPostgres, type PostgresServer } from '../../support/postgres.js';
import { newStorage } from '../../support/postgres.subject.js';

/** Nobody may come and clean up what a test has planted. */
const settings = {
  autovacuum_naptime: '1h',
  max_prepared_transactions: '5',
  max_connections: '60',
  // Nothing is to last: a checkpoint would write all databases to the disk.
  checkpoint_timeout: '1h',
  max_wal_size: '8GB',
};
/** As few as there can be; servers before version 17 do not know it. */
const smallQueue = { max_notify_queue_pages: '64' };

const model = 'model_of_the_tests';

/** A server whose settings are the tests' own, and on it for each test a database with the tables of Chronis. */
export class DoctorGround {
  server!: PostgresServer;
  /** Of notifications, so that it can be filled. */
  hasSmallQueue = true;
  database!: string;
  storage!: StorageAdapter;
  /** Of the superuser, in the database of the test. */
  client!: pg.Client;
  private others: pg.Client[] = [];

  static forEachTest(): DoctorGround {
    const ground = new DoctorGround();
    beforeAll(async () => {
      try {
        ground.server = await startPostgres({ settings: { ...settings, ...smallQueue } });
      } catch {
        ground.hasSmallQueue = false;
        ground.server = await startPostgres({ settings });
      }
      await ground.makeModel();
    });
    afterAll(async () => {
      await ground.server.kill('SIGQUIT');
      await ground.server.stop();
    });
    beforeEach(() => ground.open());
    afterEach(() => ground.close());
    return ground;
  }

  get url(): string {
    return this.urlOf(this.database);
  }

  urlOf(database: string, user = 'postgres'): string {
    return `postgres://${user}:sesame@127.0.0.1:${this.server.port}/${database}`;
  }

  /** A connection of somebody else, which ends with the test. */
  async other(database = this.database): Promise<pg.Client> {
    const client = new pg.Client(this.urlOf(database));
    client.on('error', () => undefined);
    await client.connect();
    this.others.push(client);
    return client;
  }

  async sql(text: string): Promise<void> {
    await this.client.query(text);
  }

  diagnose(options: DiagnoseOptions & { url?: string; [option: string]: unknown } = {}): Promise<Diagnosis> {
    return diagnose({ url: this.url, ...options } as Parameters<typeof diagnose>[0]);
  }

  /** A live worker with the handler "work" and the queue "default", whose zone data are those of this process. */
  worker(given: Parameters<typeof startWorker>[1] = {}): Promise<Capability> {
    return startWorker(this.storage, { zoneData: process.versions.tz, ...given });
  }

  /** What each database is a copy of: the tables are made once. */
  private async makeModel(): Promise<void> {
    const root = await this.other('postgres');
    await root.query(`create database ${model}`);
    const storage = newStorage({ url: this.urlOf(model) });
    await storage.init();
    await storage.close();
    await this.endOthers();
  }

  private async open(): Promise<void> {
    this.database = `doctor_${randomBytes(5).toString('hex')}`;
    const root = await this.other('postgres');
    await root.query(`create database ${this.database} template ${model}`);
    this.storage = newStorage({ url: this.url });
    await this.storage.init();
    this.client = await this.other();
  }

  /** The database goes with the server: to drop it costs a checkpoint, which is half of what a test takes. */
  private async close(): Promise<void> {
    await this.storage.close();
    await this.endOthers();
  }

  private async endOthers(): Promise<void> {
    await Promise.all(this.others.map((client) => client.end().catch(() => undefined)));
    this.others = [];
  }
}
