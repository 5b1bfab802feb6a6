import { Global, Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, describe, expect, test } from 'vitest';
import {
  ChronisModule,
  Clock,
  Cron,
  MemoryStorage,
  Interval,
  InvalidOptionError,
  InvalidScheduleError,
  JobHandler,
  JobNotFoundError,
  SchedulerService,
  StorageAdapter,
  TestTablesError,
  type RunContext,
} from '../../lib/index.js';
import { Cron as ScheduledCron, ScheduleModule } from '../../lib/schedule/index.js';
import { ChronisTesting, ChronisTestingError, type ChronisTestingOptions } from '../../lib/testing/index.js';
import { typeOrmLock, typeOrmStorage } from '../../lib/typeorm/index.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

/** What ran, and what time the handlers saw. */
const seen: string[] = [];

@Injectable()
class ShopJobs {
  static fail: () => void = () => undefined;
  static hang: Promise<unknown> = Promise.resolve();

  constructor(
    @Inject(Clock) private readonly clock: Clock,
    @Inject(SchedulerService) private readonly scheduler: SchedulerService,
  ) {}

  @Cron('0 9 * * *', { id: 'report', maxRetries: 2, backoff: '10m' })
  report({ attempt }: RunContext): string {
    this.note(`report ${attempt}`);
    ShopJobs.fail();
    return 'sent';
  }

  @Interval('8h', { id: 'sync', timeout: '5m', overlap: 'skip' })
  async sync(): Promise<void> {
    this.note('sync');
    await ShopJobs.hang;
  }

  @JobHandler('welcome')
  async welcome({ payload }: RunContext<{ user: string }>): Promise<void> {
    this.note(`welcome ${payload.user}`);
    await this.scheduler.createDateJob({ id: 'remind', handler: 'remind', in: '3d' });
  }

  @JobHandler('remind')
  remind(): void {
    this.note('remind');
  }

  @JobHandler('approve')
  approve({ open, attempt }: RunContext): void {
    this.note(`approve ${attempt}`);
    open({ deadline: '2d' });
  }

  @JobHandler('order')
  async order({ step, sleep, sleepUntil }: RunContext): Promise<string> {
    const payment = await step('charge', () => this.note('charge'));
    await sleep('3 days');
    await step('ship', () => {
      this.note('ship');
      ShopJobs.fail();
    });
    await sleepUntil('2026-01-05 09:30');
    await step('thank', () => this.note('thank'));
    return String(payment);
  }

  @JobHandler('approval')
  async approval({ step, waitFor }: RunContext): Promise<unknown> {
    const by = await waitFor<string>('approved', { timeout: '2 days' }).catch(() => 'nobody');
    const tell = (): void => {
      this.note(`tell ${by}`);
      ShopJobs.fail();
    };
    await step('tell', tell, { maxRetries: 2, backoff: ['1h', '3h'] });
    return [by, await waitFor('closed')];
  }

  private note(what: string): void {
    seen.push(`${new Date(this.clock.now()).toISOString().slice(5, 16).replace('T', ' ')} ${what}`);
  }
}

const slow = new Promise((resolve) => setTimeout(resolve, 30));
const forever = new Promise(() => undefined);

