import { Module, type INestApplicationContext, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  ChronisEvents,
  ChronisModule,
  Cron,
  JobIdTakenError,
  SchedulerService,
  type ChronisEventMap,
} from '../../lib/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { DataSource } from 'typeorm';
import { databaseUrl, freshSchema } from '../support/schema.js';
import { release } from '../support/release.js';

let schema: string;
let open: Map<string, INestApplicationContext>;

beforeEach(() => {
  schema = freshSchema('deploys');
  open = new Map();
});

afterEach(async () => {
  for (const app of open.values()) await app.close();
  const dataSource = await new DataSource({ type: 'postgres', url: databaseUrl() }).initialize();
  await dataSource.query(`drop schema "${schema}" cascade`);
  await dataSource.destroy();
});

async function start(name: string, methods: Record<string, MethodDecorator[]>): Promise<ChronisEvents> {
  const jobs: Type = release(methods);
  const storage = typeOrmStorage({ url: databaseUrl(), schema });

  @Module({ imports: [ChronisModule.forRoot({ storage, app: 'shop', name })], providers: [jobs] })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  open.set(name, app);
  return app.get(ChronisEvents);
}

async function stop(name: string): Promise<void> {
  const app = open.get(name)!;
  open.delete(name);
  await app.close();
}

const scheduler = (name: string): SchedulerService => open.get(name)!.get(SchedulerService);
const hasChanged = ({ changed }: ChronisEventMap['jobs.synced']): boolean => changed.length > 0;
const yearly = (minute: number, id: string, more = {}): MethodDecorator[] => [
  Cron(`${minute} 3 1 1 *`, { id, ...more }),
];

test('an instance on PostgreSQL that never restarted follows when a canary goes, renames included', async () => {
  const old = await start('old', { a: yearly(1, 'a'), clean: yearly(5, 'clean-up') });
  await start('canary', { a: yearly(2, 'a'), clean: yearly(5, 'tidy', { previousIds: ['clean-up'] }) });
  expect((await scheduler('old').getJob('a'))!.trigger).toMatchObject({ expression: '2 3 1 1 *' });
  expect(await scheduler('old').getJob('clean-up')).toBeNull();
  const followed = old.once('jobs.synced', hasChanged);
  await stop('canary');
  expect((await followed).changed.map(({ id }) => id).toSorted()).toEqual(['a', 'clean-up']);
  expect((await scheduler('old').getJob('a'))!.trigger).toMatchObject({ expression: '1 3 1 1 *' });
  expect(await scheduler('old').getJob('tidy')).toBeNull();
});

test('a changed id on PostgreSQL is held while another one has its method, and comes back', async () => {
  const old = await start('old', { a: yearly(1, 'old-id') });
  await start('new', { a: yearly(1, 'new-id') });
  expect(await scheduler('old').getJob('old-id')).toMatchObject({ state: 'orphaned', nextRunAt: null });
  const followed = old.once('jobs.synced', hasChanged);
  await stop('new');
  expect(await followed).toMatchObject({ changed: [{ id: 'old-id' }], superseded: [{ id: 'new-id' }] });
  expect(await scheduler('old').getJob('old-id')).toMatchObject({ state: 'pending', orphanedAt: null });
});

test('a start on PostgreSQL that is refused has written nothing', async () => {
  await start('old', { a: yearly(1, 'a') });
  await scheduler('old').createCronJob({ id: 'taken', expression: '0 4 1 1 *', handler: 'Jobs.a' });
  const state = async (): Promise<unknown> => {
    const dataSource = await new DataSource({ type: 'postgres', url: databaseUrl() }).initialize();
    const tables = ['job', 'cursor', 'release', 'gap'];
    const rows = await Promise.all(tables.map((t) => dataSource.query(`select * from "${schema}"."${t}"`)));
    const workers: unknown = await dataSource.query(`select id from "${schema}".worker`);
    await dataSource.destroy();
    return [rows, workers];
  };
  const before = await state();
  const refused = start('new', { a: yearly(2, 'a'), b: yearly(3, 'b'), t: yearly(4, 'taken') });
  await expect(refused).rejects.toThrow(JobIdTakenError);
  expect(await state()).toEqual(before);
});
