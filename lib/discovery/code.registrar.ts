import type { HandlerRegistry } from '../engine/handler.registry.js';
import type { ChronisEvents } from '../events/chronis.events.js';
import type { ChronisEventMap } from '../events/event.map.js';
import { WorkflowsNotSupportedError } from '../model/errors.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import type { WorkflowRegistry } from '../workflows/workflow.registry.js';
import { assertDeclaredPayloads } from './declared.payloads.js';
import type { Exploration } from './declared.job.js';
import type { EventSubscriber } from './event.subscriber.js';
import type { ForeignSchedules } from './foreign.schedules.js';
import type { JobExplorer } from './job.explorer.js';
import type { LazyModules } from './lazy.modules.js';

/** What the registrar works with. */
export interface RegistrarParts {
  explorer: JobExplorer;
  subscriber: EventSubscriber;
  handlers: HandlerRegistry;
  events: ChronisEvents;
  workflows: WorkflowRegistry;
  storage: StorageAdapter;
  lazy: LazyModules;
  /** Null: another instance tells of them. */
  foreign: ForeignSchedules | null;
  /** More jobs are declared than before. */
  onMoreJobs: () => void;
}

/** Makes known what the code declares: its listeners, its handlers, and its jobs for whoever stores them; that of modules which are loaded later as soon as they are. */
export class CodeRegistrar {
  constructor(private readonly parts: RegistrarParts) {}

  /** Listeners come first, so that they hear of all that follows. Throws what is wrong with a decorator. */
  subscribe(): void {
    this.parts.subscriber.subscribe();
  }

  /** Once, when all providers exist. Throws what is wrong with the declarations. */
  async register(): Promise<void> {
    const { explorer, lazy, foreign } = this.parts;
    await this.take(explorer.explore());
    this.tellForeign(foreign?.unread(), false);
    lazy.watch(() => this.registerMore());
  }

  /** Once, when all jobs are declared, also those that are found in another way: others may do that after this has registered. */
  tell(): void {
    this.tellOf(this.parts.explorer.explore());
  }

  private async registerMore(): Promise<void> {
    const { explorer, onMoreJobs, foreign } = this.parts;
    this.subscribe();
    this.tellForeign(foreign?.unreadMore(), true);
    const more = explorer.exploreMore();
    if (more.handlers.length > 0) {
      await this.take(more);
      this.tellOf(more);
    }
    if (more.jobs.length > 0) onMoreJobs();
  }

  private tellForeign(methods: string[] = [], lazy: boolean): void {
    if (methods.length > 0) this.parts.events.emit('schedules.foreign', { methods, lazy });
  }

  private async take({ jobs, handlers, workflows: found }: Exploration): Promise<void> {
    const { handlers: registry, workflows, storage } = this.parts;
    for (const { code, defaults, place } of found) {
      if (storage.flows === undefined)
        throw new WorkflowsNotSupportedError(`@Workflow on ${place}`, storage.kind);
      workflows.add(code, defaults);
    }
    for (const { name, run, place, options, isExecutor = false } of handlers) {
      if (isExecutor) registry.registerExecutor(name, run, place, options);
      else registry.register(name, run, place, options);
    }
    await assertDeclaredPayloads(jobs, registry);
  }

  private tellOf({ repeated, unapplied, unmarked, minified }: Exploration): void {
    const { explorer, handlers: registry, events, storage } = this.parts;
    // All that are known by now, also those that were declared in another way.
    const { jobs } = explorer.explore();
    const runs = runsOf(jobs);
    events.emit('jobs.explored', { jobs: jobs.length, handlers: registry.names(), runs, repeated });
    // In memory names do not outlive the process.
    if (minified.length > 0 && storage.shared) events.emit('names.minified', { methods: minified });
    if (unapplied.length > 0) events.emit('enhancers.unapplied', { methods: unapplied });
    if (unmarked.length > 0) events.emit('payloads.unmarked', { methods: unmarked });
  }
}

function runsOf(jobs: Exploration['jobs']): ChronisEventMap['jobs.explored']['runs'] {
  const runs = new Map<string, ChronisEventMap['jobs.explored']['runs'][number]>();
  for (const { definition } of jobs) {
    const { handler, queue, trigger } = definition;
    const origin = trigger.type === 'at' ? 'at' : 'schedule';
    runs.set(JSON.stringify([handler, queue, origin]), { handler, queue, origin });
  }
  return [...runs.values()];
}
