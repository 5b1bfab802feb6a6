import { Module } from '@nestjs/common';
import { expect, test } from 'vitest';
import { ChronisExecutorsModule } from '../../lib/executors/index.js';
import { ChronisModule, getSchedulerToken, JobHandler, type SchedulerService } from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

const names = ['default', 'second'] as const;

class Greeter {
  @JobHandler('greet')
  greet(): void {}
}

@Module({
  imports: [
    ChronisExecutorsModule.forRoot({ command: { allow: ['/bin/echo'] } }),
    ChronisModule.forFeature({}),
  ],
  providers: [Greeter],
})
class FirstModule {}

@Module({
  imports: [
    ChronisModule.forRoot({ instance: 'second' }),
    ChronisExecutorsModule.forRoot({ instance: 'second', command: { allow: ['/bin/true'] } }),
    ChronisModule.forFeature({ instance: 'second' }),
  ],
  providers: [Greeter],
})
class SecondModule {}

test('one class in the modules of two schedulers is a handler of each, and executors are those of their own', async () => {
  const nest = await NestApp.boot({ imports: [FirstModule, SecondModule] });
  try {
    for (const [nth, command] of ['/bin/echo', '/bin/true'].entries()) {
      const token = getSchedulerToken(names[nth] === 'default' ? undefined : names[nth]);
      const scheduler = nest.app.get<SchedulerService>(token, { strict: false });
      const jobs = [
        await scheduler.schedule({ task: { type: 'execute_command', command } }, { in: '1h' }),
        await scheduler.schedule('greet', { in: '1h' }),
      ];
      for (const { id } of jobs) {
        const run = await scheduler.runNow(id);
        expect((await scheduler.waitForRun(run.id)).verdict, command).toBe('succeeded');
      }
      const other = { type: 'execute_command', command: nth === 0 ? '/bin/true' : '/bin/echo' };
      await expect(scheduler.schedule({ task: other }, { in: '1h' })).rejects.toThrow('"allow"');
    }
  } finally {
    await nest.close();
  }
});
