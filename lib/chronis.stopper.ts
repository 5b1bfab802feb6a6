import type { OnModuleDestroy } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { bootFirst } from './discovery/boot.order.js';
import { SchedulerLifecycle } from './scheduler/scheduler.lifecycle.js';

/**
 * Stops the scheduler where no ChronisRunner has done so before: Nest 10 ends modules in the order in which they have begun, so the runner, which begins last, would drain when other modules have
 * closed their connections. It is part of the core, whose hooks are the first ones there, and the last ones from Nest 11 on.
 */
export class ChronisStopper implements OnModuleDestroy {
  constructor(
    private readonly scheduler: SchedulerLifecycle,
    modules: ModulesContainer,
  ) {
    bootFirst(modules, ChronisStopper);
  }

  onModuleDestroy(): Promise<void> {
    return this.scheduler.shutDown();
  }
}
