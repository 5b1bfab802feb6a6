import { Injectable, type Type } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  Cron,
  HandlerNotFoundError,
  JobHandler,
  type ChronisModuleOptions,
  type RunContext,
} from '../../lib/index.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { NestApp } from '../support/nest.app.js';

const minute = 60_000;

let clock: ManualClock;
let storage: MemoryStorage;
/** `app: job (origin)` of every execution. */
let executed: string[];
const apps: NestApp[] = [];

beforeEach(() => {
  clock = new ManualClock('2026-06-01T00:00:30Z');
  storage = new MemoryStorage({ clock });
  executed = [];
});

afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

/** Each service has a class of this name, as each one has a `TasksService.handleCron`. */
function tasksOf(app: string, failing: boolean): Type {
  @Injectable()
  class TasksService {
    @Cron('* * * * *', { id: `${app}-minutely`, onSuccess: 'told', onFailure: 'told' })
    handleCron(context: RunContext): void {
      this.note(context);
    }

    @JobHandler('told')
    told(context: RunContext): void {
      executed.push(`${app}: told of ${(context.payload as { jobId: string }).jobId}`);
    }

    @JobHandler('report')
    report(context: RunContext): void {
      this.note(context);
    }

    private note({ job, origin }: RunContext): void {
      executed.push(`${app}: ${job.id} (${origin})`);
      if (failing) throw new Error('as asked');
    }
  }
  return TasksService;
}

async function boot(app: string, given: ChronisModuleOptions & { failing?: boolean } = {}): Promise<NestApp> {
  const { failing = false, ...chronis } = given;
  const providers = [tasksOf(app, failing)];
  const booted = await NestApp.boot({ clock, storage, providers, chronis: { app, ...chronis } });
  apps.push(booted);
  return booted;
}

async function settle(): Promise<void> {
  await clock.advanceBy(1_000);
}

describe('two applications with equal names of classes and methods, on one schema', () => {
  test('run each their own schedules, with their own callbacks', async () => {
    await boot('shop');
    await boot('billing');
    await clock.advanceBy(3 * minute);
    await settle();
    expect(new Set(executed)).toEqual(
      new Set(
        ['shop', 'billing'].flatMap((app) => [
          `${app}: ${app}-minutely (schedule)`,
          `${app}: told of ${app}-minutely`,
        ]),
      ),
    );
    expect(executed).toHaveLength(12);
  });

  test('run each what is asked for by hand: now, in the past, and again after a failure', async () => {
    const shop = await boot('shop', { failing: true });
    const billing = await boot('billing', { failing: true });
    for (const [asks, of] of [
      [shop, 'billing'],
      [billing, 'shop'],
    ] as const) {
      await asks.scheduler.runNow(`${of}-minutely`);
      await asks.scheduler.backfill(`${of}-minutely`, '2026-05-31T12:00:00Z', '2026-05-31T12:02:00Z');
      await settle();
      await asks.scheduler.retryFailed({ jobId: `${of}-minutely` });
      await settle();
    }
    const own = executed.filter((line) => line.includes('('));
    expect(own.filter((line) => !/^(\w+): \1-minutely/.test(line))).toEqual([]);
    for (const origin of ['manual', 'backfill', 'retry']) {
      for (const app of ['shop', 'billing']) expect(own).toContain(`${app}: ${app}-minutely (${origin})`);
    }
  });

  test('leave to a process that comes later what is its own', async () => {
    const shop = await boot('shop');
    const billing = await boot('billing');
    await shop.scheduler.createDateJob({ id: 'late', handler: 'report', in: '10m' });
    await shop.close();
    apps.splice(apps.indexOf(shop), 1);
    await clock.advanceBy(20 * minute);
    expect(executed.filter((line) => line.includes('late') || line.includes('shop'))).toEqual([]);
    expect(billing.heard('runs.deferred')[0]).toEqual({
      app: 'shop',
      handler: 'report',
      queue: 'default',
      runs: 1,
    });
    await boot('shop');
    await clock.advanceBy(1_000);
    await settle();
    expect(executed).toContain('shop: late (at)');
  });

  test('take no notice of a withdrawal by the other one', async () => {
    const shop = await boot('shop');
    await boot('billing');
    shop.scheduler.withdrawHandler('TasksService.handleCron');
    await clock.advanceBy(3 * minute);
    await settle();
    expect(executed.filter((line) => line.startsWith('shop'))).toEqual([]);
    await shop.scheduler.offerHandler('TasksService.handleCron');
    // What nobody of its own app could run is passed over, though the other one has a handler of this name.
    expect(shop.heard('gap.recorded')).toMatchObject([
      { id: 'shop-minutely', count: 3, reason: 'withdrawn' },
    ]);
    await clock.advanceBy(minute);
    await settle();
    expect(executed.filter((line) => line.startsWith('shop: shop-minutely'))).toHaveLength(1);
  });
});