describe.each(['memory', 'postgres'] as const)('an application under test, on %s', (kind) => {
  let chronis: ChronisTesting;
  afterEach(async () => {
    seen.length = 0;
    ShopJobs.fail = () => undefined;
    ShopJobs.hang = Promise.resolve();
    await chronis?.close();
  });

  async function create(options: ChronisTestingOptions = {}): Promise<ChronisTesting> {
    const schema = freshSchema('testing');
    const postgres: ChronisTestingOptions = {
      storage: (clock) => typeOrmStorage({ url: databaseUrl(), schema, clock }),
    };
    chronis = await ChronisTesting.create({
      providers: [ShopJobs],
      ...(kind === 'postgres' ? postgres : {}),
      ...options,
    });
    return chronis;
  }

  test('executes what falls due in order, each at its nominal time', async () => {
    await create();
    const executions = await chronis.advanceBy('1d');
    expect(seen).toEqual([
      '01-01 08:00 sync',
      '01-01 09:00 report 1',
      '01-01 16:00 sync',
      '01-02 00:00 sync',
    ]);
    expect(executions.map(({ jobId, outcome }) => `${jobId} ${outcome}`)).toEqual([
      'sync succeeded',
      'report succeeded',
      'sync succeeded',
      'sync succeeded',
    ]);
    expect(chronis.clock.now()).toBe(Date.parse('2026-01-02T00:00:00Z'));
  });

  test('lets no time pass while a handler waits for something real', async () => {
    await create();
    ShopJobs.hang = slow;
    await chronis.advanceTo('2026-01-01T09:00:00Z');
    const [sync] = await chronis.ledger('sync');
    expect(sync).toMatchObject({ outcome: 'succeeded' });
    expect(sync!.finishedAt).toEqual(sync!.startedAt);
  });

  test('goes through durable steps and sleeps', async () => {
    await create();
    const retries = { maxRetries: 1, backoff: '1h' };
    await chronis.scheduler.createDateJob({ id: 'order-7', handler: 'order', in: '1h', ...retries });
    await chronis.advanceBy('2h');
    const steps = () => seen.filter((line) => /charge|ship|thank/.test(line));
    expect(steps()).toEqual(['01-01 01:00 charge']);
    await chronis.advanceTo('2026-01-04T00:59:00Z');
    ShopJobs.fail = () => {
      throw new Error('no lorry');
    };
    await chronis.advanceBy('2m');
    ShopJobs.fail = () => undefined;
    await chronis.advanceTo('2026-01-05T10:00:00Z');
    expect(steps()).toEqual([
      '01-01 01:00 charge',
      '01-04 01:00 ship',
      '01-04 02:00 ship',
      '01-05 09:30 thank',
    ]);
    const rows = await chronis.ledger('order-7');
    expect(rows.map(({ outcome }) => outcome)).toEqual(['snoozed', 'failed', 'snoozed', 'succeeded']);
    expect(rows.at(-1)!.result).toBe('null');
  });

  test('lets waits for signals time out and steps try again as time passes, and says who waits for one', async () => {
    await create();
    await chronis.scheduler.createDateJob({ id: 'approval-7', handler: 'approval', in: '1h' });
    let failures = 2;
    ShopJobs.fail = () => {
      if (failures-- > 0) throw new Error('nobody is there');
    };
    await chronis.advanceTo('2026-01-01T02:00:00Z');
    // The jobs of the shop are none of this.
    for (const id of ['report', 'sync']) await chronis.scheduler.pauseJob(id);
    await chronis.advanceBy('3d');
    expect(seen.filter((line) => line.includes('tell'))).toEqual([
      '01-03 01:00 tell nobody',
      '01-03 02:00 tell nobody',
      '01-03 05:00 tell nobody',
    ]);
    await expect(chronis.drain()).rejects.toThrow(/waits for a signal: send it by scheduler.signal/);
    const [run] = (await chronis.scheduler.getRuns({ jobId: 'approval-7' })).items;
    await chronis.scheduler.signal(run!.id, 'closed', 7);
    await chronis.runDue();
    const rows = await chronis.ledger('approval-7');
    expect(rows.at(-1)).toMatchObject({ outcome: 'succeeded', result: ['nobody', 7] });
    expect(rows.slice(0, -1).every(({ outcome }) => outcome === 'snoozed')).toBe(true);
  });

  test('comes to the end of what sleeps by drain() and run()', async () => {
    await create();
    await chronis.scheduler.createDateJob({ id: 'order-7', handler: 'order', in: '1h' });
    await chronis.drain();
    await chronis.scheduler.createDateJob({ id: 'order-8', handler: 'order', in: '1h' });
    const { verdict, executions } = await chronis.run('order-8');
    expect(verdict).toBe('succeeded');
    expect(executions.map(({ outcome }) => outcome)).toEqual(['snoozed', 'succeeded']);
    expect((await chronis.ledger('order-7')).at(-1)).toMatchObject({ outcome: 'succeeded', final: true });
  });

  test('executes retries when they are due, and tells what was thrown', async () => {
    await create();
    const error = new Error('no paper');
    ShopJobs.fail = () => {
      throw error;
    };
    const executions = await chronis.advanceTo('2026-01-01T09:15:00Z');
    expect(seen.slice(1)).toEqual(['01-01 09:00 report 1', '01-01 09:10 report 2']);
    expect(executions.at(-1)).toMatchObject({
      outcome: 'failed',
      attempt: 2,
      retryAt: new Date('2026-01-01T09:20:00Z'),
    });
    expect(executions.at(-1)!.error).toBe(error);
    ShopJobs.fail = () => undefined;
    await chronis.advanceBy('5m');
    expect((await chronis.ledger('report')).map(({ outcome, final }) => `${outcome} ${final}`)).toEqual([
      'failed false',
      'failed false',
      'succeeded true',
    ]);
  });

  test('lets a handler that hangs run into its timeout', async () => {
    await create({ patienceMs: 20 });
    ShopJobs.hang = forever;
    const executions = await chronis.advanceTo('2026-01-01T08:30:00Z');
    expect(executions).toMatchObject([{ jobId: 'sync', outcome: 'timed_out' }]);
  });

  test('aborts handlers whose runs are cancelled, by hand or by the next instant', async () => {
    await create();
    const aborted: string[] = [];
    chronis.scheduler.registerHandler('long', ({ job, signal }) => {
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error(String(aborted.push(job.id)))));
      });
    });
    const every = { handler: 'long', minutes: 10 } as const;
    await chronis.scheduler.createIntervalJob({ id: 'replaced', overlap: 'cancel-running', ...every });
    await chronis.scheduler.createIntervalJob({ id: 'stopped', ...every });
    await chronis.advanceBy('15m', { whileRunning: true });
    expect(aborted).toEqual([]);
    await chronis.scheduler.cancelJob('stopped');
    await chronis.runDue({ whileRunning: true });
    expect(aborted).toEqual(['stopped']);
    await chronis.advanceBy('5m', { whileRunning: true });
    expect(aborted).toEqual(['stopped', 'replaced']);
    expect(await chronis.ledger('replaced')).toMatchObject([{ outcome: 'cancelled' }]);
    await chronis.scheduler.cancelMany({ handler: 'long' });
    await chronis.runDue();
    expect(aborted).toHaveLength(4);
  });

  test('executes one-offs that handlers create, and their own', async () => {
    await create();
    await chronis.scheduler.createDateJob({
      handler: 'welcome',
      runAt: new Date(chronis.clock.now()),
      payload: { user: 'ada' },
    });
    await chronis.runDue();
    expect(seen).toEqual(['01-01 00:00 welcome ada']);
    const executions = await chronis.drain();
    expect(seen).toContain('01-04 00:00 remind');
    expect(chronis.clock.now()).toBe(Date.parse('2026-01-04T00:00:00Z'));
    expect(executions.filter(({ jobId }) => jobId === 'remind')).toHaveLength(1);
    expect(await chronis.jobs({ triggerType: 'at' })).toEqual([]);
  });

  test('leaves open what handlers leave open, until it is completed or its deadline has passed', async () => {
    await create();
    const { scheduler } = chronis;
    const retries = { maxRetries: 1, backoff: '1h' } as const;
    for (const id of ['paid', 'late'])
      await scheduler.createDateJob({ id, handler: 'approve', in: '1h', ...retries });
    const executions = await chronis.drain();
    expect(executions.filter(({ outcome }) => outcome === 'opened')).toHaveLength(2);
    expect(chronis.clock.now()).toBe(Date.parse('2026-01-01T01:00:00Z'));
    const [paid] = (await scheduler.getRuns({ jobId: 'paid', state: 'open' })).items;
    await scheduler.complete(paid!.id, 'paid');
    expect(await chronis.ledger('paid')).toMatchObject([
      { outcome: 'opened' },
      { outcome: 'succeeded', result: 'paid', worker: 'outside' },
    ]);
    await chronis.advanceBy('6d');
    expect(seen.filter((line) => line.includes('approve'))).toEqual([
      '01-01 01:00 approve 1',
      '01-01 01:00 approve 1',
      '01-03 02:00 approve 2',
    ]);
    expect((await chronis.ledger('late')).map(({ outcome, final }) => [outcome, final])).toEqual([
      ['opened', false],
      ['timed_out', false],
      ['opened', false],
      ['timed_out', true],
    ]);
    await scheduler.createDateJob({ id: 'asked', handler: 'approve', in: '1h' });
    await expect(chronis.run('asked')).rejects.toThrow(/"asked" is open.*scheduler\.complete\(\)/);
  });

  test('runs one job, and waits for its verdict over its retries', async () => {
    await create();
    expect(await chronis.run('report', { throws: true })).toMatchObject({
      verdict: 'succeeded',
      result: 'sent',
    });
    ShopJobs.fail = () => {
      throw new TypeError('no paper');
    };
    const report = await chronis.run('report');
    expect(report).toMatchObject({ verdict: 'failed', result: null, executions: [{}, {}, {}] });
    expect(seen.at(-1)).toBe('01-01 00:20 report 3');
    await expect(chronis.run('report', { throws: true })).rejects.toThrow(TypeError);
    await expect(chronis.run('nothing')).rejects.toThrow(JobNotFoundError);
  });

  test('sees what a fixed delay and a queued overlap wait for', async () => {
    await create({ chronis: { timeZone: 'Asia/Seoul' } });
    await chronis.scheduler.createIntervalJob({
      id: 'delayed',
      handler: 'remind',
      hours: 2,
      mode: 'fixed-delay',
    });
    expect(await chronis.scheduler.getJob('delayed')).toMatchObject({ timeZone: 'Asia/Seoul' });
    await chronis.advanceBy('6h');
    expect((await chronis.ledger('delayed')).map(({ nominalAt }) => nominalAt.getUTCHours())).toEqual([
      2, 4, 6,
    ]);
  });
});

