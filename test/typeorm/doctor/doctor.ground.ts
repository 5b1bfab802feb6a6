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
};
/** As few as there can be; servers before version 17 do not know it. */
const smallQueue = { max_notify_queue_pages: '64' };

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
    });
    afterAll(() => ground.server.stop());
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

  private async open(): Promise<void> {
    this.database = `doctor_${randomBytes(5).toString('hex')}`;
    const root = await this.other('postgres');
    await root.query(`create database ${this.database}`);
    this.storage = newStorage({ url: this.url });
    await this.storage.init();
    this.client = await this.other();
  }

  private async close(): Promise<void> {
    await this.storage.close();
    await Promise.all(this.others.map((client) => client.end().catch(() => undefined)));
    this.others = [];
    const root = await this.other('postgres');
    await root.query(`drop database if exists ${this.database} with (force)`);
    await root.end();
    this.others = [];
  }
}
