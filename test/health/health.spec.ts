import type { ModuleMetadata } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  ChronisEvents,
  JobHandler,
  type ChronisModuleOptions,
  type StorageAdapter,
} from '../../lib/index.js';
import {
  ChronisHealth,
  ChronisHealthIndicator,
  ChronisHealthModule,
  type ChronisHealthOptions,
} from '../../lib/health/index.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { FaultyStorage } from '../support/faulty.storage.js';
import { NestApp } from '../support/nest.app.js';
import { Gate } from '../support/real.app.js';

describe('the health of a process, for probes', () => {
  let clock: ManualClock;
  let faulty: FaultyStorage;
  let gate: Gate;
  let app: NestApp;
  let health: ChronisHealth;

  beforeEach(() => {
    clock = new ManualClock('2026-01-01T00:00:00Z');
    faulty = new FaultyStorage(new MemoryStorage({ clock }));
    gate = new Gate();
  });
  afterEach(async () => {
    faulty.comeUp();
    gate.release();
    await app.close();
  });

  async function boot(
    options: ChronisHealthOptions = {},
    chronis: ChronisModuleOptions = {},
    storage: StorageAdapter = faulty.storage,
    imports: NonNullable<ModuleMetadata['imports']> = [],
  ): Promise<void> {
    const { passed } = gate;
    class Jobs {
      @JobHandler('work')
      work(): Promise<void> {
        return passed;
      }
    }
    app = await NestApp.boot({
      clock,
      imports: [ChronisHealthModule.forRoot(options), ...imports],
      providers: [Jobs],
      chronis: { storage, ...chronis },
    });
    health = app.app.get(ChronisHealth, { strict: false });
  }

  const codes = (answer: { reasons: { code: string }[] }): string[] => answer.reasons.map(({ code }) => code);

  test('lives, is ready and is ok where it works by a lease', async () => {
    await boot();
    expect(health.live()).toEqual({ live: true, reasons: [] });
    expect(await health.ready()).toEqual({ ready: true, reasons: [] });
    expect(await health.health()).toMatchObject({ status: 'ok', reasons: [], state: 'working', running: 0 });
  });

  test('lives while its storage is away, for hours: it asks nothing', async () => {
    await boot();
    faulty.goDown();
    await clock.advanceBy(2_000);
    const before = faulty.calls.length;
    expect(health.live()).toEqual({ live: true, reasons: [] });
    expect(faulty.calls.length).toBe(before);
    await clock.advanceBy(3 * 3_600_000);
    expect(health.live().live).toBe(true);
    expect(await health.ready()).toMatchObject({
      ready: false,
      reasons: [{ code: 'health.storage-silent' }],
    });
    expect(await health.health()).toMatchObject({ status: 'unknown' });
  });

  test('does not live where its loop stands still, and only then', async () => {
    const { storage } = faulty;
    let hangs = false;
    const never = new Promise<never>(() => undefined);
    const hanging = new Proxy(storage, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (key !== 'nextWakeAt') return value;
        return (...args: unknown[]) =>
          hangs ? never : (value as (...all: unknown[]) => unknown).apply(target, args);
      },
    });
    await boot({ stuckAfter: '5m' }, { pollMs: '5s' }, hanging);
    await clock.advanceBy(60_000);
    hangs = true;
    await clock.advanceBy(250_000);
    expect(health.live().live).toBe(true);
    await clock.advanceBy(100_000);
    expect(health.live()).toMatchObject({ live: false, reasons: [{ code: 'health.loop-stuck' }] });
  });

  test('is not ready while it drains, nor when it was stopped; it is where it runs no jobs at all', async () => {
    await boot({}, { autoStart: false, shutdownTimeoutMs: '60s' });
    expect(await health.ready()).toEqual({ ready: true, reasons: [] });
    await app.scheduler.start();
    await app.scheduler.schedule('work', { in: 0 });
    await clock.advanceBy(1_000);
    const stopped = app.scheduler.stop();
    await clock.advanceBy(1_000);
    expect(await health.ready()).toMatchObject({ ready: false, reasons: [{ code: 'health.draining' }] });
    expect(health.live().live).toBe(true);
    expect(await health.health()).toMatchObject({ status: 'degraded', state: 'draining', running: 1 });
    gate.release();
    await app.passUntil(stopped);
    expect(await health.ready()).toMatchObject({ ready: false, reasons: [{ code: 'health.stopped' }] });
  });

  test('asks the storage once a second at most, however many probes there are', async () => {
    await boot();
    const asked = (): number => faulty.calls.filter((call) => call === 'now').length;
    const before = asked();
    for (let second = 0; second < 10; second++) {
      await Promise.all(Array.from({ length: 100 }, () => health.ready()));
      await Promise.all(Array.from({ length: 100 }, () => health.health()));
      await clock.advanceBy(1_000);
    }
    const probes = asked() - before;
    expect(probes).toBeGreaterThanOrEqual(9);
    expect(probes).toBeLessThanOrEqual(13);
  });

  test('is ready again within a second after the storage is back', async () => {
    await boot();
    faulty.goDown();
    await clock.advanceBy(2_000);
    expect((await health.ready()).ready).toBe(false);
    faulty.comeUp();
    await clock.advanceBy(1_000);
    expect((await health.ready()).ready).toBe(true);
  });

  test('is degraded and ready where clocks and zone data differ, and not ready where that is asked for', async () => {
    await boot();
    app.app.get(ChronisEvents).emit('clock.offset', { offsetMs: 4_000 });
    app.app.get(ChronisEvents).emit('zone-data.differs', { own: '2026a', others: ['2025b'] });
    expect(await health.ready()).toMatchObject({ ready: true });
    const answer = await health.health();
    expect(answer.status).toBe('degraded');
    expect(codes(answer)).toEqual(['doctor.clock', 'doctor.zone-data']);
    await app.close();
    await boot({ strict: true }, {}, new MemoryStorage({ clock }));
    app.app.get(ChronisEvents).emit('clock.offset', { offsetMs: 4_000 });
    expect(await health.ready()).toMatchObject({ ready: false, reasons: [{ code: 'doctor.clock' }] });
  });

  test('is failing where the storage answers and something does not get through', async () => {
    await boot();
    for (let i = 0; i < 1_000; i++) faulty.fail('renew', 'before');
    await clock.advanceBy(45_000);
    const answer = await health.health();
    expect(answer.status).toBe('failing');
    expect(codes(answer)).toContain('health.operation-failing');
    faulty.relent('renew');
  });

  test('has the form of an indicator of @nestjs/terminus, and its check takes it', async () => {
    const { TerminusModule, HealthCheckService } = await import('@nestjs/terminus');
    await boot({}, {}, faulty.storage, [TerminusModule.forRoot({ logger: false })]);
    const indicator = app.app.get(ChronisHealthIndicator, { strict: false });
    expect(await indicator.ready()).toEqual({ chronis: { status: 'up' } });
    expect(await indicator.live('jobs')).toEqual({ jobs: { status: 'up' } });
    const terminus = app.app.get(HealthCheckService, { strict: false });
    expect(await terminus.check([() => indicator.check()])).toMatchObject({
      status: 'ok',
      info: { chronis: { status: 'up', health: 'ok' } },
    });
    faulty.goDown();
    await clock.advanceBy(2_000);
    expect(await indicator.ready()).toMatchObject({
      chronis: { status: 'down', reasons: [{ code: 'health.storage-silent' }] },
    });
    const down: unknown = await terminus.check([() => indicator.check()]).catch((error: Error) => error);
    expect(down).toMatchObject({
      status: 503,
      response: { error: { chronis: { status: 'down', health: 'unknown' } } },
    });
  });

  test.each([
    [{ pat: 'x' }, 'pat: ChronisHealthModule.forRoot() has no such option. Did you mean "path"?'],
    [{ strict: 'yes' }, 'strict: must be true or false'],
    [{ guards: [] }, 'guards: guard what routes show, and there are none'],
    [{ path: ' ' }, 'path: must be the path of a route'],
  ])('options that are of no use are refused: %o', (options, message) => {
    expect(() => ChronisHealthModule.forRoot(options as never)).toThrow(message);
    return boot();
  });
});