describe('a test that goes wrong', () => {
  let chronis: ChronisTesting;
  afterEach(async () => {
    ShopJobs.hang = Promise.resolve();
    seen.length = 0;
    await chronis?.close();
  });
  const create = async (options: ChronisTestingOptions = {}): Promise<ChronisTesting> =>
    (chronis = await ChronisTesting.create({ providers: [ShopJobs], patienceMs: 20, ...options }));

  test('is told which handler does not end', async () => {
    await create();
    chronis.scheduler.registerHandler('stuck', () => forever);
    await chronis.scheduler.createDateJob({ id: 'job', handler: 'stuck', in: '1h' });
    await expect(chronis.advanceBy('2h')).rejects.toThrow(
      /^The handler "stuck" of the job "job" has not ended for 20 ms of real time/,
    );
    expect(chronis.clock.now()).toBe(Date.parse('2026-01-01T01:00:00Z'));
  });

  test('may let time pass while a handler runs', async () => {
    await create({ patienceMs: 60_000 });
    ShopJobs.hang = forever;
    await chronis.scheduler.updateJob('sync', { timeout: null });
    await chronis.advanceBy('1d', { whileRunning: true });
    expect(seen.filter((line) => line.endsWith('sync'))).toHaveLength(1);
    expect((await chronis.scheduler.getGaps({ jobId: 'sync' })).items).toMatchObject([
      { verdict: 'skipped' },
      {},
    ]);
  });

  test('is told that a run is due which nobody executes', async () => {
    await create();
    await chronis.scheduler.pause({ handler: 'remind' });
    await chronis.scheduler.createDateJob({ id: 'job', handler: 'remind', in: '1h' });
    const problem = /of the job "job" is due, but nobody executes it: is a scope of it paused/;
    await expect(chronis.drain()).rejects.toThrow(problem);
    await expect(chronis.run('job')).rejects.toThrow(problem);
  });

  test('is told what remains when it has drained for long enough', async () => {
    await create();
    await chronis.scheduler.createDateJob({ id: 'far', handler: 'remind', in: '30d' });
    await expect(chronis.drain({ within: '7d' })).rejects.toThrow(
      'Runs of "far" remain, the next of them due at 2026-01-31T00:00:00.000Z.',
    );
    expect(await chronis.drain()).toContainEqual(expect.objectContaining({ jobId: 'far' }));
  });

  test('may not move the time from two places, or back', async () => {
    await create();
    const first = chronis.advanceBy('1h');
    await expect(chronis.advanceBy('1h')).rejects.toThrow(ChronisTestingError);
    await first;
    const back = chronis.advanceTo('2026-01-01T00:00:00Z');
    await expect(back).rejects.toThrow(ChronisTestingError);
    await expect(back).rejects.toThrow('it is 2026-01-01T01:00:00.000Z already');
    await expect(chronis.advanceTo('tomorrow')).rejects.toThrow('date: "tomorrow" is not a date and time.');
  });

  test('may not let time pass for an application that is closed', async () => {
    await create();
    await chronis.close();
    for (const late of [chronis.advanceBy('1h'), chronis.runDue(), chronis.drain(), chronis.run('a')])
      await expect(late).rejects.toThrow('after the application had been closed');
  });

  test('is told what is wrong with its options', async () => {
    chronis = undefined as never;
    const wrong = (options: object) => expect(ChronisTesting.create(options)).rejects;
    await wrong({ patienceMs: 0 }).toThrow(InvalidScheduleError);
    await wrong({ startAt: '01/02/2026' }).toThrow(InvalidScheduleError);
    await wrong({ nonsense: [ShopJobs] }).toThrow(
      new InvalidOptionError(
        'nonsense',
        'ChronisTesting.create() has no such option. There are: imports, providers, controllers, logger, clock, startAt, storage, dataSource, fresh, chronis, patienceMs.',
      ).message,
    );
    await wrong({ provider: [ShopJobs] }).toThrow('Did you mean "providers"?');
    await wrong({ startedAt: '2026-01-01' }).toThrow(
      'startedAt: ChronisTesting.create() has no such option. Did you mean "startAt"?',
    );
    expect(() => ChronisTesting.module({ providers: [] } as never)).toThrow(
      'providers: ChronisTesting.module() has no such option.',
    );
    const { clock } = await create();
    await expect(ChronisTesting.create({ clock, startAt: 0 })).rejects.toThrow(
      'startAt: the clock that is given',
    );
    const chronisOptions = { nonsense: true } as never;
    await expect(ChronisTesting.create({ imports: [ChronisModule.forRoot(chronisOptions)] })).rejects.toThrow(
      /nonsense/,
    );
  });

  test('is told which option of a passing time there is not', async () => {
    await create({ patienceMs: '3 seconds' });
    const misspelt = { patience: 5 } as never;
    for (const call of ['advanceBy', 'run', 'runDue', 'drain'] as const) {
      const passing =
        call === 'runDue' || call === 'drain' ? chronis[call](misspelt) : chronis[call]('1s', misspelt);
      await expect(passing).rejects.toThrow(
        `patience: ${call}() has no such option. Did you mean "patienceMs"?`,
      );
    }
    await expect(chronis.advanceTo('2026-01-02', misspelt)).rejects.toThrow(
      'patience: advanceTo() has no such option.',
    );
    expect(await chronis.advanceBy('1m', { patienceMs: '20 milliseconds' })).toEqual([]);
  });

  test('is told how a storage is given, and that it is to go by the clock of the test', async () => {
    chronis = undefined as never;
    const fix = 'storage: (clock) => typeOrmStorage({ …, clock })';
    const recipe = typeOrmStorage({ url: databaseUrl(), schema: 'none' });
    await expect(ChronisTesting.create({ storage: recipe as never })).rejects.toThrow(
      `storage: takes a function, which gives the storage the clock of the test: ${fix}.`,
    );
    const real = new MemoryStorage();
    await expect(ChronisTesting.create({ storage: () => real })).rejects.toThrow(
      /The storage does not go by the clock of the test: it is 20.* there, and 2026-01-01T00:00:00.000Z in the test. Give it that clock: storage: /,
    );
  });

  test('is told that its database cannot be reached', async () => {
    chronis = undefined as never;
    expect(() => typeOrmStorage(undefined as never)).toThrow(
      'options: typeOrmStorage() takes an object that names the database, { url } or { dataSource }, but was given undefined.',
    );
    const url = 'postgres://nobody@127.0.0.1:1/none';
    const boot = create({ storage: (clock) => typeOrmStorage({ url, clock, connectTimeoutMs: 100 }) });
    await expect(boot).rejects.toThrow(/127\.0\.0\.1:1/);
  });
});

