import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AlertChannel, ChronisAlertsModule, type Alert } from '../../lib/alerts/index.js';
import {
  ChronisEvents,
  ChronisModule,
  JobHandler,
  MemoryStorage,
  SchedulerService,
  UnrecoverableError,
  WorkflowService,
  workflow,
} from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/index.js';
import { Receiver } from '../support/receiver.js';

const uuid = /\?rid=[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
let receiver: Receiver;
beforeEach(async () => void (receiver = await Receiver.listen()));
afterEach(() => receiver.close());

class Reports {
  fails = true;
  @JobHandler('report')
  report(): void {
    if (this.fails) throw new Error('no paper at redis://a:hunter2@c');
  }
}

class Kept extends AlertChannel {
  readonly alerts: Alert[] = [];
  async send(alert: Alert): Promise<void> {
    this.alerts.push(alert);
  }
}

async function boot(pings: Record<string, string> = {}) {
  const clock = new ManualClock();
  const kept = new Kept();
  const rules = [{ on: 'run.failed' as const, to: kept }];
  @Module({
    imports: [
      ChronisAlertsModule.forRoot({ rules, pings }),
      ChronisModule.forRoot({ storage: new MemoryStorage({ clock }), clock, log: false }),
    ],
    providers: [Reports],
  })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  return {
    ...{ app, clock, scheduler: app.get(SchedulerService), reports: app.get(Reports) },
    ...{ events: app.get(ChronisEvents), alerts: kept.alerts },
  };
}

test('a run is pinged when it starts, and when it has failed for good, with its error and without secrets', async () => {
  const { app, clock, scheduler, events } = await boot({ report: `${receiver.url}/ping/` });
  const failed = events.once('run.failed');
  await scheduler.schedule('report', { in: 0, id: 'quarterly', maxRetries: 1 });
  await clock.advanceBy(5_000);
  await failed;
  await app.close();
  const pings = receiver.received.filter(({ path }) => path.startsWith('/ping'));
  expect(pings.map(({ path }) => path.replace(uuid, ''))).toEqual(['/ping/start', '/ping/fail']);
  expect(new Set(pings.map(({ path }) => uuid.exec(path)![0])).size).toBe(1);
  expect(pings[1]!.body).toContain('no paper at redis://a:***@c');
  expect(pings[1]!.body.length).toBeLessThan(2_001);
});

test('a run that succeeds is pinged, by the id of its job before its handler', async () => {
  const pings = { quarterly: `${receiver.url}/ping`, report: `${receiver.url}/other` };
  const { app, clock, scheduler, reports, events } = await boot(pings);
  reports.fails = false;
  const succeeded = events.once('run.succeeded');
  await scheduler.schedule('report', { in: 0, id: 'quarterly' });
  await clock.advanceBy(5_000);
  await succeeded;
  await app.close();
  const paths = receiver.received.map(({ path }) => path.replace(/\?.*/, ''));
  expect(paths).toEqual(['/ping/start', '/ping']);
});

test('a workflow is pinged when it begins and when it ends by its steps', async () => {
  const { app, clock, scheduler, events } = await boot({ nightly: `${receiver.url}/ping` });
  let fails = true;
  const step = (): void => {
    if (fails) throw new UnrecoverableError('no paper');
  };
  app.get(WorkflowService).register(workflow('print').step('load', step));
  await scheduler.schedule('print', { id: 'nightly', every: '1h' });
  for (const name of ['run.failed', 'run.succeeded'] as const) {
    const ended = new Promise<void>((resolve) => {
      events.on(name, ({ jobId }) => void (jobId === 'nightly' && resolve()));
    });
    await clock.advanceBy(60 * 60_000);
    await ended;
    fails = false;
  }
  await app.close();
  const pings = receiver.received.filter(({ path }) => path.startsWith('/ping'));
  const paths = pings.map(({ path }) => path.replace(uuid, ''));
  expect(paths).toEqual(['/ping/start', '/ping/fail', '/ping/start', '/ping']);
  expect(pings[1]!.body).toContain('Steps have not ended well: "load" (failed).');
});

test('a run that waits is pinged as failed when it is cancelled, and one that has not begun is not pinged', async () => {
  const { app, clock, scheduler, events } = await boot({ rest: `${receiver.url}/ping` });
  scheduler.registerHandler('rest', ({ waitFor }) => waitFor('approved'));
  await scheduler.schedule('rest', { id: 'begun', in: 0 });
  await scheduler.schedule('rest', { id: 'unbegun', in: '1 day' });
  const waits = events.once('run.snoozed');
  await clock.advanceBy(5_000);
  await waits;
  for (const id of ['begun', 'unbegun']) await scheduler.cancelJob(id);
  await app.close();
  const pings = receiver.received.filter(({ path }) => path.startsWith('/ping'));
  expect(pings.map(({ path }) => path.replace(uuid, ''))).toEqual(['/ping/start', '/ping/fail']);
});

test('the alert of a failure is resolved when the record says that the job has succeeded since', async () => {
  const { app, clock, scheduler, reports, events, alerts } = await boot();
  await scheduler.createJob({ id: 'hourly', handler: 'report', every: '1h' });
  const failed = events.once('run.failed');
  await scheduler.runNow('hourly');
  await clock.advanceBy(1_000);
  await failed;
  await clock.advanceBy(11 * 60_000);
  expect(alerts.map(({ state }) => state)).toEqual(['firing']);
  reports.fails = false;
  const succeeded = events.once('run.succeeded');
  await scheduler.runNow('hourly');
  await clock.advanceBy(1_000);
  await succeeded;
  await clock.advanceBy(6 * 60_000);
  expect(alerts.map(({ state, title }) => [state, title.slice(0, 13)])).toEqual([
    ['firing', alerts[0]!.title.slice(0, 13)],
    ['resolved', 'Resolved: Run'],
  ]);
  await app.close();
});
