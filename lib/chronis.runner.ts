import type { FactoryProvider, OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { ChronisCore } from './chronis.core.js';
import { chronisSettings, type ChronisSettings } from './chronis.settings.js';
import { bootOrder } from './discovery/boot.order.js';
import { watchShutdownHooks } from './discovery/shutdown.hooks.js';
import { ChronisEvents } from './events/chronis.events.js';
import type { CancelTimer } from './ports/clock.js';
import { StorageAdapter } from './ports/storage.adapter.js';
import { SchedulerLifecycle } from './scheduler/scheduler.lifecycle.js';

/**
 * Starts and stops the scheduler with the application. It lives in a module that is not global: the hooks of a global one would come
 * first at the start, when caches are cold, and last at the end, when connections are closed.
 */
export class ChronisRunner implements OnApplicationBootstrap, OnModuleDestroy {
  private stopWatching: CancelTimer | null = null;

  constructor(
    private readonly scheduler: SchedulerLifecycle,
    private readonly core: ChronisCore,
    private readonly events: ChronisEvents,
    private readonly modules: ModulesContainer,
    private readonly storage: StorageAdapter,
    private readonly settings: ChronisSettings,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    try {
      this.core.assertConfigured();
      // Somebody may have called start() in an earlier hook.
      if (this.scheduler.running) return;
      if (this.settings.autoStart) await this.start();
      else await this.idle();
    } catch (error) {
      await this.scheduler.shutDown();
      await this.core.close();
      throw error;
    }
  }

  /** Not a later hook: other modules close their connections in this one. */
  onModuleDestroy(): Promise<void> {
    this.stopWatching?.();
    return this.scheduler.shutDown();
  }

  private async start(): Promise<void> {
    const { own, later } = bootOrder(this.modules, ChronisRunner);
    if (later.length > 0) this.events.emit('modules.boot-later', { modules: later, scheduler: own });
    await this.scheduler.start();
    const { clock, engine, isTest } = this.settings;
    if (isTest) return;
    this.stopWatching = watchShutdownHooks(clock, (signal) =>
      this.events.emit('shutdown.unhooked', { signal, leaseMs: this.storage.shared ? engine.leaseMs : null }),
    );
  }

  private async idle(): Promise<void> {
    const { syncDeclarations, engine } = this.settings;
    if (syncDeclarations) await this.scheduler.declare();
    this.events.emit('scheduler.idle', { name: engine.name, app: engine.app });
  }
}

export const runnerProvider: FactoryProvider = {
  provide: ChronisRunner,
  inject: [SchedulerLifecycle, ChronisCore, ChronisEvents, ModulesContainer, StorageAdapter, chronisSettings],
  useFactory: (...parts: ConstructorParameters<typeof ChronisRunner>) => new ChronisRunner(...parts),
};