describe('jobs that are made at run time', () => {
  test('are those of the app that makes them, or of the one that it names', async () => {
    const shop = await boot('shop');
    await boot('billing');
    const { scheduler } = shop;
    const common = { handler: 'report', app: 'billing' };
    await scheduler.createDateJob({ id: 'own', handler: 'report', in: 0 });
    await scheduler.createDateJob({ id: 'date', in: 0, ...common });
    await scheduler.createCronJob({ id: 'cron', expression: '30 * * * * *', ...common });
    await scheduler.createIntervalJob({ id: 'interval', every: '1m', ...common });
    await scheduler.createJob({ id: 'any', trigger: { type: 'at', at: clock.now() }, ...common });
    await scheduler.schedule('report', { id: 'scheduled', in: 0, app: 'billing' });
    await scheduler.upsert({ id: 'upserted', every: '1m', ...common });
    await scheduler.createMany([
      { id: 'many-1', in: 0, ...common },
      { id: 'many-2', in: 0, ...common },
      { id: 'many-3', in: 0, handler: 'report' },
    ]);
    expect((await scheduler.getJob('upserted'))?.app).toBe('billing');
    const { items } = await scheduler.queryJobs({ app: 'billing', source: 'api' });
    // One-offs are gone as soon as they have run.
    const recurring = items.filter(({ trigger }) => trigger.type !== 'at');
    expect(recurring.map(({ id }) => id)).toEqual(['cron', 'interval', 'upserted']);
    await clock.advanceBy(minute);
    await settle();
    const ran = executed.filter((line) => !line.includes('minutely')).map((line) => line.split(' (')[0]);
    expect(new Set(ran)).toEqual(
      new Set([
        'shop: own',
        'shop: many-3',
        ...['date', 'cron', 'interval', 'any', 'scheduled', 'upserted', 'many-1', 'many-2'].map(
          (id) => `billing: ${id}`,
        ),
      ]),
    );
  });

  test('need a handler of their app, and the error says who has one', async () => {
    const shop = await boot('shop');
    const billing = await boot('billing');
    billing.scheduler.registerHandler('invoice', () => undefined);
    await billing.settle();
    const refused = shop.scheduler.createDateJob({ handler: 'invoice', in: 0 });
    await expect(refused).rejects.toThrow(HandlerNotFoundError);
    await expect(refused).rejects.toThrow(
      'The app "billing" has one of this name; { app: \'billing\' } creates the job for it.',
    );
    await shop.scheduler.createDateJob({ handler: 'invoice', in: 0, app: 'billing' });
    const other = shop.scheduler.createDateJob({ handler: 'report', in: 0, app: 'bill' });
    await expect(other).rejects.toThrow('No handler "report" is known to any worker of the app "bill".');
    for (const app of ['', 3, 'a\nb', 'x'.repeat(101)]) {
      const odd = { handler: 'report', in: 0, app: app as string };
      await expect(shop.scheduler.createDateJob(odd)).rejects.toThrow('app: must');
    }
  });

  test('are handed over by an update or an upsert, with what waits; declared ones are not', async () => {
    const shop = await boot('shop');
    const { scheduler } = await boot('billing');
    await shop.scheduler.createDateJob({ id: 'job', handler: 'report', in: '5s' });
    await shop.scheduler.createIntervalJob({ id: 'again', handler: 'report', every: '20s' });
    expect((await scheduler.updateJob('job', { app: 'billing' })).app).toBe('billing');
    expect((await scheduler.upsert({ id: 'again', handler: 'report', every: '20s' })).job.app).toBe(
      'billing',
    );
    await clock.advanceBy(21_000);
    await settle();
    expect(executed.toSorted()).toEqual(['billing: again (schedule)', 'billing: job (at)']);
    await expect(scheduler.updateJob('shop-minutely', { app: 'billing' })).rejects.toThrow(
      'app: the job "shop-minutely" is declared by the code of "shop" and stays so. Move the declaration.',
    );
    await expect(shop.scheduler.updateJob('again', { app: 'nobody' })).rejects.toThrow(HandlerNotFoundError);
  });

  test('have their payload checked by the schema of their own app', async () => {
    const shop = await boot('shop');
    const strict = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: () => ({ issues: [{ message: 'never' }] }),
      },
    };
    shop.scheduler.registerHandler('strict', () => undefined, { schema: strict });
    const given = { handler: 'strict', in: 0, payload: 1 } as const;
    await expect(shop.scheduler.createDateJob(given)).rejects.toThrow('never');
    await shop.scheduler.createDateJob({ ...given, app: 'billing', allowUnknownHandler: true });
  });
});

describe('the ledger of several apps', () => {
  test('is kept for as long as the one that wants it longest, which is told once', async () => {
    await boot('shop', { keepLedger: '365d' });
    const billing = await boot('billing', { keepLedger: '1m', queues: ['billing'] });
    const historyMs = 90 * 86_400_000;
    expect(billing.heard('keep-ledger.differs')).toEqual([
      {
        app: 'billing',
        own: { defaultMs: minute, byVerdict: {}, historyMs, auditMs: historyMs },
        others: [
          {
            app: 'shop',
            retention: { defaultMs: 365 * 86_400_000, byVerdict: {}, historyMs, auditMs: historyMs },
          },
        ],
      },
    ]);
    await clock.advanceBy(20 * minute);
    const { items } = await billing.scheduler.getAttempts({ jobId: 'shop-minutely' });
    expect(items).toHaveLength(20);
    expect(billing.heard('record.pruned')).toEqual([]);
  });

  test('is nothing to tell of where all want the same', async () => {
    await boot('shop', { keepLedger: '60m' });
    const billing = await boot('billing', { keepLedger: { default: '1h', failed: '1h' } });
    expect(billing.heard('keep-ledger.differs')).toEqual([]);
  });
});
