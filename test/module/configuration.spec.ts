import { Injectable, Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { afterEach, describe, expect, test } from 'vitest';
import { At, ChronisModule, Cron, Interval, type JobOverrides } from '../../lib/index.js';
import { ChronisTesting } from '../../lib/testing/index.js';

let chronis: ChronisTesting | null = null;
afterEach(async () => {
  await chronis?.close();
  chronis = null;
});

const values: Record<string, unknown> = { REPORT: '0 7 * * *', SYNC: '15m', OPENING: '2026-02-01T00:00:00Z' };

@Injectable()
class Jobs {
  @Cron(
    { useFactory: (config: ConfigService) => config.get<string>('REPORT')!, inject: [ConfigService] },
    { id: 'report' },
  )
  report(): void {}

  @Interval(
    { useFactory: (config: ConfigService) => config.get<string>('SYNC')!, inject: [ConfigService] },
    { id: 'sync' },
  )
  sync(): void {}

  @At(
    { useFactory: (config: ConfigService) => config.get<string>('OPENING')!, inject: [ConfigService] },
    { id: 'opening' },
  )
  opening(): void {}

  @Cron({ useFactory: () => null }, { id: 'never' })
  never(): void {}
}

async function create(providers: (new () => object)[], overrides?: JobOverrides): Promise<ChronisTesting> {
  const config = ConfigModule.forRoot({ ignoreEnvFile: true, load: [() => values] });
  chronis = await ChronisTesting.create({ imports: [config], providers, chronis: { overrides } });
  return chronis;
}

describe('schedules from the configuration', () => {
  test('are made when the application boots', async () => {
    await create([Jobs]);
    expect((await chronis!.jobs()).map(({ id, nextRunAt }) => `${id} ${nextRunAt!.toISOString()}`)).toEqual([
      'opening 2026-02-01T00:00:00.000Z',
      'report 2026-01-01T07:00:00.000Z',
      'sync 2026-01-01T00:15:00.000Z',
    ]);
  });

  test('are checked like others, and name the method when something is wrong', async () => {
    const refused: [object, string][] = [
      [{ useFactory: () => '99 * * * *' }, '@Cron on Wrong.run: '],
      [{ useFactory: () => undefined }, 'useFactory: has returned undefined. Return null for no schedule.'],
      [{ useFactory: async () => '* * * * *' }, 'useFactory: has returned a promise.'],
      [
        {
          useFactory: () => {
            throw new TypeError('REPORT_CRON is not set');
          },
        },
        '@Cron on Wrong.run: useFactory: has thrown: REPORT_CRON is not set',
      ],
      [{ useFactory: 'no' }, 'useFactory: must be a function'],
      [
        { useFactory: () => '* * * * *', inject: ['NOBODY'] },
        'inject: NOBODY is not a provider that there is one of',
      ],
      [{ useFactory: () => '* * * * *', imports: [] }, 'imports'],
    ];
    for (const [schedule, message] of refused) {
      @Injectable()
      class Wrong {
        @Cron(schedule as never)
        run(): void {}
      }
      await expect(create([Wrong])).rejects.toThrow(message);
    }
  });

  test('are not made for a job that is disabled', async () => {
    @Injectable()
    class Off {
      @Cron(
        {
          useFactory: () => {
            throw new Error('not configured');
          },
        },
        { disabled: true },
      )
      run(): void {}
    }
    await create([Off]);
    expect(await chronis!.jobs()).toEqual([]);
  });
});

describe('overrides', () => {
  @Injectable()
  class Plain {
    @Cron('0 9 * * *', { id: 'daily', queue: 'mail', timeZone: 'Asia/Seoul' })
    daily(): void {}

    @Interval('1h', { disabled: true })
    hourly(): void {}
  }

  test('say something else than the decorator, by the id of the job', async () => {
    await create([Plain, Jobs], {
      daily: { schedule: '30 6 * * *', timeZone: 'UTC', priority: 'high', queue: undefined },
      'Plain.hourly': { disabled: false, schedule: '2h' },
      report: { disabled: true },
      sync: { schedule: { minutes: 1 } },
    });
    const jobs = await chronis!.jobs();
    expect(jobs.map(({ id }) => id)).toEqual(['Plain.hourly', 'daily', 'opening', 'sync']);
    expect(jobs).toMatchObject([
      { nextRunAt: new Date('2026-01-01T02:00:00Z') },
      { nextRunAt: new Date('2026-01-01T06:30:00Z'), timeZone: 'UTC', queue: 'mail', priority: 2 },
      {},
      { nextRunAt: new Date('2026-01-01T00:01:00Z') },
    ]);
  });

  test('are refused at boot where they cannot be meant', async () => {
    const refused: [object, string][] = [
      [
        { dialy: { disabled: true } },
        'overrides: nothing in the code declares the job "dialy". Did you mean "daily"?',
      ],
      [
        { monthly: { disabled: true } },
        'overrides: nothing in the code declares the job "monthly". Declared are: "daily", "Plain.hourly".',
      ],
      [{ daily: { id: 'other' } }, '@Cron on Plain.daily: overrides["daily"]: id cannot be overridden.'],
      [
        { daily: { every: '5m' } },
        'overrides["daily"]: there is no option "every". Did you mean "schedule"?',
      ],
      [
        { daily: { shedule: '* * * * *' } },
        'overrides["daily"]: there is no option "shedule". Did you mean "schedule"?',
      ],
      [{ daily: { schedule: 'tomorrow' } }, '@Cron on Plain.daily: '],
      [{ daily: { backoff: () => 1 } }, 'backoff must be data'],
      [{ daily: true }, 'overrides["daily"]: must be an object'],
      [[], 'overrides: must be an object of options by the id of the job'],
    ];
    for (const [overrides, message] of refused) {
      await expect(create([Plain], overrides as never)).rejects.toThrow(message);
    }
  });

  test('may come from the configuration themselves', async () => {
    @Module({
      imports: [
        ConfigModule.forRoot({ ignoreEnvFile: true, isGlobal: true, load: [() => values] }),
        ChronisModule.forRootAsync({
          inject: [ConfigService],
          useFactory: (config: ConfigService) => ({
            overrides: { daily: { schedule: config.get<string>('REPORT') } },
          }),
        }),
      ],
      providers: [Plain],
    })
    class AppModule {}
    chronis = await ChronisTesting.create({ imports: [AppModule] });
    expect((await chronis.scheduler.getJob('daily'))!.nextRunAt).toEqual(new Date('2026-01-01T22:00:00Z'));
  });
});
