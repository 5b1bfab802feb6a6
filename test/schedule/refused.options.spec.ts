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

  test('nothing of what a timer can wait for', async () => {
    @Injectable()
    class Longest {
      @Interval(tooLong - 1)
      run(): void {}
    }
    await (await boot(ours, { providers: [Longest] })).close();
  });
});
