import { beforeEach, describe, expect, test } from 'vitest';
import {
  defineJob,
  DuplicateHandlerError,
  handlerOf,
  Interval,
  JobHandler,
  type RunContext,
} from '../../lib/index.js';
import type { ManualClock } from '../../lib/testing/manual.clock.js';
import { processesForEachTest } from '../support/processes.for.each.test.js';
import { wrong } from '../support/refusal.js';

const minute = 60_000;

describe('a handler that has another name now', () => {
  let clock: ManualClock;
  let ran: string[];
  const boot = processesForEachTest((fresh) => ({ clock } = fresh));

  beforeEach(() => {
    ran = [];
  });

  test('runs what was stored under the names that it had: one-offs, schedules, retries and callbacks', async () => {
    class Before {
      @JobHandler('send')
      send(): void {
        throw new Error('Not yet.');
      }
      @JobHandler('alarm')
      alarm(): void {}
    }
    const { scheduler, app } = await boot({}, Before);
    await scheduler.schedule('send', { id: 'once', in: '1h', onSuccess: 'alarm' });
    await scheduler.schedule('send', { id: 'again', every: '30m' });
    await scheduler.schedule('send', { id: 'retried', in: 0, maxRetries: 1, backoff: '10m' });
    await clock.advanceBy(minute);
    await app.close();

    class After {
      @JobHandler('send-mail', { previousNames: ['send', 'mail'] })
      send({ job }: RunContext): void {
        ran.push(job.id);
      }
      @JobHandler('tell', { previousNames: ['alarm'] })
      tell(): void {
        ran.push('told');
      }
    }
    const after = await boot({}, After);
    await after.scheduler.schedule('send-mail', { id: 'new', in: 0 });
    await after.scheduler.schedule('mail', { id: 'by an old name', in: 0 });
    await clock.advanceBy(61 * minute);
    const expected = ['new', 'by an old name', 'retried', 'again', 'again', 'once', 'told'];
    expect(ran.toSorted()).toEqual(expected.toSorted());
    expect(handlerOf(After, 'send').name).toBe('send-mail');
  });

  test('needs none of them for a declared job: its runs that wait follow the method', async () => {
    class Before {
      @Interval('1h', { maxRetries: 1, backoff: '10m' })
      poll(): void {
        throw new Error('Not yet.');
      }
    }
    class After {
      @Interval('1h', { maxRetries: 1, backoff: '10m', previousIds: ['Before.poll'] })
      look({ attempt, nominalAt }: RunContext): void {
        ran.push(`${attempt} of ${nominalAt.toISOString().slice(11, 16)}`);
      }
    }
    const { app } = await boot({}, Before);
    await clock.advanceBy(61 * minute);
    await app.close();
    await boot({}, After);
    await clock.advanceBy(20 * minute);
    expect(ran).toEqual(['2 of 01:00']);
  });

  test('has them by its definition as well, for methods and for functions', async () => {
    const Greet = defineJob<{ to: string }>('greet', { previousNames: ['hello'] });
    const Part = defineJob('part', { previousNames: ['bye'] });
    class Jobs {
      @Greet.Handle()
      greet({ payload }: RunContext<{ to: string }>): void {
        ran.push(payload.to);
      }
    }
    const { scheduler } = await boot({}, Jobs);
    scheduler.registerHandler(Part, () => void ran.push('parted'));
    scheduler.registerHandler('say', () => void ran.push('said'), { previousNames: ['tell'] });
    await scheduler.schedule('hello', { payload: { to: 'Ada' }, in: 0 });
    await scheduler.schedule('bye', { in: 0 });
    await scheduler.schedule('tell', { in: 0 });
    await clock.advanceBy(1_000);
    expect(ran.toSorted()).toEqual(['Ada', 'parted', 'said']);
  });

  test('is withdrawn and offered under all of them', async () => {
    class Jobs {
      @Interval('1m', { id: 'poll' })
      @JobHandler('poll', { previousNames: ['look'] })
      poll({ job }: RunContext): void {
        ran.push(job.id);
      }
    }
    const { scheduler } = await boot({}, Jobs);
    await scheduler.schedule('look', { id: 'old', every: '1m' });
    scheduler.withdrawHandler('poll');
    await clock.advanceBy(5 * minute);
    expect(ran).toEqual([]);
    await scheduler.offerHandler('look');
    await clock.advanceBy(minute);
    expect(ran.toSorted()).toEqual(['old', 'poll']);
  });

  test('takes no name that another method has', async () => {
    class One {
      @JobHandler('one', { previousNames: ['shared'] })
      run(): void {}
    }
    class Two {
      @JobHandler('two', { previousNames: ['shared'] })
      run(): void {}
    }
    class Shared {
      @JobHandler('shared')
      run(): void {}
    }
    for (const other of [Two, Shared]) {
      const refused = boot({}, One, other);
      await expect(refused).rejects.toThrow(DuplicateHandlerError);
      await expect(refused).rejects.toThrow(`"shared": One.run and ${other.name}.run.`);
    }
    const { scheduler } = await boot({}, One);
    expect(() => scheduler.registerHandler('two', () => undefined, { previousNames: ['one'] })).toThrow(
      DuplicateHandlerError,
    );
    // Nothing of it was registered.
    scheduler.registerHandler('two', () => undefined);
  });

  test.each([
    ['old', "previousNames: must be a list of at most 100 names, but is 'old'."],
    [[''], 'previousNames[0]: '],
    [[7], 'previousNames[0]: '],
    [Array<string>(101).fill('x'), 'previousNames: must be a list of at most 100 names'],
  ])('refuses %j', async (previousNames, message) => {
    class Jobs {
      @JobHandler('a', { previousNames: wrong(previousNames) })
      run(): void {}
    }
    await expect(boot({}, Jobs)).rejects.toThrow(`@JobHandler on Jobs.run: ${message}`);
    expect(() => defineJob('a', { previousNames: wrong(previousNames) })).toThrow(message);
  });
});
