import type { DynamicModule, Provider } from '@nestjs/common';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ChronisEvents, Interval, JobHandler, type RunEvent } from '../../lib/index.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { ChronisMetrics, ChronisMetricsModule, type ChronisMetricsOptions } from '../../lib/metrics/index.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { FaultyStorage } from '../support/faulty.storage.js';
import { NestApp } from '../support/nest.app.js';
import { noPromtool, promtool } from '../support/promtool.js';

const run: RunEvent = {
  runId: '1',
  jobId: 'job',
  namespace: 'tenant:acme',
  handler: 'work',
  queue: 'default',
  origin: 'schedule',
  nominalAt: new Date(0),
  attempt: 1,
  workerId: 'worker-7',
};

describe('the metrics of a process', () => {
  let clock: ManualClock;
  let faulty: FaultyStorage;
  let calls: string[];
  const apps: NestApp[] = [];

  beforeEach(() => {
    clock = new ManualClock('2026-01-01T00:00:00Z');
    faulty = new FaultyStorage(new MemoryStorage({ clock }));
    calls = [];
  });
  afterEach(async () => {
    faulty.comeUp();
    for (const app of apps.splice(0)) await app.close();
  });

  async function boot(options: ChronisMetricsOptions = {}, providers: Provider[] = []): Promise<NestApp> {
    return bootWith([ChronisMetricsModule.forRoot(options)], providers);
  }

  async function bootWith(imports: DynamicModule[], providers: Provider[] = []): Promise<NestApp> {
    class Jobs {
      @Interval('10s', { id: 'tick' })
      tick(): void {}
      @JobHandler('fail')
      fail(): void {
        throw new Error('a secret');
      }
    }
    const storage = new Proxy(faulty.storage, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          calls.push(String(key));
          return value.apply(target, args) as unknown;
        };
      },
    });
    const app = await NestApp.boot({ clock, imports, providers: [Jobs, ...providers], chronis: { storage } });
    apps.push(app);
    return app;
  }

  const metricsOf = (app: NestApp): ChronisMetrics => app.app.get(ChronisMetrics, { strict: false });
  const linesOf = async (app: NestApp): Promise<string[]> => (await metricsOf(app).text()).split('\n');
  const count = (name: string): number => calls.filter((call) => call === name).length;

  test('count runs, attempts, retries and calls to the storage', async () => {
    const app = await boot();
    await app.scheduler.schedule('fail', {
      in: 0,
      maxRetries: 1,
      backoff: '1s',
      id: 'one-off',
      metadata: {},
    });
    await clock.advanceBy(25_000);
    const lines = await linesOf(app);
    for (const line of [
      'chronis_runs_total{handler="Jobs.tick",queue="default",origin="schedule",verdict="succeeded"} 2',
      'chronis_runs_total{handler="fail",queue="default",origin="at",verdict="failed"} 1',
      'chronis_attempts_total{handler="fail",queue="default",outcome="failed"} 2',
      'chronis_retries_total{handler="fail"} 1',
      'chronis_run_duration_seconds_count{handler="fail",outcome="error"} 2',
      'chronis_run_lateness_seconds_count{queue="default"} 4',
      'chronis_scheduler_up 1',
      'chronis_worker_slots 10',
      'chronis_worker_slots_busy 0',
      'chronis_runs_in_progress{queue="default"} 0',
    ]) {
      expect(lines).toContain(line);
    }
    expect(lines.join()).toMatch(/chronis_statement_duration_seconds_count\{statement="settle"\} [1-9]/);
    expect(lines.join()).toMatch(/chronis_claimed_runs_total [1-9]/);
    expect(lines.join()).toMatch(/chronis_settle_batch_runs_count [1-9]/);
  });

  test('count a run that is cancelled before it begins, and no attempt of it', async () => {
    const app = await boot();
    await app.scheduler.schedule('fail', { in: '1h', id: 'later' });
    await app.scheduler.cancelJob('later');
    const lines = await linesOf(app);
    const counted = 'chronis_runs_total{handler="fail",queue="default",origin="at",verdict="cancelled"} 1';
    expect(lines).toContain(counted);
    const attempts = lines.filter((line) => line.startsWith('chronis_attempts_total{handler="fail"'));
    expect(attempts.filter((line) => !line.endsWith(' 0'))).toEqual([]);
  });

  test('have all verdicts of all handlers from 0 on, before anything has run', async () => {
    const lines = await linesOf(await boot());
    for (const verdict of ['succeeded', 'failed', 'timed_out', 'cancelled', 'lost']) {
      expect(lines).toContain(
        `chronis_runs_total{handler="Jobs.tick",queue="default",origin="schedule",verdict="${verdict}"} 0`,
      );
      expect(lines).toContain(
        `chronis_runs_total{handler="fail",queue="default",origin="at",verdict="${verdict}"} 0`,
      );
    }
  });

  test('measure lateness by when a run was due: neither a retry nor a sleep is late by its delay', async () => {
    const app = await boot();
    await app.scheduler.schedule('fail', { in: 0, maxRetries: 1, backoff: '5m' });
    await clock.advanceBy(400_000);
    const lines = await linesOf(app);
    const [all] = lines.filter((line) => line.startsWith('chronis_run_lateness_seconds_count'));
    const [onTime] = lines.filter((line) => line.startsWith('chronis_run_lateness_seconds_bucket{le="0.5"'));
    expect(onTime!.split(' ')[1]).toBe(all!.split(' ')[1]);
  });

  test('of all processes are read beside a scrape, every 15 s, and only while somebody scrapes', async () => {
    const app = await boot();
    await clock.advanceBy(600_000);
    expect(count('takeStock')).toBe(0);
    expect((await linesOf(app)).filter((line) => line.startsWith('chronis_workers{'))).toEqual([]);
    await clock.advanceBy(0);
    expect(await linesOf(app)).toContain('chronis_workers{state="live"} 1');
    for (let scrapes = 0; scrapes < 50; scrapes++) await metricsOf(app).text();
    expect(count('takeStock')).toBe(1);
    await clock.advanceBy(60_000);
    expect(count('takeStock')).toBe(5);
    await clock.advanceBy(600_000);
    const before = count('takeStock');
    expect(before).toBeLessThanOrEqual(10);
    await clock.advanceBy(600_000);
    expect(count('takeStock')).toBe(before);
  });

  test('are there at once while the storage is away: the last snapshot, its time, and a count of errors', async () => {
    const app = await boot();
    await metricsOf(app).refresh();
    faulty.goDown();
    await metricsOf(app).text();
    await clock.advanceBy(45_000);
    const lines = await linesOf(app);
    expect(lines).toContain(
      `chronis_snapshot_timestamp_seconds ${Date.parse('2026-01-01T00:00:00Z') / 1_000}`,
    );
    expect(lines).toContain('chronis_workers{state="live"} 1');
    expect(lines.join()).toMatch(/chronis_snapshot_errors_total [1-9]/);
    expect(lines.join()).toMatch(/chronis_storage_errors_total\{operation="renew"\} [1-9]/);
  });

  test('tell of jobs: last success, next time, overdue and paused; of created jobs only where their metadata say so', async () => {
    const app = await boot();
    await app.scheduler.createIntervalJob({
      handler: 'fail',
      every: '1h',
      id: 'marked',
      metadata: { metrics: true },
    });
    await app.scheduler.createIntervalJob({ handler: 'fail', every: '1h', id: 'plain' });
    await clock.advanceBy(12_000);
    await app.scheduler.pauseJob('marked');
    await metricsOf(app).refresh();
    const lines = await linesOf(app);
    const start = Date.parse('2026-01-01T00:00:00Z') / 1_000;
    const tick = '{job_namespace="default",job_id="tick"}';
    expect(lines).toContain(`chronis_job_last_success_timestamp_seconds${tick} ${start + 10}`);
    expect(lines).toContain(`chronis_job_next_due_timestamp_seconds${tick} ${start + 20}`);
    expect(lines).toContain(`chronis_job_overdue${tick} 0`);
    expect(lines).toContain('chronis_job_paused{job_namespace="default",job_id="marked"} 1');
    expect(lines.join()).not.toContain('plain');
    await app.scheduler.stop();
    await clock.advanceBy(90_000);
    await metricsOf(app).refresh();
    expect(await linesOf(app)).toContain(`chronis_job_overdue${tick} 1`);
    expect(await linesOf(app)).toContain('chronis_scheduler_up 0');
  });

  test('go by the lateAfter of a job where it says one', async () => {
    const app = await boot();
    const asked = vi.spyOn(app.scheduler, 'getOverdue');
    await metricsOf(app).refresh();
    expect(asked).not.toHaveBeenCalled();
    const job = { handler: 'fail', every: '1h', metadata: { metrics: true }, queue: 'nobody' } as const;
    await app.scheduler.createIntervalJob({ ...job, id: 'patient', lateAfter: '30m' });
    await app.scheduler.createIntervalJob({ ...job, id: 'usual' });
    const overdue = async (id: string): Promise<string> => {
      await metricsOf(app).refresh();
      const start = `chronis_job_overdue{job_namespace="default",job_id="${id}"} `;
      return (await linesOf(app)).find((line) => line.startsWith(start))!.slice(start.length);
    };
    await clock.advanceBy(3_600_000 + 600_000);
    expect([await overdue('patient'), await overdue('usual')]).toEqual(['0', '1']);
    await clock.advanceBy(1_300_000);
    expect([await overdue('patient'), await overdue('usual')]).toEqual(['1', '1']);
  });

  test('keep the last success of a job that fails since', async () => {
    let fails = false;
    class Changing {
      @Interval('10s', { id: 'changing' })
      run(): void {
        if (fails) throw new Error('now');
      }
    }
    const app = await boot({}, [Changing]);
    await clock.advanceBy(10_500);
    fails = true;
    await clock.advanceBy(20_000);
    await metricsOf(app).refresh();
    const start = Date.parse('2026-01-01T00:00:00Z') / 1_000;
    const of = '{job_namespace="default",job_id="changing"}';
    const lines = await linesOf(app);
    expect(lines).toContain(`chronis_job_last_success_timestamp_seconds${of} ${start + 10}`);
    expect(lines).toContain(`chronis_job_last_run_timestamp_seconds${of} ${start + 30}`);
  });

  test('are bounded: 10,000 handlers and jobs make no more than 500 series each, and the rest is counted', async () => {
    const app = await boot();
    const events = app.app.get(ChronisEvents);
    for (let i = 0; i < 10_000; i++) {
      events.emit('run.failed', { ...run, handler: `random-${i}`, durationMs: 1, error: new Error('no') });
      events.emit('storage.failing', { operation: `settle run ${i}`, error: null, retryInMs: 1 });
    }
    const jobs = Array.from({ length: 700 }, (_, i) => ({
      handler: 'fail',
      every: '1h' as const,
      id: `api-${i}`,
      metadata: { metrics: true },
    }));
    await app.scheduler.createMany(jobs);
    await metricsOf(app).refresh();
    const text = await metricsOf(app).text();
    const valuesOf = (label: string) =>
      new Set(Array.from(text.matchAll(new RegExp(`[{,]${label}="([^"]*)"`, 'g')), ([, value]) => value));
    expect(valuesOf('handler').size).toBe(501);
    expect(valuesOf('job_id').size).toBe(501);
    expect(valuesOf('operation')).toEqual(new Set(['settle run']));
    expect(text).toContain('handler="_other"');
    expect(text).toMatch(/chronis_metrics_series_dropped_total\{label="handler"\} \d{4,}/);
    expect(text).toMatch(/chronis_metrics_series_dropped_total\{label="job_id"\} 201/);
  });

  test('have no ids of runs and workers, no tenants and no errors in them', async () => {
    const app = await boot();
    const events = app.app.get(ChronisEvents);
    events.emit('run.failed', { ...run, durationMs: 1, error: new Error('a secret') });
    await app.scheduler.forTenant('acme').schedule('fail', { every: '1h', id: 'of-tenant' });
    await metricsOf(app).refresh();
    const text = await metricsOf(app).text();
    for (const told of ['acme', 'worker-7', 'a secret', 'of-tenant', app.scheduler.status().lease!.workerId])
      expect(text).not.toContain(told);
  });

  test('count instants that did not run, and what was lost with a process', async () => {
    const app = await boot();
    const events = app.app.get(ChronisEvents);
    const gap = {
      namespace: 'default',
      id: 'tick',
      handler: 'Jobs.tick',
      from: new Date(0),
      until: new Date(1),
    };
    events.emit('gap.recorded', { ...gap, verdict: 'missed', count: 3, reason: 'misfire' });
    const gaveUp = [{ runId: '9', namespace: 'default', jobId: 'j', handler: 'fail' }];
    events.emit('workers.released', { workers: ['w'], rerun: 2, ended: 1, gaveUp });
    const lines = await linesOf(app);
    expect(lines).toContain(
      'chronis_instants_not_run_total{handler="Jobs.tick",verdict="missed",reason="misfire"} 3',
    );
    expect(lines).toContain('chronis_lost_runs_total 3');
    expect(lines).toContain(
      'chronis_runs_total{handler="fail",queue="_unknown",origin="_unknown",verdict="lost"} 1',
    );
  });

  test('go to the registry of the application, twice, and again after it was closed, without "already registered"', async () => {
    const registry = new Registry();
    const first = await bootWith([
      ChronisMetricsModule.forRoot({ registry }),
      ChronisMetricsModule.forRoot({ registry, mostJobs: 499 }),
    ]);
    await clock.advanceBy(10_500);
    expect(await registry.metrics()).toContain('chronis_scheduler_up 1');
    await first.close();
    apps.splice(0);
    expect(await registry.metrics()).toContain('chronis_scheduler_up 0');
    faulty = new FaultyStorage(new MemoryStorage({ clock }));
    const again = await boot({ registry });
    expect(metricsOf(again).registry).toBe(registry);
    expect(await registry.metrics()).toContain('chronis_scheduler_up 1');
    await clock.advanceBy(0);
    expect(await registry.metrics()).toContain('chronis_workers{state="live"} 1');
  });

  test('are refused where something else has their name, and take another prefix', async () => {
    const { Counter } = await import('prom-client');
    const registry = new Registry();
    new Counter({ name: 'chronis_scheduler_up', help: 'Not of Chronis.', registers: [registry] });
    await expect(boot({ registry })).rejects.toThrow('has a metric "chronis_scheduler_up" already');
    expect(await linesOf(await boot({ registry, prefix: 'jobs_' }))).toContain('jobs_scheduler_up 1');
  });

  test.each([
    [{ paht: 'x' }, 'paht: ChronisMetricsModule.forRoot() has no such option. Did you mean "path"?'],
    [{ mostJobs: 501 }, 'mostJobs: must be a whole number from 1 to 500'],
    [{ prefix: '1x' }, 'prefix: must be text'],
    [{ registry: {} }, 'registry: must be a Registry of prom-client'],
    [{ guards: [] }, 'guards: guard a route, and there is none'],
    [{ jobs: 'all' }, 'jobs: must be true or false'],
  ])('options that are of no use are refused: %o', (options, message) => {
    expect(() => ChronisMetricsModule.forRoot(options as never)).toThrow(message);
  });

  test('may be given by the injector', async () => {
    const useFactory = async () => ({ prefix: 'shop_' });
    const app = await bootWith([ChronisMetricsModule.forRootAsync({ useFactory })]);
    expect(await linesOf(app)).toContain('shop_scheduler_up 1');
  });

  test('of a storage that takes no stock are those of the process, of jobs, and the clock', async () => {
    const app = await bootWith([ChronisMetricsModule.forRoot()]);
    Object.defineProperty(faulty.storage, 'takeStock', { value: undefined });
    await metricsOf(app).refresh();
    const text = await metricsOf(app).text();
    expect(text).toContain('chronis_job_overdue{job_namespace="default",job_id="tick"} 0');
    expect(text).toContain('chronis_clock_offset_seconds 0');
    expect(text).not.toContain('chronis_workers{');
  });

  test.skipIf(noPromtool)(
    'pass `promtool check metrics` (skipped where promtool is not installed)',
    async () => {
      const app = await boot();
      await app.scheduler.schedule('fail', { in: 0 });
      await clock.advanceBy(25_000);
      await metricsOf(app).refresh();
      expect(promtool(['check', 'metrics'], await metricsOf(app).text())).toEqual({ status: 0, output: '' });
    },
  );
});