describe('tests on one PostgreSQL schema', () => {
  const schema = freshSchema('testing');
  const storage: ChronisTestingOptions['storage'] = (clock) =>
    typeOrmStorage({ url: databaseUrl(), schema, clock });
  const close: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const each of close.splice(0)) await each();
    seen.length = 0;
  });
  const create = async (options: ChronisTestingOptions): Promise<ChronisTesting> => {
    const chronis = await ChronisTesting.create({ providers: [ShopJobs], storage, ...options });
    close.push(() => chronis.close());
    return chronis;
  };

  test('begin with nothing of what the one before left, at whatever date', async () => {
    const first = await create({ startAt: '2026-09-01T00:00:00Z' });
    await first.advanceBy('1d');
    await first.scheduler.createDateJob({ id: 'later', handler: 'remind', in: '1d' });
    await first.scheduler.pause({ handler: 'welcome' });
    await first.close();
    seen.length = 0;
    const second = await create({ startAt: '2026-03-01T00:00:00Z' });
    expect(await second.ledger()).toEqual([]);
    expect((await second.jobs()).map(({ id }) => id)).toEqual(['report', 'sync']);
    await second.advanceBy('1d');
    expect(seen).toEqual([
      '03-01 08:00 sync',
      '03-01 09:00 report 1',
      '03-01 16:00 sync',
      '03-02 00:00 sync',
    ]);
  });

  test('go on with what is there if they say so', async () => {
    const first = await create({});
    await first.advanceBy('8h');
    await first.close();
    const second = await create({ fresh: false, clock: first.clock });
    expect(await second.ledger()).toHaveLength(1);
  });

  test('never empty tables that an application has made, and no application uses theirs', async () => {
    const used = freshSchema('application');
    const boot = async (providers: NonNullable<ChronisTestingOptions['providers']>, where: string) => {
      @Module({
        imports: [ChronisModule.forRoot({ storage: typeOrmStorage({ url: databaseUrl(), schema: where }) })],
        providers,
      })
      class AppModule {}
      const app = await NestFactory.createApplicationContext(AppModule, {
        logger: false,
        abortOnError: false,
      });
      await app.close();
    };
    const onUsed: ChronisTestingOptions = {
      storage: (clock) => typeOrmStorage({ url: databaseUrl(), schema: used, clock }),
    };
    await boot([], used);
    await (await create(onUsed)).close();
    await expect(create(onUsed)).rejects.toThrow(
      `The tables in the schema "${used}" were not made by a test, so they are not emptied (jobs: 2, runs: 0). Give the tests a schema of their own`,
    );
    await expect(create(onUsed)).rejects.toThrow(TestTablesError);
    await create({});
    await expect(boot([ShopJobs], schema)).rejects.toThrow(
      `The tables in the schema "${schema}" were made by tests, which empty them. Give the application a schema of its own`,
    );
  });
});

