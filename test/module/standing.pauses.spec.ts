import { Injectable } from '@nestjs/common';
import { afterEach, expect, test, vi } from 'vitest';
import { Cron } from '../../lib/index.js';
import { logSentences } from '../../lib/events/log.sentences.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
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
  const at = before.clock.now();
  const next = await boot(before);
  await next.clock.advanceBy(1_000);
  const [told] = next.heard('pauses.standing');
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
  await next.clock.advanceBy(60_000);
  expect(next.heard('pauses.standing')).toEqual([]);
});

test('the first second of a start belongs to what is due: only then is it looked at what is paused and what workflows lack', async () => {
  const clock = new ManualClock();
  const storage = new MemoryStorage({ clock });
  const looks = [vi.spyOn(storage, 'queryPauses'), vi.spyOn(storage.flows, 'unservedSteps')];
  const app = await NestApp.boot({ providers: [Jobs], clock, chronis: { storage } });
  apps.push(app);
  await app.clock.advanceBy(999);
  for (const look of looks) expect(look).not.toHaveBeenCalled();
  await app.clock.advanceBy(1);
  for (const look of looks) expect(look).toHaveBeenCalledOnce();
});

test('what a start cannot look at is told, and looked at again', async () => {
  const before = await boot();
  await before.scheduler.pause({ all: true });
  const { clock } = before;
  const storage = before.storage.open();
  vi.spyOn(storage, 'queryPauses').mockRejectedValueOnce(new Error('no'));
  const app = await NestApp.boot({ providers: [Jobs], clock, chronis: { storage } });
  apps.push(app);
  await clock.advanceBy(1_000);
  expect(app.heard('pauses.standing')).toEqual([]);
  expect(app.heard('storage.failing')).toEqual([
    { operation: 'look for pauses', error: new Error('no'), retryInMs: 60_000 },
  ]);
  await clock.advanceBy(60_000);
  expect(app.heard('pauses.standing')).toHaveLength(1);
});

test('a process that has ended tells nothing of its start any more', async () => {
  const before = await boot();
  await before.scheduler.pause({ all: true });
  const app = await boot(before);
  await app.scheduler.stop();
  await before.clock.advanceBy(120_000);
  expect(app.heard('pauses.standing')).toEqual([]);
});
