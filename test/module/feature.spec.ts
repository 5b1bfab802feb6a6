import { Injectable, Module, UseGuards, type CanActivate } from '@nestjs/common';
import { afterEach, expect, test } from 'vitest';
import { ChronisModule, Cron, Interval, JobHandler, OnJobEvent } from '../../lib/index.js';
import { ChronisTesting } from '../../lib/testing/index.js';

const seen: string[] = [];
let chronis: ChronisTesting | null = null;
afterEach(async () => {
  await chronis?.close();
  chronis = null;
  seen.length = 0;
});

class Refusing implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

@Injectable()
@UseGuards(Refusing)
class Mail {
  @Cron('0 9 * * *', { id: 'digest' })
  digest(): void {}

  @Interval('1h', { id: 'hourly', queue: 'urgent', disabled: false })
  hourly(): void {}

  @JobHandler('send')
  send(): void {}

  @OnJobEvent('failed')
  failed({ jobId }: { jobId: string }): void {
    seen.push(jobId);
  }
}

@Injectable()
class Other {
  @Cron('0 9 * * *', { id: 'other' })
  other(): void {}
}

function mailModule(...features: Parameters<typeof ChronisModule.forFeature>[0][]) {
  @Module({ imports: features.map((options) => ChronisModule.forFeature(options)), providers: [Mail] })
  class MailModule {}
  return MailModule;
}

test('a module may say what all its declarations have in common, and no other module has it', async () => {
  const imports = [mailModule({ queue: 'mail', timeZone: 'Asia/Seoul', priority: 'low' })];
  chronis = await ChronisTesting.create({ imports, providers: [Other] });
  expect(await chronis.jobs()).toMatchObject([
    { id: 'digest', queue: 'mail', timeZone: 'Asia/Seoul', priority: 9 },
    { id: 'hourly', queue: 'urgent', timeZone: 'Asia/Seoul' },
    { id: 'other', queue: 'default', timeZone: 'UTC', priority: 5 },
  ]);
});

test('schedules of a module may be disabled together, unless a decorator says otherwise', async () => {
  chronis = await ChronisTesting.create({ imports: [mailModule({ disabled: true, queue: undefined })] });
  expect((await chronis.jobs()).map(({ id, queue }) => `${id} ${queue}`)).toEqual(['hourly urgent']);
  await chronis.scheduler.createDateJob({ handler: 'send', in: '1m' });
  expect(await chronis.advanceBy('1m')).toMatchObject([{ handler: 'send', outcome: 'succeeded' }]);
});

test('a module may belong to an instance, with its handlers and listeners', async () => {
  chronis = await ChronisTesting.create({
    imports: [
      ChronisModule.forRoot(),
      ChronisModule.forRoot({ instance: 'mail' }),
      mailModule({ instance: 'mail' }, { useEnhancers: true }),
    ],
  });
  const mail = chronis.instance('mail');
  expect(await chronis.jobs()).toEqual([]);
  expect(await mail.jobs()).toHaveLength(2);
  expect(await mail.run('digest')).toMatchObject({ verdict: 'failed' });
  expect(seen).toEqual(['digest']);
});

test('what a module cannot say for its declarations is refused', async () => {
  expect(() => ChronisModule.forFeature({ queues: ['mail'] } as never)).toThrow(/queues/);
  await expect(ChronisTesting.create({ imports: [mailModule({ timeZone: 'Mars/Phobos' })] })).rejects.toThrow(
    /@Cron on Mail\.digest: .*Mars\/Phobos/,
  );
});
