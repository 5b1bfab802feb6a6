import { Inject, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { JobExplorer } from './discovery/job.explorer.js';
import { HandlerRegistry } from './engine/handler.registry.js';
import { ChronisEvents } from './events/chronis.events.js';
import { LockAdapter } from './ports/lock.adapter.js';
import { StorageAdapter } from './ports/storage.adapter.js';

/**
 * The hooks of the global core, which is first in and last out: handlers are known before the hooks of other modules create jobs for
 * them, and the adapters are there until all other modules have ended. Running jobs is left to the ChronisRunner.
 */
export class ChronisCore implements OnModuleInit, OnApplicationShutdown {
  private closing: Promise<void> | null = null;

  constructor(
    @Inject(JobExplorer) private readonly explorer: JobExplorer,
    @Inject(HandlerRegistry) private readonly handlers: HandlerRegistry,
    @Inject(ChronisEvents) private readonly events: ChronisEvents,
    @Inject(StorageAdapter) private readonly storage: StorageAdapter,
    @Inject(LockAdapter) private readonly lock: LockAdapter,
  ) {}

  async onModuleInit(): Promise<void> {
    try {
      const { jobs, handlers, repeated } = this.explorer.explore();
      for (const { name, run, place } of handlers) this.handlers.register(name, run, place);
      const names = handlers.map(({ name }) => name);
      this.events.emit('jobs.explored', { jobs: jobs.length, handlers: names, repeated });
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  onApplicationShutdown(): Promise<void> {
    return this.close();
  }

  /** Gives back what the adapters hold; also after a boot that failed, or the process could not end. */
  close(): Promise<void> {
    return (this.closing ??= this.closeAdapters());
  }

  private async closeAdapters(): Promise<void> {
    try {
      await this.lock.close();
    } finally {
      await this.storage.close();
    }
  }
}
