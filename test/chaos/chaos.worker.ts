// One worker process of the chaos test. Uses the public module and nothing else of it.
import 'reflect-metadata';
import { once } from 'node:events';
import { Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ChronisModule,
  JobHandler,
  SchedulerService,
  SystemClock,
  type RunContext,
} from '../../lib/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { jobs, managedJobs, type Period, type WorkerOptions } from './chaos.options.js';
import { Effects } from './effects.js';
import { Executions } from './executions.js';
import { listenForSilence } from './silence.js';
import { jobsOf } from './workload.js';

// Loading takes the longest on a busy machine: when the jobs begin is said to all who have done so.
process.send?.('loaded');
const [period] = (await once(process, 'message')) as [Period];
const options = { ...JSON.parse(process.env.CHAOS_WORKER!), ...period } as WorkerOptions;
const effects = new Effects(options.url);
const executions = new Executions(options.executions);

class OffClock extends SystemClock {
  override now(): number {
    return super.now() + options.clockOffsetMs;
  }
}

class OneOffs {
  @JobHandler('one-off')
  async run(context: RunContext): Promise<void> {
    await executions.around(context, async () => {
      await new Promise((resolve) => setTimeout(resolve, (Number(context.runId) % 10) * 20));
      await effects.leave(context);
    });
  }

  /** Takes its process with it, without a word to anybody but the parent. */
  @JobHandler('poison')
  poison(context: RunContext): Promise<unknown> {
    return executions.around(context, async () => {
      await new Promise((resolve) => process.send?.('poisoned', resolve));
      process.kill(process.pid, 'SIGKILL');
    });
  }
}

/** A handler for each job that the manager changes, so that it can be paused alone. */
@Injectable()
class ManagedJobs {
  constructor(@Inject(SchedulerService) scheduler: SchedulerService) {
    for (let n = 0; n < managedJobs; n++) {
      scheduler.registerHandler(`managed-${n}`, (context: RunContext) =>
        executions.around(context, () => new Promise((resolve) => setTimeout(resolve, 20))),
      );
    }
  }
}

@Module({
  imports: [
    ChronisModule.forRoot({
      storage: typeOrmStorage({
        url: options.url,
        ...(options.listenUrl === null ? {} : { listenUrl: options.listenUrl }),
        schema: jobs,
        statementTimeoutMs: 2_000,
      }),
      app: 'chaos',
      name: options.name,
      clock: new OffClock(),
      leaseMs: options.leaseMs,
      pollMs: 1_000,
      concurrency: 40,
      shutdownTimeoutMs: 1_500,
      abortGraceMs: 500,
      on: {
        'wake.unavailable': () => executions.noteDeafness(true),
        'wake.recovered': () => executions.noteDeafness(false),
      },
    }),
  ],
  providers: [OneOffs, ManagedJobs, jobsOf(options, effects, executions)],
})
class WorkerModule {}

const app = await NestFactory.createApplicationContext(WorkerModule, { logger: ['error', 'warn'] });
executions.watchLoop();
void listenForSilence(options.url, (from, until) => executions.noteSilence(from, until));
process.send?.('ready');
process.once('SIGTERM', () => {
  // Not the pool of the effects: it would wait for connections that were swallowed.
  void app.close().then(() => process.exit(0));
});
// The parent decides when to stop; when it is gone there is nothing left to prove.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(1));
