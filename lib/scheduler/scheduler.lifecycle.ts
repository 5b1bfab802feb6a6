import type { JobLists } from '../discovery/job.lists.js';
import type { MissingJobs } from '../discovery/missing.jobs.js';
import type { JobSynchronizer } from '../discovery/job.synchronizer.js';
import type { Engine } from '../engine/engine.js';
import type { HandlerRegistry } from '../engine/handler.registry.js';
import type { ChronisEvents } from '../events/chronis.events.js';
import type { ChronisEventMap } from '../events/event.map.js';
import { SchedulerRunningError } from '../model/errors.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import type { HandlerWithdrawals } from './handler.withdrawals.js';
import { nextUp } from './next.up.js';

/** What the lifecycle works with. */
export interface LifecycleParts {
  engine: Engine;
  synchronizer: JobSynchronizer;
  missingJobs: Pick<MissingJobs, 'store' | 'end'>;
  storage: StorageAdapter;
  events: ChronisEvents;
  handlers: HandlerRegistry;
  withdrawals: HandlerWithdrawals;
  /** What is looked at, and told, soon after the start. */
  notices: readonly { begin(): void; end(): void }[];
  /** Beside the code. */
  lists: Pick<JobLists, 'areNone' | 'begin' | 'end'>;
  /** Of the workflows in the code. */
  definitions: { readonly areStored: boolean; put(): Promise<void> };
  /** Callbacks of declared jobs that nobody could execute. */
  unknownCallbacks: () => Promise<ChronisEventMap['callbacks.unknown'][]>;
}

/** Starts and stops the engine together with the sync of what the code declares. */
export class SchedulerLifecycle {
  private starting: Promise<void> | null = null;
  private stopping: Promise<void> | null = null;
  private declares = false;

  constructor(
    private readonly parts: LifecycleParts,
    private readonly about: Omit<ChronisEventMap['scheduler.started'], 'nextAt' | 'nextJob' | 'isDue'>,
  ) {}

  /** Whether it runs, or is about to. */
  get running(): boolean {
    return this.parts.engine.running || this.starting !== null;
  }

  /** Stores what the code declares and is not there, in a process that is not to work. Never rejects. */
  declare(): Promise<void> {
    this.declares = true;
    return this.parts.missingJobs.store();
  }

  /** The code declares more than before, as a module was loaded: has that stored by and by. What does not work yet stores it at its start. */
  follow(): void {
    if (this.running) this.parts.synchronizer.follow();
    else if (this.declares) void this.declare();
  }

  /** A list declares something else. What does not work yet declares it at its start. */
  renew(): void {
    if (this.running) this.parts.synchronizer.renew();
  }

  /** Syncs the declarations and begins to work. Throws SchedulerRunningError, and what stands in the way of the sync. */
  async start(): Promise<void> {
    const { synchronizer, missingJobs } = this.parts;
    const start = this.begin();
    missingJobs.end();
    this.starting = start;
    try {
      await start;
    } catch (error) {
      await Promise.all([synchronizer.end(), this.parts.lists.end()]);
      throw error;
    } finally {
      this.starting = null;
    }
    this.parts.withdrawals.begin();
    for (const notice of this.parts.notices) notice.begin();
    await this.tell();
  }

  /** Drains. Throws SchedulerStoppedError when it does not run. */
  async stop(): Promise<void> {
    const stop = this.parts.engine.stop();
    for (const notice of this.parts.notices) notice.end();
    const ended = this.parts.withdrawals.end();
    this.stopping = Promise.all([stop, ended, this.parts.lists.end()]).then(() => undefined);
    try {
      await this.stopping;
    } finally {
      this.stopping = null;
    }
  }

  /** Ends it whatever state it is in. */
  async shutDown(): Promise<void> {
    this.parts.missingJobs.end();
    await this.starting?.catch(() => undefined);
    if (this.stopping !== null) return this.stopping;
    if (this.parts.engine.running) await this.stop();
  }

  /** What it opens has the versions of its definitions, so these come first. */
  private begin(): Promise<void> {
    const { engine, synchronizer, definitions, lists } = this.parts;
    if (definitions.areStored && lists.areNone) return engine.start(synchronizer);
    if (this.running) throw new SchedulerRunningError();
    const isReady = Promise.all([lists.begin(), definitions.areStored ? undefined : definitions.put()]);
    return isReady.then(() => engine.start(synchronizer));
  }

  private async tell(): Promise<void> {
    const { engine, storage, events, handlers } = this.parts;
    const capability = {
      workerId: engine.workerId ?? '',
      app: this.about.app,
      queues: this.about.queues,
      handlers: handlers.offered(),
    };
    try {
      for (const unknown of await this.parts.unknownCallbacks()) events.emit('callbacks.unknown', unknown);
      events.emit('scheduler.started', { ...this.about, ...(await nextUp(storage, capability)) });
    } catch (error) {
      // It works all the same: the loop tries until the storage answers.
      events.emit('storage.failing', { operation: 'look ahead', error, retryInMs: 0 });
    }
  }
}
