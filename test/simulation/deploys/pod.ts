import { JobLists } from '../../../lib/discovery/job.lists.js';
import { JobSynchronizer } from '../../../lib/discovery/job.synchronizer.js';
import { Engine } from '../../../lib/engine/engine.js';
import { engineDefaults } from '../../../lib/engine/engine.options.js';
import { HandlerRegistry } from '../../../lib/engine/handler.registry.js';
import type { RunContext } from '../../../lib/engine/run.context.js';
import { ChronisEvents } from '../../../lib/events/chronis.events.js';
import type { StorageAdapter } from '../../../lib/ports/storage.adapter.js';
import { HandlerWithdrawals } from '../../../lib/scheduler/handler.withdrawals.js';
import { SchedulerLifecycle } from '../../../lib/scheduler/scheduler.lifecycle.js';
import type { VirtualProcess } from '../virtual.process.js';
import { handlersOf, readDeclarations, type Release, type Role } from './release.js';

const silent = { log() {}, warn() {}, error() {}, debug() {} };
export const leaseMs = 3_000;
/** Instead of ten minutes. */
export const graceMs = 20_000;
export const concurrency = 10;

interface PodParts {
  process: VirtualProcess;
  /** As this process sees it. */
  storage: StorageAdapter;
  lock: StorageAdapter['lock'];
  random: () => number;
  work: (method: string, context: RunContext) => Promise<void>;
}

/** One process of an application: what it declares is read and synced, and its engine started, as by the module. */
export class Pod {
  readonly engine: Engine;
  private readonly lifecycle: SchedulerLifecycle;

  constructor(
    /** Of this process alone. */
    readonly name: string,
    readonly app: string,
    readonly role: Role,
    readonly release: Release,
    /** What it can execute. */
    readonly handlerNames: readonly string[],
    readonly parts: PodParts,
  ) {
    const { process: clock, storage, lock, random, work } = parts;
    const handlers = new HandlerRegistry();
    for (const method of handlerNames)
      handlers.register(method, (context) => work(method, context), 'scenario');
    const events = new ChronisEvents();
    const { calendars } = engineDefaults;
    const queues = ['default'];
    const times = {
      leaseMs,
      pollMs: 1_000,
      orphanGraceMs: graceMs,
      janitorMs: 5_000,
      shutdownTimeoutMs: 4_000,
    };
    const options = {
      ...engineDefaults,
      ...times,
      name,
      app,
      version: '0',
      queues,
      concurrency,
      abortGraceMs: 500,
    };
    this.engine = new Engine(
      { storage, lock, clock, handlers, events, logger: () => silent, random },
      options,
    );
    const workerId = (): string | null => this.engine.workerId;
    const jobs = readDeclarations(release, role, clock.now());
    const synchronizer = new JobSynchronizer(
      {
        storage,
        lock,
        clock,
        events,
        random,
        lists: new JobLists(),
        explore: () => ({
          jobs,
          handlers: [],
          workflows: [],
          repeated: [],
          unapplied: [],
          unmarked: [],
          minified: [],
        }),
        workerId,
        onChange: () => this.engine.wake(),
      },
      { app, previousApps: [], orphans: 'keep', orphanGraceMs: graceMs, calendars, lists: new JobLists() },
    );
    const { shutdownTimeoutMs } = times;
    const withdrawals = new HandlerWithdrawals({
      ...{ handlers, storage, clock, events, calendars, app, queues, shutdownTimeoutMs, workerId },
    });
    const unknownCallbacks = async (): Promise<[]> => [];
    // A pod always works.
    const missingJobs = { store: async () => undefined, end: () => undefined };
    this.lifecycle = new SchedulerLifecycle(
      {
        engine: this.engine,
        synchronizer,
        missingJobs,
        storage,
        events,
        handlers,
        withdrawals,
        lists: new JobLists(),
        notices: [],
        definitions: { areStored: true, put: async () => undefined },
        unknownCallbacks,
      },
      { name, app, storage: storage.kind, timeZone: 'UTC', queues, concurrency },
    );
  }

  /** Resolves when it works. Rejects with what stands in the way. */
  start(): Promise<void> {
    return this.lifecycle.start();
  }

  /** As on SIGTERM: drains what works. */
  async stop(): Promise<void> {
    if (this.engine.running) await this.lifecycle.stop();
    this.kill();
  }

  kill(): void {
    this.parts.process.kill();
  }
}

/** What a process executes, one-offs of no app included. */
export function handlerNamesOf(release: Release, role: Role): string[] {
  return [...new Set([...handlersOf(release, role), 'work'])];
}
