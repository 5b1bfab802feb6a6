import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import { ModuleRef, ModulesContainer } from '@nestjs/core';
import { instancesOf } from './chronis.factories.js';
import { runsJobs } from './chronis.instances.js';
import { defaultInstance } from './discovery/instance.names.js';
import type { ChronisSettings } from './chronis.settings.js';
import { CodeRegistrar } from './discovery/code.registrar.js';
import { EventSubscriber } from './discovery/event.subscriber.js';
import { JobExplorer } from './discovery/job.explorer.js';
import { ignoredRenames } from './discovery/ignored.renames.js';
import { resolveInterceptors } from './discovery/interceptor.resolver.js';
import { HandlerSurroundings } from './engine/chronis.interceptor.js';
import { EventSharer } from './engine/event.sharer.js';
import { Tracing } from './engine/tracing.js';
import { ChronisEvents } from './events/chronis.events.js';
import { InvalidOptionError } from './model/errors.js';
import { LockAdapter } from './ports/lock.adapter.js';
import { StorageAdapter } from './ports/storage.adapter.js';

/**
 * The hooks of the global core, which is first in and last out: handlers are known before the hooks of other modules create jobs for
 * them, and the adapters are there until all other modules have ended. Running jobs is left to the ChronisRunner.
 */
export class ChronisCore implements OnModuleInit, OnApplicationShutdown {
  private closing: Promise<void> | null = null;

  constructor(
    private readonly explorer: JobExplorer,
    private readonly registrar: CodeRegistrar,
    private readonly events: ChronisEvents,
    private readonly storage: StorageAdapter,
    private readonly lock: LockAdapter,
    private readonly modules: ModulesContainer,
    private readonly subscriber: EventSubscriber,
    private readonly sharer: EventSharer,
    private readonly surroundings: HandlerSurroundings,
    private readonly settings: ChronisSettings,
    private readonly moduleRef: ModuleRef,
    private readonly instance: string,
    private readonly tracing: Tracing,
  ) {}

  async onModuleInit(): Promise<void> {
    try {
      this.assertAlone();
      this.surroundings.use(resolveInterceptors(this.settings.interceptors, this.moduleRef));
      this.registrar.subscribe();
      const { doubt = null } = this.storage;
      if (doubt !== null) this.events.emit('storage.doubtful', { reason: doubt });
      await this.tracing.apart(() => this.sharer.start());
      await this.registrar.register();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** When all jobs are declared. Throws InvalidOptionError. */
  assertConfigured(): void {
    this.explorer.assertConfigured();
    this.registrar.tell();
    const renames = ignoredRenames(this.explorer.explore().jobs);
    if (renames.length > 0) this.events.emit('renames.ignored', { renames });
    if (this.instance === defaultInstance && this.settings.autoStart && !this.settings.isTest) {
      const methods = this.explorer.unprovidedMethods();
      if (methods.length > 0) this.events.emit('classes.unprovided', { methods });
    }
  }

  onApplicationShutdown(): Promise<void> {
    return this.close();
  }

  /** Gives back what the adapters hold; also after a boot that failed, or the process could not end. */
  close(): Promise<void> {
    return (this.closing ??= this.closeAdapters());
  }

  private assertAlone(): void {
    const names = instancesOf(this.modules);
    const cores = names.filter((name) => name === this.instance).length;
    if (cores === 1) return;
    const drop = [...this.modules.values()].some(
      (module) => module.name === 'ScheduleModule' && runsJobs(module),
    )
      ? ' One is that of ScheduleModule.forRoot({ distributed }), which brings a ChronisModule: give its options to distributed, and take the other away.'
      : '';
    throw new InvalidOptionError(
      'ChronisModule',
      `forRoot() is imported ${cores} times${this.instance === defaultInstance ? '' : ` for the instance "${this.instance}"`}. Import it once, in the root module; what it exports can be injected everywhere. For a second scheduler give that one a name: forRoot({ instance: 'reports', … }).${drop}`,
    );
  }

  private async closeAdapters(): Promise<void> {
    await this.sharer.close();
    try {
      // At once, since each may wait a moment for a server that does not answer.
      const closed = await Promise.allSettled([this.lock.close(), this.storage.close()]);
      for (const result of closed) if (result.status === 'rejected') throw result.reason;
    } finally {
      this.subscriber.unsubscribe();
      this.events.close();
    }
  }
}
