import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Cron, HandlerNotFoundError, Interval } from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { NestApp } from '../support/nest.app.js';

let apps: NestApp[];
let calls: string[];
let clock: ManualClock;

beforeEach(() => {
  [apps, calls, clock] = [[], [], new ManualClock('2026-03-10T10:00:00Z')];
});
afterEach(async () => {
  for (const { app } of apps) {
    let open = true;
    const closed = app.close().finally(() => (open = false));
    for (let i = 0; open && i < 600; i++) await clock.advanceBy(100);
    await closed;
  }
  expect(clock.pending).toBe(0);
});

/** Another process, whose runs are known by its name. */
async function boot(name: string, chronis = {}): Promise<NestApp> {
  class Work {
    @Cron('*/10 * * * * *', { id: 'tick', maxRetries: 0 })
    tick(): void {
      calls.push(name);
    }
    @Interval('15s', { id: 'delayed', mode: 'fixed-delay' })
    delayed(): void {
      calls.push(`${name} delayed`);
    }
  }
  Object.defineProperty(Work, 'name', { value: 'Work' });
  const app = await NestApp.boot({ providers: [Work], clock, storage: apps[0]?.storage, chronis });
  apps.push(app);
  await pass(0);
  return app;
}

async function pass(ms: number): Promise<void> {
  await clock.advanceBy(ms);
  for (let i = 0; i < 20; i++) await clock.advanceBy(0);
}

const ticks = (): string[] => calls.filter((call) => !call.includes('delayed'));

describe('a handler that is withdrawn', () => {
  test('is left to the other processes, and comes back to none of them by itself', async () => {
    const one = await boot('one');
    await boot('two');
    one.scheduler.withdrawHandler('Work.tick');
    await pass(30_000);
    expect(ticks()).toEqual(['two', 'two', 'two']);
    expect((await one.storage.queryWorkers()).map(({ handlers }) => handlers.toSorted())).toEqual([
      ['Work.delayed', 'chronis.workflow'],
      ['Work.delayed', 'Work.tick', 'chronis.workflow'],
    ]);
  });

  test('leaves runs that are due to whoever has it next', async () => {
    const one = await boot('one');
    one.scheduler.withdrawHandler('Work.tick');
    const run = await one.scheduler.runNow('tick');
    await pass(1_000);
    expect(ticks()).toEqual([]);
    await one.scheduler.offerHandler('Work.tick');
    await pass(0);
    expect([ticks(), (await one.scheduler.waitForRun(run.id)).verdict]).toEqual([['one'], 'succeeded']);
  });

  test('where nobody has it, tells what it passed over, and a fixed delay begins anew', async () => {
    const one = await boot('one');
    for (const handler of ['Work.tick', 'Work.delayed']) one.scheduler.withdrawHandler(handler);
    await pass(64_000);
    for (const handler of ['Work.tick', 'Work.delayed']) await one.scheduler.offerHandler(handler);
    expect(one.heard('gap.recorded')).toEqual([
      {
        ...{
          namespace: 'default',
          id: 'tick',
          handler: 'Work.tick',
          verdict: 'paused',
          count: 6,
          reason: 'withdrawn',
        },
        ...{ from: new Date('2026-03-10T10:00:10Z'), until: new Date('2026-03-10T10:01:00Z') },
      },
      expect.objectContaining({ id: 'delayed', count: 1, reason: 'withdrawn' }),
    ]);
    await pass(14_900);
    expect(calls).toEqual(['one']);
    await pass(200);
    expect(calls).toEqual(['one', 'one delayed']);
  });

  test('withdrawn anew while it is offered, stays withdrawn', async () => {
    const one = await boot('one');
    one.scheduler.withdrawHandler('Work.tick');
    const offered = one.scheduler.offerHandler('Work.tick');
    one.scheduler.withdrawHandler('Work.tick');
    await offered;
    await pass(30_000);
    expect(ticks()).toEqual([]);
  });

  test('is offered all the same when the storage does not answer: what was missed is made up for then', async () => {
    const one = await boot('one');
    one.scheduler.withdrawHandler('Work.tick');
    await pass(25_000);
    Object.assign(one.storage, { queryWorkers: () => Promise.reject(new Error('down')) });
    await one.scheduler.offerHandler('Work.tick');
    expect(one.heard('storage.failing')).toMatchObject([{ operation: 'pass over' }]);
    delete (one.storage as Partial<typeof one.storage>).queryWorkers;
    await pass(0);
    expect(ticks().length).toBeGreaterThan(0);
  });

  test('may be withdrawn before the scheduler starts, and what was due before the start is kept', async () => {
    const one = await boot('one', { autoStart: false });
    one.scheduler.withdrawHandler('Work.tick');
    await one.scheduler.offerHandler('Work.tick');
    await one.scheduler.start();
    await pass(10_000);
    expect(ticks()).toEqual(['one']);
  });

  test('has to be one of this process', async () => {
    const one = await boot('one');
    expect(() => one.scheduler.withdrawHandler('Work.tock')).toThrow(HandlerNotFoundError);
    expect(() => one.scheduler.withdrawHandler('')).toThrow(/^handler: /);
    await one.scheduler.offerHandler('Work.tick');
    await one.scheduler.offerHandler('Work.tock');
    await pass(10_000);
    expect(ticks()).toEqual(['one']);
  });
});

test('more one-offs than one look reads do not hide what is passed over', async () => {
  const one = await boot('one');
  one.scheduler.withdrawHandler('Work.tick');
  const { storage } = one;
  const dueCursors = storage.dueCursors.bind(storage);
  // Their next time cannot be computed here, so they stay due.
  const stuck = Array.from({ length: 2_500 }, (_, i) => ({
    ...{ jobUid: `${i}`, jobId: `stuck-${i}`, namespace: 'default', app: 'test', fired: 0, revision: 1 },
    ...{ handler: 'Work.tick', queue: 'default', nominalAt: 0, policies: {}, timeZone: 'UTC' },
    trigger: { type: 'cron', expression: '* * * * *', exclude: [{ calendar: 'unknown' }] },
  }));
  storage.dueCursors = async (capability, limit, aheadMs) => {
    const { now, cursors } = await dueCursors(capability, limit, aheadMs);
    if (capability.handlers.join() !== 'Work.tick') return { now, cursors };
    return { now, cursors: [...(stuck as unknown as typeof cursors), ...cursors].slice(0, limit) };
  };
  await pass(31_000);
  await one.scheduler.offerHandler('Work.tick');
  expect(one.heard('gap.recorded')).toMatchObject([{ id: 'tick', count: 3, reason: 'withdrawn' }]);
  storage.dueCursors = dueCursors;
});

test('a handler that others offer in another queue only is passed over in its own', async () => {
  const one = await boot('one', { queues: ['default', 'mails'] });
  await boot('two', { queues: ['mails'] });
  one.scheduler.withdrawHandler('Work.tick');
  await pass(31_000);
  await one.scheduler.offerHandler('Work.tick');
  expect(one.heard('gap.recorded')).toMatchObject([{ id: 'tick', count: 3, reason: 'withdrawn' }]);
});

test('a storage that does not answer the last look at what was withdrawn does not hold up the stop', async () => {
  const one = await boot('one');
  one.scheduler.withdrawHandler('Work.tick');
  await pass(60_000);
  const { storage } = one;
  const queryWorkers = storage.queryWorkers.bind(storage);
  storage.queryWorkers = () => new Promise(() => undefined);
  let stopped = false;
  void one.app.close().then(() => (stopped = true));
  await pass(26_000);
  storage.queryWorkers = queryWorkers;
  expect(stopped).toBe(true);
});
