import { Module, type INestApplicationContext, type ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisEvents, MemoryStorage, SchedulerService } from '../../lib/index.js';
import {
  ScheduleModule,
  SchedulerRegistry,
  type DistributedOptions,
  type ScheduleModuleOptions,
} from '../../lib/schedule/index.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { Log } from './subjects.js';

type Given = Omit<ModuleMetadata, 'imports'> &
  Omit<ScheduleModuleOptions, 'distributed'> & {
    chronis?: DistributedOptions;
    imports?: ModuleMetadata['imports'];
  };

/** Applications with the ScheduleModule on one storage, and a clock that stands still. */
export class Cluster {
  readonly clock = new ManualClock('2026-03-10T10:00:00Z');
  readonly storage = new MemoryStorage({ clock: this.clock });
  private readonly apps: Process[] = [];

  /** Another process. Rejects with what stands in the way of its boot. */
  async boot({ chronis, cronJobs, intervals, timeouts, imports = [], ...metadata }: Given): Promise<Process> {
    const { clock } = this;
    const storage = this.apps.length === 0 ? this.storage : this.storage.open();
    const switches = Object.fromEntries(
      Object.entries({ cronJobs, intervals, timeouts }).filter(([, value]) => value !== undefined),
    );
    const schedule = ScheduleModule.forRoot({ ...switches, distributed: { storage, clock, ...chronis } });

    @Module({ imports: [...imports, schedule], ...metadata })
    class AppModule {}

    const log = new Log();
    const app = await NestFactory.createApplicationContext(AppModule, { logger: log, abortOnError: false });
    const process = new Process(app, log);
    this.apps.push(process);
    await this.pass(0);
    return process;
  }

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    await this.clock.advanceBy(ms);
    for (let i = 0; i < 100; i++) await this.clock.advanceBy(0);
  }

  async close(): Promise<void> {
    for (const { app } of this.apps.splice(0)) {
      let open = true;
      const closing = app.close().finally(() => (open = false));
      for (let i = 0; open && i < 600; i++) await this.pass(100);
      await closing;
    }
  }
}

/** One of the processes. */
export class Process {
  constructor(
    readonly app: INestApplicationContext,
    readonly log: Log,
  ) {}

  get registry(): SchedulerRegistry {
    return this.app.get(SchedulerRegistry);
  }

  get scheduler(): SchedulerService {
    return this.app.get(SchedulerService);
  }

  get events(): ChronisEvents {
    return this.app.get(ChronisEvents);
  }
}
