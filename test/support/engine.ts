import assert from 'node:assert/strict';
import { Engine } from '../../lib/engine/engine.js';
import { engineDefaults, type EngineOptions } from '../../lib/engine/engine.options.js';
import type { HandlerSurroundings } from '../../lib/engine/chronis.interceptor.js';
import { HandlerRegistry } from '../../lib/engine/handler.registry.js';
import type { HandlerFunction, HandlerLogger, RunContext } from '../../lib/engine/run.context.js';
import { ChronisEvents } from '../../lib/events/chronis.events.js';
import type { ChronisEventName } from '../../lib/events/event.map.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import type { NewJob, StorageAdapter } from '../../lib/ports/storage.adapter.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';

const silent = { log() {}, warn() {}, error() {}, debug() {} };

/** An engine without Nest, on a clock that stands still. */
export class EngineRig {
  readonly clock: ManualClock;
  readonly storage: StorageAdapter;
  readonly handlers: HandlerRegistry;
  readonly events = new ChronisEvents();
  /** The names of all events, in order. */
  readonly told: ChronisEventName[] = [];
  readonly engine: Engine;

  constructor(
    given: {
      clock?: ManualClock;
      storage?: StorageAdapter;
      options?: Partial<EngineOptions>;
      surroundings?: HandlerSurroundings;
      logger?: (handler: string) => HandlerLogger;
      random?: () => number;
    } = {},
  ) {
    this.handlers = new HandlerRegistry(given.surroundings);
    this.clock = given.clock ?? new ManualClock();
    this.storage = given.storage ?? new MemoryStorage({ clock: this.clock });
    this.events.onAny((name) => this.told.push(name));
    this.engine = new Engine(
      {
        storage: this.storage,
        lock: this.storage.lock,
        clock: this.clock,
        handlers: this.handlers,
        events: this.events,
        logger: given.logger ?? (() => silent),
        random: given.random ?? (() => 0.5),
      },
      { ...engineDefaults, name: 'test', app: 'test', version: '0', queues: ['default'], ...given.options },
    );
  }

  handle(name: string, run: HandlerFunction<never>): this {
    this.handlers.register(name, run as (context: RunContext) => unknown, 'test');
    return this;
  }

  /** Stores jobs; one-offs are due now unless `nextAt` says otherwise. */
  async add(...jobs: Partial<NewJob>[]): Promise<void> {
    await this.storage.insertJobs(
      jobs.map((job) => newJob(this.clock.now(), job)),
      'raise',
    );
    this.engine.wake();
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    for (let i = 0; i < 20; i++) await this.clock.advanceBy(0);
  }

  /** Stops the engine while time passes, as a stop may wait for handlers. */
  async stop(passMs = 0): Promise<void> {
    let stopped = false;
    const stopping = this.engine.stop().then(() => (stopped = true));
    await this.settle();
    for (let passed = 0; !stopped && passed < passMs; passed += 1_000) await this.clock.advanceBy(1_000);
    await stopping;
  }

  /** After a test: stops the engine where it still runs, and nothing may be left that waits for time. */
  async end(passMs = 60_000): Promise<void> {
    if (this.engine.running) await this.stop(passMs);
    assert.equal(this.clock.pending, 0, 'timers that are left');
  }
}

let serial = 0;

/** A one-off for the handler `work`, due now, changed by what is given. */
export function newJob(now: number, given: Partial<NewJob> = {}): NewJob {
  const at = given.nextAt ?? now;
  return {
    id: `job-${++serial}`,
    namespace: 'default',
    name: null,
    handler: 'work',
    queue: 'default',
    priority: 5,
    trigger: { type: 'at', at: new Date(at).toISOString() },
    timeZone: 'UTC',
    payload: null,
    metadata: {},
    policies: {},
    source: 'api',
    app: null,
    definitionHash: '',
    nextAt: at,
    ...given,
  };
}

/** A job every `everyMs` from now on. */
export function everyMs(now: number, everyMs: number, given: Partial<NewJob> = {}): Partial<NewJob> {
  return {
    trigger: { type: 'interval', every: everyMs, anchor: new Date(now).toISOString() },
    nextAt: now + everyMs,
    ...given,
  };
}
