import { spawnSync } from 'node:child_process';
import { hostname } from 'node:os';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ChronisTesting } from '../../lib/testing/index.js';
import { NestApp } from '../support/nest.app.js';

const signal = process.platform === 'win32' ? 'SIGINT' : 'SIGTERM';
let others: NodeJS.SignalsListener[];

beforeEach(() => {
  others = process.listeners(signal) as NodeJS.SignalsListener[];
  process.removeAllListeners(signal);
});
afterEach(() => {
  process.removeAllListeners(signal);
  for (const listener of others) process.on(signal, listener);
});

test('a process without shutdown hooks is told so, when there was time to enable them', async () => {
  const app = await NestApp.boot();
  await app.clock.advanceBy(9_999);
  expect(app.heard('shutdown.unhooked')).toEqual([]);
  await app.clock.advanceBy(60_000);
  expect(app.heard('shutdown.unhooked')).toEqual([{ signal, leaseMs: null }]);
  await app.close();
});

test('not one that enables them, that closes before, or that runs no jobs', async () => {
  const hooked = await NestApp.boot();
  hooked.app.enableShutdownHooks();
  await hooked.clock.advanceBy(60_000);
  await hooked.close();
  const closed = await NestApp.boot();
  await closed.close();
  await closed.clock.advanceBy(60_000);
  const idle = await NestApp.boot({ chronis: { autoStart: false } });
  await idle.clock.advanceBy(60_000);
  await idle.close();
  expect([hooked, closed, idle].flatMap((app) => app.heard('shutdown.unhooked'))).toEqual([]);
});

test('nor a test whose time is its own', async () => {
  const heard: unknown[] = [];
  const on = { 'shutdown.unhooked': (event: unknown): unknown => heard.push(event) };
  const chronis = await ChronisTesting.create({ chronis: { on } });
  await chronis.advanceBy('1h');
  await chronis.close();
  expect(heard).toEqual([]);
});

test('autoStart: false is told in a line, unless somebody has started it by then', async () => {
  const idle = await NestApp.boot({ chronis: { autoStart: false, name: 'web-1', app: 'shop' } });
  expect(idle.heard('scheduler.idle')).toEqual([{ name: 'web-1', app: 'shop' }]);
  await idle.close();
  const { SchedulerService } = await import('../../lib/index.js');
  const starter = {
    provide: 'starter',
    inject: [SchedulerService],
    useFactory: (scheduler: NestApp['scheduler']) => ({ onModuleInit: () => scheduler.start() }),
  };
  const started = await NestApp.boot({ chronis: { autoStart: false }, providers: [starter] });
  await started.close();
  const running = await NestApp.boot();
  await running.close();
  expect([started, running].flatMap((app) => app.heard('scheduler.idle'))).toEqual([]);
});

test('processes of this machine that were killed are told, with how long their leases go on', async () => {
  const first = await NestApp.boot();
  const worker = (id: string, pid: number, host: string) => ({
    ...{ id, pid, host, name: id, app: 'default', generation: null, version: '1', zoneData: '' },
    ...{ queues: ['default'], handlers: [], retention: null },
  });
  const { pid: dead } = spawnSync(process.execPath, ['--version']);
  await first.storage.register(worker('killed', dead, hostname()), 30_000);
  await first.storage.register(worker('alive', process.ppid, hostname()), 30_000);
  await first.storage.register(worker('elsewhere', dead, `not-${hostname()}`), 30_000);
  await first.clock.advanceBy(1_000);
  const second = await NestApp.boot({ clock: first.clock, storage: first.storage });
  expect(second.heard('workers.killed')).toEqual([
    { workers: [{ workerId: 'killed', pid: dead, leaseMs: 29_000 }] },
  ]);
  await second.close();
  await first.close();
});
