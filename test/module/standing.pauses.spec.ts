import { Injectable } from '@nestjs/common';
import { afterEach, expect, test } from 'vitest';
import { Cron } from '../../lib/index.js';
import { logSentences } from '../../lib/events/log.sentences.js';
import { NestApp } from '../support/nest.app.js';

const apps: NestApp[] = [];
afterEach(async () => {
  for (const app of apps.splice(0).toReversed()) await app.close();
});

@Injectable()
class Jobs {
  @Cron('0 9 1 1 *', { id: 'nightly' })
  nightly(): void {}
  @Cron('0 9 1 1 *', { id: 'report', namespace: 'acme', queue: 'mail' })
  report(): void {}
}

async function boot(before?: NestApp): Promise<NestApp> {
  const on = before ? { clock: before.clock, storage: before.storage } : {};
  const app = await NestApp.boot({ providers: [Jobs], chronis: { queues: ['default', 'mail'] }, ...on });
  apps.push(app);
  return app;
}

test('a start tells what is paused of all that it would run, by whom and how that ends, and not that nothing is scheduled', async () => {
  const before = await boot();
  const { scheduler } = before;
  await scheduler.pauseJob('nightly', { reason: 'audit' });
  await scheduler.pauseJob('report', { namespace: 'acme' });
  await scheduler.pause({ all: true }, { reason: 'incident', by: 'ops' });
  await scheduler.pause({ queue: 'mail' }, { by: 'ops' });
  await scheduler.pause({ queue: 'elsewhere' });
  await scheduler.pause({ handler: 'Elsewhere.run' });
  const next = await boot(before);
  const [told] = next.heard('pauses.standing');
  const at = before.clock.now();
  const text = new Date(at).toISOString();
  expect(told).toMatchObject({
    jobs: [
      { namespace: 'acme', id: 'report', reason: null, by: null },
      { namespace: 'default', id: 'nightly', reason: 'audit', by: null },
    ],
  });
  expect(logSentences['pauses.standing']!(told!)).toEqual({
    level: 'warn',
    text: `Paused for all processes: everything since ${text} (incident, by ops), until resume({ all: true }); the queue "mail" since ${text} (by ops), until resume({ queue: 'mail' }); the job "report" in "acme" since ${text}, until resumeJob('report', { namespace: 'acme' }); the job "nightly" since ${text} (audit), until resumeJob('nightly').`,
  });
});

test('a start at which nothing is paused tells nothing of it', async () => {
  const next = await boot(await boot());
  expect(next.heard('pauses.standing')).toEqual([]);
});
