import { NestFactory } from '@nestjs/core';
import type { INestApplicationContext, Type } from '@nestjs/common';
import { SchedulerService } from 'nestjs-chronis';
import { initializeTransactionalContext, StorageDriver } from 'typeorm-transactional';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestDatabase } from './application.js';
import * as nestjsCls from './nestjs-cls.js';
import * as typeormTransactional from './typeorm-transactional.js';

initializeTransactionalContext({ storageDriver: StorageDriver.ASYNC_LOCAL_STORAGE });

interface Effects {
  place(name: string, fail?: boolean): Promise<void>;
}

const applications: [string, Type, Type<Effects>][] = [
  ['typeorm-transactional', typeormTransactional.AppModule, typeormTransactional.Effects],
  ['nestjs-cls', nestjsCls.AppModule, nestjsCls.Effects],
];

describe.each(applications)('a method with @Transactional() of %s', (_, AppModule, Service) => {
  let database: TestDatabase;
  let app: INestApplicationContext;
  let scheduler: SchedulerService;

  beforeAll(async () => {
    database = await TestDatabase.create('context');
    process.env.DATABASE_URL = database.url;
    app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    scheduler = app.get(SchedulerService);
  });
  afterAll(async () => {
    await app.close();
    await database.close();
    delete process.env.DATABASE_URL;
  });

  const jobs = async () => (await scheduler.queryJobs()).items.map(({ id }) => id);

  test('commits its rows and its jobs together, or rolls both back', async () => {
    const effects = app.get(Service);
    await effects.place('a');
    await expect(effects.place('b', true)).rejects.toThrow('undone');
    expect([await database.effects(), await jobs()]).toEqual([['a'], ['a']]);
  });

  test('leaves calls outside of it alone', async () => {
    await scheduler.createDateJob({ id: 'alone', handler: 'remind', in: '1h' });
    expect(await jobs()).toContain('alone');
  });
});
