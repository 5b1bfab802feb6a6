import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';
import { DataSource, type EntityManager } from 'typeorm';
import {
  ChronisEvents,
  ChronisModule,
  DefinitionService,
  SchedulerService,
  WorkflowService,
  type ChronisOptions,
  type StorageAdapter,
} from '../../lib/index.js';
import { typeOrmStorage, type TypeOrmServer, type TypeOrmStorageOptions } from '../../lib/typeorm/index.js';
import { databaseUrl, freshSchema } from './schema.js';

/** An application whose own rows and whose jobs are in one database: `effect` is its table. */
export class TransactionalApp {
  private readonly closing: (() => Promise<unknown>)[] = [];

  private constructor(
    readonly schema: string,
    readonly client: pg.Client,
    readonly source: DataSource,
  ) {}

  static async create(topic: string): Promise<TransactionalApp> {
    const schema = freshSchema(topic);
    const client = new pg.Client(databaseUrl());
    await client.connect();
    await client.query(`create schema "${schema}"; create table "${schema}".effect (name text)`);
    const source = await new DataSource({
      type: 'postgres',
      url: databaseUrl(),
      poolSize: 12,
      applicationName: schema,
    }).initialize();
    return new TransactionalApp(schema, client, source);
  }

  /** A process; it runs no jobs unless `autoStart`. */
  async boot(
    given: { storage?: Omit<TypeOrmStorageOptions, keyof TypeOrmServer>; chronis?: ChronisOptions } = {},
  ): Promise<{
    scheduler: SchedulerService;
    definitions: DefinitionService;
    workflows: WorkflowService;
    events: ChronisEvents;
    close: () => Promise<void>;
  }> {
    const storage = typeOrmStorage({ dataSource: this.source, schema: this.schema, ...given.storage });
    const { chronis } = given;
    @Module({ imports: [ChronisModule.forRoot({ storage, autoStart: false, ...chronis })] })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    const close = (): Promise<void> => app.close();
    this.closing.push(close);
    return {
      scheduler: app.get(SchedulerService),
      definitions: app.get(DefinitionService),
      workflows: app.get(WorkflowService),
      events: app.get(ChronisEvents),
      close,
    };
  }

  /** A row of the application's own. */
  insert(manager: EntityManager, name = 'row'): Promise<unknown> {
    return manager.query(`insert into "${this.schema}".effect values ($1)`, [name]);
  }

  async effects(): Promise<number> {
    return (await this.client.query(`select from "${this.schema}".effect`)).rowCount!;
  }

  /** A storage on the same jobs. */
  async storage(): Promise<StorageAdapter> {
    const recipe = typeOrmStorage({ url: databaseUrl(), schema: this.schema });
    const storage = (await recipe.create()) as StorageAdapter;
    await storage.init();
    this.closing.push(() => storage.close());
    return storage;
  }

  /** Resolves when a connection of the application waits for a lock. */
  async waiting(): Promise<void> {
    const text = `select from pg_stat_activity where wait_event_type = 'Lock' and application_name = $1`;
    while ((await this.client.query(text, [this.schema])).rowCount === 0);
  }

  /** Nothing of the jobs is left, the tables stay. */
  async empty(): Promise<void> {
    for (const table of ['run', 'cursor', 'job', 'job_stat', 'gap', 'pause', 'effect'])
      await this.client.query(`delete from "${this.schema}".${table}`);
  }

  async close(): Promise<void> {
    for (const close of this.closing) await close();
    await this.source.destroy();
    await this.client.query(`drop schema "${this.schema}" cascade`);
    await this.client.end();
  }
}
