import { Injectable } from '@nestjs/common';
import { describe, expect, test } from 'vitest';
import { InvalidOptionError } from '../../lib/index.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { Cron, Interval, ScheduleModule, Timeout } from '../../lib/schedule/index.js';
import { boot, subjects } from './subjects.js';

const ours = subjects[1]!;

describe('the ScheduleModule refuses', () => {
  test.each([
    [
      'what belongs to ChronisModule',
      { storage: new MemoryStorage() },
      /^storage: .*distributed: \{ storage: … \}/,
    ],
    ['a misspelt option', { cronjobs: false }, /^cronjobs: .*Did you mean "cronJobs"\?/],
    ['another one', { distrubuted: {} }, /^distrubuted: .*Did you mean "distributed"\?/],
  ])('%s', async (_, options, message) => {
    expect(() => ScheduleModule.forRoot(options as object)).toThrow(InvalidOptionError);
    expect(() => ScheduleModule.forRoot(options as object)).toThrow(message);
    const made = ScheduleModule.forRootAsync({ useFactory: () => options as object });
    await expect(boot(ours, { imports: [made] })).rejects.toThrow(message);
  });

  const tooLong = 2 ** 31;

  @Injectable()
  class Intervals {
    @Interval(tooLong)
    run(): void {}
  }

  @Injectable()
  class Timeouts {
    @Timeout(tooLong)
    run(): void {}
  }

  @Injectable()
  class Crons {
    @Cron('0 0 * * *', { initialDelay: tooLong })
    run(): void {}
  }

  test.each([
    ['timeout', Intervals],
    ['timeout', Timeouts],
    ['initialDelay', Crons],
  ])('%s of %o: no timer can wait so long, and would fire at once', async (option, jobs) => {
    const refused = boot(ours, { providers: [jobs] });
    await expect(refused).rejects.toThrow(InvalidOptionError);
    await expect(refused).rejects.toThrow(
      `${option}: ${tooLong} of ${jobs.name}.run is more than a timer can wait, ${tooLong - 1} ms`,
    );
  });

  test.each<[unknown[], string]>([
    [['poll'], 'undefined'],
    [['poll', '5m'], '"5m"'],
    [[{ minutes: 5 }], '{"minutes":5}'],
    [[Number(undefined)], 'NaN'],
  ])('@Interval(...%j), which would fire each millisecond', async (args, shown) => {
    @Injectable()
    class Polls {
      @((Interval as (...given: unknown[]) => MethodDecorator)(...args))
      run(): void {}
    }
    for (const module of [{}, { distributed: {} }]) {
      const refused = boot(ours, { imports: [ScheduleModule.forRoot(module)], providers: [Polls] });
      await expect(refused).rejects.toThrow(InvalidOptionError);
      await expect(refused).rejects.toThrow(
        `Polls.run: @Interval: must be given milliseconds as a number, but was given ${shown}. A text alone is a name: @Interval('name', 5_000).`,
      );
    }
  });

  test('a "distributed" of a decorator that is neither true nor false, in the cluster', async () => {
    @Injectable()
    class Texts {
      @Cron('0 0 * * *', { distributed: 'false' as never })
      cron(): void {}
    }
    const imports = [ScheduleModule.forRoot({ distributed: {} })];
    await expect(boot(ours, { imports, providers: [Texts] })).rejects.toThrow(
      'Texts.cron: distributed: must be true or false, but is "false".',
    );
  });

  test('nothing of what a timer can wait for', async () => {
    @Injectable()
    class Longest {
      @Interval(tooLong - 1)
      run(): void {}
    }
    await (await boot(ours, { providers: [Longest] })).close();
  });
});
