import { Injectable, Module, type ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { expect, test } from 'vitest';
import { ChronisModule, Cron, InvalidOptionError, JobHandler, SchedulerService } from '../../lib/index.js';
import { ScheduleModule } from '../../lib/schedule/index.js';
import { ChronisTesting } from '../../lib/testing/index.js';

@Injectable()
class Jobs {
  @JobHandler('mail')
  @Cron('0 9 * * *', { id: 'digest' })
  digest(): void {}
}

@Module({ imports: [ChronisModule], providers: [Jobs] })
class PlainModule {}

@Module({ imports: [ChronisModule.forFeature({ queue: 'mail' })], providers: [Jobs] })
class FeatureModule {}

async function boot(...imports: NonNullable<ModuleMetadata['imports']>): Promise<void> {
  @Module({ imports })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  await app.close();
}

test('ChronisModule as it is, without forRoot() anywhere, stops the boot with the module that imports it', async () => {
  const booting = boot(PlainModule);
  await expect(booting).rejects.toThrow(InvalidOptionError);
  await expect(booting).rejects.toThrow(
    'ChronisModule: PlainModule imports it as it is, and nothing would run, as no module imports ChronisModule.forRoot(). Import that in the root module, last.',
  );
});

test('so does forFeature() without forRoot()', async () => {
  await expect(boot(FeatureModule)).rejects.toThrow(
    'ChronisModule: FeatureModule imports ChronisModule.forFeature(), and nothing would run, as no module imports ChronisModule.forRoot(). Import that in the root module, last.',
  );
});

test('and neither is hidden by a mocker, which gives whatever is asked for', async () => {
  for (const module of [PlainModule, FeatureModule]) {
    const compiling = Test.createTestingModule({ imports: [module] })
      .useMocker(() => ({}))
      .compile();
    await expect(compiling).rejects.toThrow('as no module imports ChronisModule.forRoot()');
  }
});

test.each<[string, NonNullable<ModuleMetadata['imports']>]>([
  ['forRoot()', [ChronisModule.forRoot()]],
  ['forRootAsync()', [ChronisModule.forRootAsync({ useFactory: () => ({}) })]],
  ['forRoot() that is not global', [ChronisModule.forRoot({ isGlobal: false })]],
  [
    'forRoot() of another instance',
    [ChronisModule.forRoot(), ChronisModule.forRoot({ instance: 'reports' })],
  ],
  ['the drop-in, distributed', [ScheduleModule.forRoot({ distributed: {} })]],
])('with %s in the application both are fine, wherever that is imported', async (_, roots) => {
  await boot(PlainModule, ...roots);
  await boot(...roots, FeatureModule);
});

test('the scheduler is injected into a module that imports ChronisModule as it is, beside a global forRoot()', async () => {
  @Injectable()
  class Service {
    constructor(readonly scheduler: SchedulerService) {}
  }
  Reflect.defineMetadata('design:paramtypes', [SchedulerService], Service);
  @Module({ imports: [ChronisModule], providers: [Service] })
  class UsersModule {}
  @Module({ imports: [UsersModule, ChronisModule.forRoot()] })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  expect(app.get(Service).scheduler).toBe(app.get(SchedulerService));
  await app.close();
});

test('ChronisTesting brings a scheduler for modules that import it as it is, or for their features', async () => {
  const chronis = await ChronisTesting.create({ imports: [PlainModule] });
  expect((await chronis.scheduler.getJob('digest'))?.id).toBe('digest');
  await chronis.close();
});
