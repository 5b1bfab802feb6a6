import { Injectable } from '@nestjs/common';
import { afterEach, expect, test } from 'vitest';
import { Cron, Interval } from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

const apps: NestApp[] = [];
afterEach(async () => {
  for (const app of apps.splice(0).toReversed()) await app.close();
});

async function boot(...given: Parameters<typeof NestApp.boot>): Promise<NestApp> {
  const app = await NestApp.boot(...given);
  apps.push(app);
  return app;
}

const pass = async ({ clock }: NestApp, seconds: number): Promise<void> => {
  for (let passed = 0; passed < seconds; passed++) await clock.advanceBy(1_000);
};

@Injectable()
class Mail {
  @Cron('0 9 1 1 *', { id: 'digest', queue: 'mail' })
  digest(): void {}
  @Cron('0 9 1 1 *', { id: 'report' })
  report(): void {}
}

const unserved = {
  app: 'default',
  queue: 'mail',
  jobs: [{ namespace: 'default', id: 'digest', handler: 'Mail.digest' }],
  queues: ['default'],
};

test('a declared job in a queue that nobody serves is told soon after the start, long before its time', async () => {
  const app = await boot({ providers: [Mail] });
  await pass(app, 12);
  expect(app.heard('jobs.unserved')).toEqual([unserved]);
});

test('not where this process serves it, nor where another one does that comes within seconds', async () => {
  const both = await boot({ providers: [Mail], chronis: { queues: ['default', 'mail'] } });
  const { clock } = both;
  const first = await boot({ providers: [Mail], clock });
  await pass(first, 5);
  await boot({ providers: [Mail], clock, storage: first.storage, chronis: { queues: ['mail'] } });
  await pass(first, 120);
  expect([both, first].flatMap((app) => app.heard('jobs.unserved'))).toEqual([]);
});

test('but a live process of another app that serves a queue of that name is no help', async () => {
  const other = await boot({ chronis: { app: 'other', queues: ['mail'] } });
  const { clock, storage } = other;
  const app = await boot({ providers: [Mail], clock, storage });
  await pass(app, 12);
  expect(app.heard('jobs.unserved')).toEqual([unserved]);
});

test('a job that was moved to a queue that is served is not told', async () => {
  const app = await boot({ providers: [Mail] });
  await app.scheduler.updateJob('digest', { queue: 'default' });
  await pass(app, 12);
  expect(app.heard('jobs.unserved')).toEqual([]);
});

@Injectable()
class Polls {
  @Interval('1s', { id: 'poll', queue: 'polls' })
  poll(): void {}
}

test('what is due is told again every ten minutes while it lasts, also if it was created at run time', async () => {
  const app = await boot({ providers: [Polls, Mail], chronis: { queues: ['default', 'mail'] } });
  const trigger = { type: 'interval', every: '1m' } as const;
  await app.scheduler.createJob({ id: 'made', handler: 'Mail.report', queue: 'late', trigger });
  await app.scheduler.createDateJob({ id: 'once', handler: 'Mail.report', queue: 'late', in: '1s' });
  const told = (): string[] =>
    app.heard('jobs.unserved').map(({ queue, jobs }) => `${queue}: ${jobs.map(({ id }) => id).join()}`);
  await pass(app, 180);
  expect(new Set(told())).toEqual(new Set(['polls: poll', 'late: made']));
  const soFar = told().length;
  await pass(app, 720);
  expect(told().slice(soFar).toSorted()).toEqual(['late: made', 'polls: poll']);
  await app.scheduler.pause({ queue: 'late' });
  await app.scheduler.pauseJob('poll');
  await pass(app, 1_200);
  expect(told().slice(soFar)).toHaveLength(2);
});