describe("the application's own module", () => {
  const forRoot = ChronisModule.forRoot({
    storage: typeOrmStorage({ url: 'postgres://nobody@127.0.0.1:1/none' }),
    lock: typeOrmLock(),
    app: 'shop',
    timeZone: 'Asia/Seoul',
  });

  test('keeps its options, and gets the clock and storage of the test', async () => {
    @Global()
    @Module({ imports: [forRoot], providers: [ShopJobs] })
    class AppModule {}
    const chronis = await ChronisTesting.create({ imports: [AppModule], startAt: '2026-06-01T00:00:00Z' });
    expect(chronis.app.get(StorageAdapter).kind).toBe('memory');
    expect(await chronis.scheduler.getJob('report')).toMatchObject({ app: 'shop', timeZone: 'Asia/Seoul' });
    await chronis.advanceBy('1d');
    expect(seen).toContain('06-02 00:00 sync');
    seen.length = 0;
    await chronis.close();
  });

  test('may be that of the drop-in for @nestjs/schedule', async () => {
    const storage = typeOrmStorage({ url: 'postgres://nobody@127.0.0.1:1/none' });
    @Injectable()
    class Crons {
      @ScheduledCron('0 0 9 * * *', { name: 'daily', timeZone: 'Asia/Seoul' })
      daily(): void {}
    }
    @Module({ imports: [ScheduleModule.forRoot({ distributed: { storage } })], providers: [Crons] })
    class AppModule {}
    const chronis = await ChronisTesting.create({ imports: [AppModule] });
    const executions = await chronis.advanceBy('1d');
    expect(executions).toMatchObject([{ jobId: 'daily', nominalAt: new Date('2026-01-02T00:00:00Z') }]);
    await chronis.close();
  });

  test('is found in an application that was built by other means', async () => {
    const { Test } = await import('@nestjs/testing');
    @Module({ imports: [forRoot], providers: [ShopJobs] })
    class AppModule {}
    const fake: Partial<ShopJobs> = { report: () => 'fake' };
    const jobs = Object.assign(Object.create(ShopJobs.prototype) as ShopJobs, fake);
    const module = await Test.createTestingModule({ imports: [ChronisTesting.module(), AppModule] })
      .overrideProvider(ShopJobs)
      .useValue(jobs)
      .compile();
    const chronis = ChronisTesting.of(await module.init());
    expect(await chronis.run('report')).toMatchObject({ verdict: 'succeeded', result: 'fake' });
    await chronis.close();
  });

  test('is missed where the test forgot to say so', async () => {
    @Module({})
    class Empty {}
    const { Test } = await import('@nestjs/testing');
    const module = await Test.createTestingModule({ imports: [Empty] }).compile();
    expect(() => ChronisTesting.of(module)).toThrow(
      'The application does not import ChronisTesting.module(), so its time is the real one.',
    );
    await module.close();
  });
});
