import { Module, type INestApplicationContext, type LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisExecutorsModule, type ChronisExecutorsModuleOptions } from '../../lib/executors/index.js';
import {
  ChronisEvents,
  ChronisModule,
  SchedulerService,
  type Attempt,
  type JobOptions,
  type TaskInput,
} from '../../lib/index.js';

/** A Nest application on real time whose jobs are tasks; what it logs and tells is kept. */
export class TasksApp {
  private constructor(
    readonly app: INestApplicationContext,
    readonly logged: string[],
    readonly told: unknown[],
  ) {}

  static async boot(executors: ChronisExecutorsModuleOptions): Promise<TasksApp> {
    const logged: string[] = [];
    const write = (...texts: unknown[]): void => void logged.push(texts.map(String).join(' '));
    const logger: LoggerService = {
      log: write,
      error: write,
      warn: write,
      debug: write,
      verbose: write,
      fatal: write,
    };

    @Module({ imports: [ChronisExecutorsModule.forRoot(executors), ChronisModule.forRoot()] })
    class AppModule {}

    const app = await NestFactory.createApplicationContext(AppModule, { logger, abortOnError: false });
    const told: unknown[] = [];
    app.get(ChronisEvents).onAny((name, event) => told.push({ name, event }));
    return new TasksApp(app, logged, told);
  }

  get scheduler(): SchedulerService {
    return this.app.get(SchedulerService);
  }

  /** Carries out a task at once, and comes to its last attempt on record. */
  async run(task: TaskInput, options: Pick<JobOptions, 'maxRetries' | 'backoff'> = {}): Promise<Attempt> {
    const events = this.app.get(ChronisEvents);
    const id = `task-${this.told.length}`;
    const isOf = (event: { jobId: string | null }): boolean => event.jobId === id;
    const ended = Promise.race([events.once('run.succeeded', isOf), events.once('run.failed', isOf)]);
    await this.scheduler.schedule({ task }, { id, in: 0, ...options });
    await ended;
    const { items } = await this.scheduler.getAttempts({ jobId: id });
    return items[0]!;
  }

  close(): Promise<void> {
    return this.app.close();
  }
}
