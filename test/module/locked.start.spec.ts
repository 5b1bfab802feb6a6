import { Injectable, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { expect, test } from 'vitest';
import { ChronisEvents, ChronisModule, Cron, SchedulerService } from '../../lib/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

/** An application whose one job runs yearly, with this priority. */
function release(schema: string, priority: number): Type {
  @Injectable()
  class Jobs {
    @Cron('0 0 1 1 *', { id: 'yearly', priority })
    run(): void {}
  }
  @Module({
    imports: [
      ChronisModule.forRoot({
        app: 'shop',
        storage: typeOrmStorage({ url: databaseUrl(), schema, statementTimeoutMs: 1_000 }),
      }),
    ],
    providers: [Jobs],
  })
  class AppModule {}
  return AppModule;
}

const boot = (module: Type) =>
  NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });

test('an instance starts beside an open transaction that has run a declared job, and changes it after the commit', async () => {
  const schema = freshSchema('locked_start');
  const dataSource = await new DataSource({ type: 'postgres', url: databaseUrl() }).initialize();
  const first = await boot(release(schema, 5));
  const queryRunner = dataSource.createQueryRunner();
  await queryRunner.startTransaction();
  await first.get(SchedulerService).runNow('yearly', { manager: queryRunner.manager });
  await first.close();

  const second = await boot(release(schema, 2));
  const scheduler = second.get(SchedulerService);
  expect((await scheduler.getJob('yearly'))?.priority).toBe(5);
  const synced = second.get(ChronisEvents).once('jobs.synced', ({ changed }) => changed.length > 0);
  await queryRunner.commitTransaction();
  expect(await synced).toMatchObject({ changed: [{ id: 'yearly' }], postponed: [] });
  expect((await scheduler.getJob('yearly'))?.priority).toBe(2);

  await second.close();
  await queryRunner.release();
  await dataSource.query(`drop schema "${schema}" cascade`);
  await dataSource.destroy();
});

const tables = ['run', 'job', 'worker', 'cursor', 'release', 'lock', 'meta', 'gap'];

// Each in a schema of its own, and they all wait for most of the time.
test.concurrent.for(tables)(
  'an instance starts while somebody has locked the table %s as a whole, or waits for it and tells',
  { timeout: 30_000 },
  async (table, { expect }) => {
    const schema = freshSchema('locked_boot');
    const dataSource = await new DataSource({ type: 'postgres', url: databaseUrl() }).initialize();
    await (await boot(release(schema, 5))).close();
    const queryRunner = dataSource.createQueryRunner();
    await queryRunner.startTransaction();
    await queryRunner.query(`lock table "${schema}"."${table}" in access exclusive mode`);
    // Longer than the deadline of a statement.
    const unlocked = new Promise((resolve) => setTimeout(resolve, 2_500)).then(() =>
      queryRunner.commitTransaction(),
    );
    const second = await boot(release(schema, 2));
    await unlocked;
    const scheduler = second.get(SchedulerService);
    await expect.poll(async () => (await scheduler.getJob('yearly'))?.priority, { timeout: 10_000 }).toBe(2);
    await second.close();
    await queryRunner.release();
    await dataSource.query(`drop schema "${schema}" cascade`);
    await dataSource.destroy();
  },
);
