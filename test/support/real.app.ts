import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisModule } from '../../lib/chronis.module.js';
import type { ChronisModuleOptions } from '../../lib/chronis.options.js';
import { ChronisEvents } from '../../lib/events/chronis.events.js';
import type { ChronisEventMap } from '../../lib/events/event.map.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { StorageAdapter } from '../../lib/ports/storage.adapter.js';
import { SchedulerService } from '../../lib/scheduler/scheduler.service.js';
import { freshSchema } from './schema.js';
import { newStorage } from './postgres.subject.js';

/** What the tests of the service run on. */
export const storageKinds = ['memory', 'postgres'] as const;
type StorageKind = (typeof storageKinds)[number];

/** An application on real time and on either storage; tests wait for events, never for time. */
export class RealApp {
  private constructor(
    readonly app: INestApplicationContext,
    /** Where to open more applications on the same jobs. */
    private readonly another: () => Promise<StorageAdapter>,
  ) {}

  static async boot(kind: StorageKind, chronis: ChronisModuleOptions = {}): Promise<RealApp> {
    const schema = freshSchema('service');
    const memory = new MemoryStorage();
    const another = async (): Promise<StorageAdapter> =>
      kind === 'memory' ? memory.open() : newStorage({ schema });
    return RealApp.on(another, chronis);
  }

  private static async on(
    another: () => Promise<StorageAdapter>,
    chronis: ChronisModuleOptions,
  ): Promise<RealApp> {
    const module = ChronisModule.forRoot({ storage: await another(), ...chronis });

    @Module({ imports: [module] })
    class AppModule {}

    const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    return new RealApp(app, another);
  }

  /** Another process on the same jobs, as far as one process can be two. */
  beside(chronis: ChronisModuleOptions = {}): Promise<RealApp> {
    return RealApp.on(this.another, chronis);
  }

  get scheduler(): SchedulerService {
    return this.app.get(SchedulerService);
  }

  get events(): ChronisEvents {
    return this.app.get(ChronisEvents);
  }

  get storage(): StorageAdapter {
    return this.app.get(StorageAdapter);
  }

  /** Resolves with the next event of this name about this job. */
  next<N extends 'run.started' | 'run.succeeded' | 'run.retrying' | 'run.failed' | 'run.cancelled'>(
    name: N,
    jobId: string,
  ): Promise<ChronisEventMap[N]> {
    return this.events.once(name, (event) => event.jobId === jobId);
  }

  close(): Promise<void> {
    return this.app.close();
  }
}

/** A job that runs until it is let go. */
export class Gate {
  private open!: () => void;
  readonly passed = new Promise<void>((resolve) => (this.open = resolve));

  release(): void {
    this.open();
  }
}
