import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { describe, expect, test } from 'vitest';
import { ChronisModule, ChronisOverride, Cron, MemoryStorage, SchedulerService } from '../../lib/index.js';
import { Cron as DropInCron, ScheduleModule, SchedulerRegistry } from '../../lib/schedule/index.js';
import { ChronisTesting } from '../../lib/testing/index.js';

class Mailer {
  send(): string {
    return 'sent';
  }
}

@Injectable()
class Jobs {
  constructor(readonly mailer: Mailer) {}
  @Cron('0 9 * * *', { id: 'daily' })
  daily(): void {}
  @DropInCron('0 9 * * *', { name: 'dropped' })
  dropped(): void {}
}
Reflect.defineMetadata('design:paramtypes', [Mailer], Jobs);

/** What people give to useMocker(). */
const mockers: [string, (token: unknown) => unknown][] = [
  ['an empty object', () => ({})],
  [
    'a proxy that has every method',
    () => new Proxy({}, { get: (_target, key) => (key === 'then' ? undefined : () => undefined) }),
  ],
  [
    'an instance of the class without its methods',
    (token) => (typeof token === 'function' ? Object.create(token.prototype as object) : {}),
  ],
  ['nothing for what it does not know', (token) => (token === Mailer ? { send: () => 'mocked' } : undefined)],
];

describe.each(mockers)('useMocker() with %s', (_, mocker) => {
  test.each([
    ['ChronisModule', () => ChronisModule.forRoot(), 'daily'],
    ['ScheduleModule', () => ScheduleModule.forRoot(), null],
    ['ScheduleModule, distributed', () => ScheduleModule.forRoot({ distributed: {} }), 'dropped'],
  ])('leaves %s as it is', async (_name, module, id) => {
    const testing = await Test.createTestingModule({ imports: [module()], providers: [Jobs] })
      .useMocker(mocker as never)
      .setLogger(false as never)
      .compile();
    await testing.init();
    if (id === null) expect(testing.get(SchedulerRegistry).doesExist('cron', 'dropped')).toBe(true);
    else expect((await testing.get(SchedulerService).getJob(id))?.source).toBe('code');
    await testing.close();
  });

  test('does not stand in the way of ChronisTesting', async () => {
    const testing = await Test.createTestingModule({
      imports: [ChronisTesting.module(), ChronisModule.forRoot({ storage: new MemoryStorage() })],
      providers: [Jobs],
    })
      .useMocker(mocker as never)
      .setLogger(false as never)
      .compile();
    await testing.init();
    expect(testing.get(ChronisOverride)).toBeInstanceOf(ChronisOverride);
    await testing.close();
  });
});
