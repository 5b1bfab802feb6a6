import { Module } from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import { describe, expect, test } from 'vitest';
import { settingsOf } from '../../lib/chronis.settings.js';
import { ChronisExecutorsModule } from '../../lib/executors/index.js';
import {
  ChronisModule,
  getSchedulerToken,
  InvalidOptionError,
  InvalidScheduleError,
  LockAdapter,
  MemoryLock,
  MemoryStorage,
  StorageAdapter,
  type ChronisModuleOptions,
  type ChronisOptions,
} from '../../lib/index.js';
import { ScheduleModule } from '../../lib/schedule/index.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { typeOrmLock } from '../../lib/typeorm/index.js';
import { NestApp } from '../support/nest.app.js';

const ninetyDaysMs = 90 * 86_400_000;

/** A storage that other processes could see. */
class SharedStorage extends MemoryStorage {
  override readonly shared = true as never;
  override readonly kind = 'shared' as never;
  override readonly lock = new SharedLock() as never;
}
class SharedLock extends MemoryLock {
  override readonly shared = true as never;
}

describe('the options of the module', () => {
  test('may all be left out', () => {
    const { engine, ...settings } = settingsOf({});
    expect(settings).toMatchObject({
      storage: null,
      lock: null,
      autoStart: true,
      timeZone: 'UTC',
      payloadLimit: 1_048_576,
      orphans: 'keep',
    });
    expect(engine).toMatchObject({
      app: 'default',
      name: expect.stringMatching(new RegExp(`.+:${process.pid}$`)),
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      queues: ['default'],
      pollMs: 5_000,
      leaseMs: 30_000,
      concurrency: 10,
      shutdownTimeoutMs: 25_000,
      abortGraceMs: 5_000,
      retention: {
        defaultMs: 30 * 86_400_000,
        byVerdict: {},
        historyMs: ninetyDaysMs,
        auditMs: ninetyDaysMs,
      },
    });
  });

  test('take durations in words and in parts', () => {
    const { engine } = settingsOf({
      pollMs: '10 seconds',
      leaseMs: { minutes: 1, seconds: 30 },
      lookAheadMs: '0s',
      keepLedger: { days: 60 },
    });
    expect(engine).toMatchObject({ pollMs: 10_000, leaseMs: 90_000, lookAheadMs: 0 });
    expect(engine.retention).toEqual({
      defaultMs: 60 * 86_400_000,
      byVerdict: {},
      historyMs: ninetyDaysMs,
      auditMs: ninetyDaysMs,
    });
    const keepLedger = { default: { weeks: 1 }, failed: '90 days' };
    expect(settingsOf({ keepLedger }).engine.retention).toEqual({
      defaultMs: 7 * 86_400_000,
      byVerdict: { failed: 90 * 86_400_000 },
      historyMs: ninetyDaysMs,
      auditMs: ninetyDaysMs,
    });
  });

  test('take durations as milliseconds and as text', () => {
    const { engine } = settingsOf({
      pollMs: '10s',
      leaseMs: 60_000,
      shutdownTimeoutMs: '2m',
      abortGraceMs: 'PT10S',
      keepLedger: '7d',
    });
    expect(engine).toMatchObject({
      pollMs: 10_000,
      leaseMs: 60_000,
      shutdownTimeoutMs: 120_000,
      abortGraceMs: 10_000,
      retention: { defaultMs: 604_800_000, byVerdict: {}, historyMs: ninetyDaysMs, auditMs: ninetyDaysMs },
    });
  });

  test('keep the record for a time of its own for each outcome', () => {
    const keepLedger = { default: '60d', succeeded: '7d', skipped: 3_600_000 };
    expect(settingsOf({ keepLedger }).engine.retention).toEqual({
      defaultMs: 5_184_000_000,
      byVerdict: { succeeded: 604_800_000, skipped: 3_600_000 },
      historyMs: ninetyDaysMs,
      auditMs: ninetyDaysMs,
    });
  });

  test('keep the history for a time of its own, or not at all', () => {
    const kept = (keepHistory: ChronisOptions['keepHistory']) =>
      settingsOf({ keepHistory }).engine.retention.historyMs;
    expect([kept(undefined), kept('730d'), kept({ hours: 1 }), kept('none')]).toEqual([
      ninetyDaysMs,
      ...[730 * 86_400_000, 3_600_000, 0],
    ]);
  });

  test('leave handlers no more grace than a short shutdown has', () => {
    expect(settingsOf({ shutdownTimeoutMs: '3s' }).engine.abortGraceMs).toBe(1_500);
    expect(settingsOf({ shutdownTimeoutMs: 0 }).engine).toMatchObject({
      shutdownTimeoutMs: 0,
      abortGraceMs: 0,
    });
  });

  test('decide about jobs that say nothing themselves', async () => {
    const app = await NestApp.boot({ chronis: { timeZone: 'Asia/Seoul' } });
    app.scheduler.registerHandler('work', () => undefined);
    const job = await app.scheduler.createCronJob({ handler: 'work', hour: 9 });
    expect(job).toMatchObject({ timeZone: 'Asia/Seoul', nextRunAt: new Date('2026-01-02T00:00:00Z') });
    await app.close();
  });

  test('say which queues this process works on', async () => {
    const app = await NestApp.boot({ chronis: { queues: ['slow'], name: 'worker-1' } });
    const ran: string[] = [];
    app.scheduler.registerHandler('work', ({ job }) => void ran.push(job.queue));
    await app.scheduler.createDateJob({ handler: 'work', in: '1s' });
    await app.scheduler.createDateJob({ handler: 'work', in: '1s', queue: 'slow' });
    await app.clock.advanceBy(10_000);
    expect(ran).toEqual(['slow']);
    expect(app.heard('scheduler.started')).toMatchObject([{ name: 'worker-1', queues: ['slow'] }]);
    await app.close();
  });

  type Wrong = [string, Record<string, unknown>, new (...args: never[]) => Error, string];
  const wrong: Wrong[] = [
    [
      'an unknown option',
      { pollInterval: 5 },
      InvalidOptionError,
      'pollInterval: ChronisModule has no such option. There are: storage, lock,',
    ],
    [
      'a log that is neither on nor off',
      { log: 'json' },
      InvalidOptionError,
      "log: must be true, false, or an object such as { format: 'json' }, but is 'json'.",
    ],
    [
      'a log in another format',
      { log: { format: 'xml' } },
      InvalidOptionError,
      "log.format: must be 'text' or 'json', but is 'xml'.",
    ],
    [
      'a log without an event that there is not',
      { log: { silent: ['run.done'] } },
      InvalidOptionError,
      'log.silent: there is no event "run.done".',
    ],
    [
      'another spelling',
      { polMs: 5 },
      InvalidOptionError,
      'polMs: ChronisModule has no such option. Did you mean "pollMs"?',
    ],
    [
      'a poll that is too quick',
      { pollMs: 50 },
      InvalidOptionError,
      'pollMs: must be 100 to 60000 ms, but is 50.',
    ],
    [
      'milliseconds that are text, as of an environment variable',
      { pollMs: '5000' },
      InvalidOptionError,
      'pollMs: "5000" is not a duration. Add a unit, such as "5000ms" or "5000s". Only a number is milliseconds without one.',
    ],
    [
      'a poll that is no duration',
      { pollMs: '5 bananas' },
      InvalidOptionError,
      'pollMs: 5 bananas is not a duration. Write it without blanks, such as "1h30m", or in words, such as "1 hour 30 minutes".',
    ],
    [
      'a poll that is no text',
      { pollMs: true },
      InvalidOptionError,
      'pollMs: true is not a duration. Give milliseconds, text such as "5m", or { minutes: 5 }.',
    ],
    [
      'a lease that is too short',
      { leaseMs: '500ms' },
      InvalidOptionError,
      "leaseMs: must be 1000 to 3600000 ms, but is '500ms'.",
    ],
    ['a negative lease', { leaseMs: -1 }, InvalidOptionError, 'leaseMs: -1 must be longer than zero.'],
    ['a lease of NaN', { leaseMs: NaN }, InvalidOptionError, 'leaseMs: NaN is not a finite number.'],
    [
      'no concurrency',
      { concurrency: 0 },
      InvalidOptionError,
      'concurrency: must be a whole number from 1 to 10000, but is 0.',
    ],
    [
      'a concurrency in text',
      { concurrency: '10' },
      InvalidOptionError,
      "concurrency: must be a whole number from 1 to 10000, but is '10'.",
    ],
    [
      'no queues',
      { queues: [] },
      InvalidOptionError,
      'queues: must be a list of at least one name, but is []. To run no jobs at all use autoStart: false.',
    ],
    [
      'a queue without a name',
      { queues: ['a', ''] },
      InvalidOptionError,
      "queues[1]: must be a non-empty text, but is ''.",
    ],
    [
      'a start that is neither yes nor no',
      { autoStart: 'no' },
      InvalidOptionError,
      "autoStart: must be true or false, but is 'no'.",
    ],
    [
      'the zone of the process',
      { timeZone: 'local' },
      InvalidScheduleError,
      'timeZone: local is not an IANA time zone. The zone of the process may differ between replicas',
    ],
    [
      'a zone that does not exist',
      { timeZone: 'Asia/Soul' },
      InvalidScheduleError,
      'timeZone: Asia/Soul is not an IANA time zone. Did you mean "Asia/Seoul"?',
    ],
    [
      'a grace that does not fit',
      { abortGraceMs: '30s' },
      InvalidOptionError,
      'abortGraceMs: 30000 ms do not fit into shutdownTimeoutMs, which is 25000 ms. Raise that, or lower this.',
    ],
    [
      'a limit that is no number',
      { payloadLimit: '1mb' },
      InvalidOptionError,
      "payloadLimit: must be a whole number from 1 to 104857600, but is '1mb'.",
    ],
    [
      'a ledger that is not kept',
      { keepLedger: 0 },
      InvalidOptionError,
      'keepLedger: 0 must be longer than zero.',
    ],
    [
      'a time for an outcome that does not exist',
      { keepLedger: { sucess: '7d' } },
      InvalidOptionError,
      'sucess: keepLedger has no such option. There are: default, succeeded, failed,',
    ],
    [
      'an outcome that is not kept',
      { keepLedger: { succeeded: '10s' } },
      InvalidOptionError,
      "keepLedger.succeeded: must be 60000 to 3155760000000 ms, but is '10s'.",
    ],
    [
      'a policy for orphans that does not exist',
      { orphans: 'remove' },
      InvalidOptionError,
      "orphans: must be 'keep' or 'delete', but is 'remove'.",
    ],
    ['an empty app', { app: '' }, InvalidOptionError, "app: must be a non-empty text, but is ''."],
    ['a name of two lines', { name: 'a\nb' }, InvalidOptionError, 'name: must not hold control characters'],
    [
      'a storage that is a name',
      { storage: 'postgres' },
      InvalidOptionError,
      "storage: must be a recipe such as typeOrmStorage({ url }), or an instance of an adapter, but is 'postgres'.",
    ],
    [
      'a lock that is none',
      { lock: {} },
      InvalidOptionError,
      'lock: must be a recipe such as typeOrmLock(), or an instance of an adapter, but is {}.',
    ],
    [
      'a lock as the storage',
      { storage: new MemoryLock() },
      InvalidOptionError,
      'storage: is a lock. Give it as lock, and here a storage such as typeOrmStorage({ url }).',
    ],
    [
      'the lock of the storage as the storage, which would wait for itself',
      { storage: typeOrmLock() },
      InvalidOptionError,
      'storage: is a lock. Give it as lock, and here a storage such as typeOrmStorage({ url }).',
    ],
    [
      'a storage as the lock',
      { lock: { create: () => new MemoryStorage() } },
      InvalidOptionError,
      'lock: is a storage. Give it as storage, and here a lock such as typeOrmLock(), or nothing.',
    ],
    [
      'a recipe that makes nothing',
      { storage: { create: () => null } },
      InvalidOptionError,
      'storage: the recipe made something that is not an adapter.',
    ],
    [
      'a clock that is none',
      { clock: Date },
      InvalidOptionError,
      'clock: must be a Clock, such as ManualClock, but is a function.',
    ],
  ];
  test.each(wrong)('are refused at boot: %s', async (_, options, type, message) => {
    const booting = NestApp.boot({ chronis: options as ChronisModuleOptions });
    await expect(booting).rejects.toThrow(type);
    await expect(booting).rejects.toThrow(message);
  });

  test('refuse a lock that other processes do not see on a storage that they share', async () => {
    const storage = new SharedStorage();
    await expect(NestApp.boot({ chronis: { storage, lock: new MemoryLock() } })).rejects.toThrow(
      "lock: other processes use the same storage (shared), but this lock is seen by this process alone. Leave the option out to use the storage's own lock, or give a shared one such as typeOrmLock().",
    );
    // Nothing is left open by a boot that fails.
    await expect(storage.now()).rejects.toThrow('closed');
    const clock = new ManualClock();
    const app = await NestApp.boot({ clock, chronis: { storage: new SharedStorage({ clock }) } });
    expect(app.app.get(LockAdapter).shared).toBe(true);
    await app.close();
  });

  test.each([
    ['in memory', () => new MemoryStorage({ clock: new ManualClock() })],
    ['that processes share', () => new SharedStorage({ clock: new ManualClock() })],
  ])('refuse intervals below a second on a storage %s', async (_, storage) => {
    const app = await NestApp.boot({ chronis: { storage: storage() } });
    app.scheduler.registerHandler('work', () => undefined);
    await expect(app.scheduler.createIntervalJob({ handler: 'work', every: 30 })).rejects.toThrow(
      'every: 30 is shorter than 1000 ms, the shortest interval. A number is milliseconds: for 30 seconds write "30s" or 30_000.',
    );
    await app.close();
  });

  test('are needed once: a second forRoot() would be a second scheduler', async () => {
    await expect(NestApp.boot({ imports: [ChronisModule.forRoot()] })).rejects.toThrow(
      'ChronisModule: forRoot() is imported 2 times. Import it once, in the root module; what it exports can be injected everywhere.',
    );
  });

  test('are needed once also where the drop-in brings them', async () => {
    const imports = [ScheduleModule.forRoot({ distributed: {} })];
    await expect(NestApp.boot({ imports })).rejects.toThrow(
      'One is that of ScheduleModule.forRoot({ distributed }), which brings a ChronisModule: give its options to distributed, and take the other away.',
    );
  });

  test('are needed once also where Nest takes modules of the same contents for one', async () => {
    @Module({ imports: [ChronisModule.forRoot()] })
    class FeatureModule {}
    @Module({ imports: [FeatureModule, ChronisModule.forRoot()] })
    class AppModule {}
    const options = { logger: false, abortOnError: false, moduleIdGeneratorAlgorithm: 'deep-hash' } as const;
    await expect(NestFactory.createApplicationContext(AppModule, options)).rejects.toThrow(
      'ChronisModule: forRoot() is imported 2 times.',
    );
  });

  test('are not written out where Nest tells modules apart by their contents, and each module has its own', async () => {
    let written = 0;
    const toJSON = (): object => {
      written++;
      return {};
    };
    const partsOf = (instance: string, client: string) => [
      ChronisExecutorsModule.forRoot({
        instance,
        emit: { clients: { [client]: { emit: () => undefined, toJSON } as never } },
      }),
      ChronisModule.forRoot({ instance, storage: { create: () => new MemoryStorage(), toJSON } as never }),
    ];
    @Module({ imports: [...partsOf('a', 'orders'), ...partsOf('b', 'bills')] })
    class AppModule {}
    const options = { logger: false, abortOnError: false, moduleIdGeneratorAlgorithm: 'deep-hash' } as const;
    const app = await NestFactory.createApplicationContext(AppModule, options);
    try {
      expect(written).toBe(0);
      const names = [...app.get(ModulesContainer).values()].map(({ name }) => name);
      for (const name of ['ChronisExecutorsModule', 'ChronisCoreModule'])
        expect(names.filter((each) => each === name)).toHaveLength(2);
      expect(app.get(getSchedulerToken('a'))).not.toBe(app.get(getSchedulerToken('b')));
    } finally {
      await app.close();
    }
  });

  test('use the storage in memory by default', async () => {
    const app = await NestApp.boot({ chronis: { storage: undefined as never } });
    expect(app.app.get(StorageAdapter).kind).toBe('memory');
    expect(app.heard('scheduler.started')).toMatchObject([
      { storage: 'memory', app: 'default', timeZone: 'UTC', concurrency: 10, nextAt: null },
    ]);
    await app.close();
  });
});

test.each<[unknown, string]>([
  [null, 'ChronisModule.forRoot(): takes options as an object, or none, but was given null.'],
  ['memory', "ChronisModule.forRoot(): takes options as an object, or none, but was given 'memory'."],
  [() => ({}), 'ChronisModule.forRoot(): takes options as an object. For a function there is forRootAsync('],
])('are no object, and jobs would be in memory: %s', (options, message) => {
  expect(() => ChronisModule.forRoot(options as never)).toThrow(message);
});

test('are no object for the drop-in either; null is none, as it has always been there', () => {
  expect(() => ScheduleModule.forRoot((() => ({})) as never)).toThrow(
    'ScheduleModule.forRoot(): takes options as an object. For a function there is forRootAsync(',
  );
  expect(() => ScheduleModule.forRoot(null as never)).not.toThrow();
});

test('name the calendar in which something is wrong', () => {
  const settings = (calendars: object) => () => settingsOf({ calendars: calendars as never });
  expect(settings({ holidays: [{ dates: ['2026-02-30'] }] })).toThrow(
    'calendars["holidays"]: 2026-02-30 is not a date. Write it as "2025-12-25".',
  );
  expect(settings({ holidays: {} })).toThrow('calendars["holidays"]: {} is not a list.');
});
