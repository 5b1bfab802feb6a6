import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Injectable, Module, Scope, type Provider } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { expect, test } from 'vitest';
import { ChronisModule, Cron, handlerOf, JobHandler, OnJobEvent } from '../../lib/index.js';
import { Cron as DropInCron, ScheduleModule } from '../../lib/schedule/index.js';
import { ChronisTesting } from '../../lib/testing/index.js';
import { compiledTests } from '../support/compiled.js';
import { NestApp } from '../support/nest.app.js';

/** What a boot tells of classes that begin with `prefix`: others of this file are unprovided, too. */
async function told(prefix: string, providers: Provider[], chronis = {}): Promise<string[]> {
  const app = await NestApp.boot({ providers, chronis });
  await app.close();
  return app
    .heard('classes.unprovided')
    .flatMap(({ methods }) => methods)
    .filter((method) => method.startsWith(prefix));
}

@Injectable()
class Forgotten {
  @Cron('0 9 * * *', { id: 'forgotten' })
  daily(): void {}
  @JobHandler('forgotten')
  handle(): void {}
  @OnJobEvent('failed')
  alert(): void {}
  plain(): void {}
}

test('a decorated class that no module provides is told at boot, with its methods', async () => {
  expect(await told('Forgotten', [])).toEqual(['Forgotten.daily', 'Forgotten.handle', 'Forgotten.alert']);
});

@Injectable()
class DroppedIn {
  @DropInCron('0 9 * * *', { name: 'dropped' })
  daily(): void {}
}

test('so is one whose decorators are those of the drop-in, distributed', async () => {
  const heard: string[] = [];
  const on = {
    'classes.unprovided': ({ methods }: { methods: readonly string[] }): unknown => heard.push(...methods),
  };
  @Module({ imports: [ScheduleModule.forRoot({ distributed: { on } })] })
  class AppModule {}
  const app = await Test.createTestingModule({ imports: [AppModule] }).compile();
  await app.init();
  await app.close();
  expect(heard).toContain('DroppedIn.daily');
  expect(await told('DroppedIn', [DroppedIn])).toEqual([]);
});

test('not where the process runs no jobs anyway', async () => {
  expect(await told('Forgotten', [], { autoStart: false })).toEqual([]);
});

test('not in a test with a clock of its own', async () => {
  const chronis = await ChronisTesting.create({ providers: [] });
  const heard: unknown[] = [];
  const app = await Test.createTestingModule({
    imports: [
      ChronisTesting.module(),
      ChronisModule.forRoot({ on: { 'classes.unprovided': (event) => heard.push(event) } }),
    ],
  }).compile();
  await app.init();
  await Promise.all([app.close(), chronis.close()]);
  expect(heard).toEqual([]);
});

@Injectable()
abstract class SpareBase {
  @Cron('0 9 * * *', { id: 'spare' })
  daily(): void {}
}
@Injectable()
class SpareChild extends SpareBase {}
class SparePlain {
  @JobHandler('spare-plain')
  run(): void {}
}
@Injectable()
class SpareReplaced {
  @JobHandler('spare-replaced')
  run(): void {}
}
@Injectable({ scope: Scope.REQUEST })
class SpareRequest {
  @JobHandler('spare-request')
  run(): void {}
}
@Injectable()
class SpareMade {
  @JobHandler('spare-made')
  run(): void {}
}
@Injectable()
class SpareRemote {
  @JobHandler('spare-remote')
  run(): void {}
}

test('nor a base whose child is provided, what another takes the place of, what a factory makes, what is no provider, and what is only referred to', async () => {
  handlerOf(SpareRemote, 'run');
  expect(
    await told('Spare', [
      SpareChild,
      SpareRequest,
      { provide: SpareReplaced, useValue: {} },
      { provide: 'made', useFactory: () => new SpareMade() },
    ]),
  ).toEqual([]);
  expect(new SparePlain().run()).toBeUndefined();
});

@Injectable()
class ElsewhereJobs {
  @JobHandler('elsewhere')
  run(): void {}
}

test('nor one that another application of the process has provided', async () => {
  expect(await told('Elsewhere', [])).toEqual(['ElsewhereJobs.run']);
  expect(await told('Elsewhere', [ElsewhereJobs])).toEqual([]);
  expect(await told('Elsewhere', [])).toEqual([]);
});

test('of several instances of the module one tells', async () => {
  const heard: string[] = [];
  const on = { 'classes.unprovided': () => heard.push('told') };
  @Module({
    imports: [ChronisModule.forRoot({ on }), ChronisModule.forRoot({ instance: 'reports', on })],
  })
  class AppModule {}
  const app = await Test.createTestingModule({ imports: [AppModule] }).compile();
  await app.init();
  await app.close();
  expect(heard).toEqual(['told']);
  // Classes are held weakly, and an ordinary one is exported.
  expect(new Forgotten().plain()).toBeUndefined();
});

test('executors of this package may be loaded by who does not use them; an own one is told', () => {
  const script = join(compiledTests(), 'test/module/loaded.doors.process.js');
  const output = execFileSync(process.execPath, [script], { encoding: 'utf8' });
  expect(JSON.parse(output)).toEqual({
    loaded: ['CommandExecutor', 'ChronisJobFiles', 'OwnExecutor'],
    told: ['OwnExecutor.execute'],
  });
}, 120_000);
