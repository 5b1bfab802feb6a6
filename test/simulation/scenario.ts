import { Engine } from '../../lib/engine/engine.js';
import { engineDefaults } from '../../lib/engine/engine.options.js';
import { HandlerRegistry } from '../../lib/engine/handler.registry.js';
import type { RunContext } from '../../lib/engine/run.context.js';
import { ChronisEvents } from '../../lib/events/chronis.events.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import type { NewJob, StorageAdapter } from '../../lib/ports/storage.adapter.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { newJob } from '../support/engine.js';
import { SeededRandom } from './seeded.random.js';
import { troubledStorage, type Trouble } from './troubled.storage.js';
import { VirtualProcess } from './virtual.process.js';

const silent = { log() {}, warn() {}, error() {}, debug() {} };
const calm: Trouble = { slow: 0, lostRequest: 0, lostAnswer: 0, crashBefore: 0, crashAfter: 0 };
const leaseMs = 3_000;

/** What a scenario leaves behind for the checker, besides the storage. */
export interface Outcome {
  storage: StorageAdapter;
  jobs: NewJob[];
  /** How often the handler was called, by run id: what the world saw. */
  executions: Map<string, number>;
  faults: Record<string, number>;
}

interface Instance {
  process: VirtualProcess;
  engine: Engine;
}

/**
 * One seeded history: several engines work off recurring jobs and one-offs while they are slowed, cut off, frozen longer than their lease, killed
 * and replaced; then all trouble ends and they finish. `spoil` may break the storage on purpose.
 */
export async function playScenario(
  seed: number,
  spoil: (storage: StorageAdapter) => StorageAdapter = (storage) => storage,
): Promise<Outcome> {
  const random = new SeededRandom(seed);
  const clock = new ManualClock(Date.UTC(2026, 0, 1));
  const storage = spoil(new MemoryStorage({ clock }));
  const executions = new Map<string, number>();
  const faults: Record<string, number> = { crash: 0, freeze: 0, jump: 0, cut: 0 };
  const stormy: Trouble = {
    slow: random.next() * 0.05,
    lostRequest: random.next() * 0.03,
    lostAnswer: random.next() * 0.03,
    crashBefore: random.next() * 0.004,
    crashAfter: random.next() * 0.004,
  };
  let trouble = stormy;
  const instances: (Instance | null)[] = Array.from({ length: random.between(2, 4) }, () => null);

  function boot(slot: number): void {
    const process = new VirtualProcess(clock, random.between(-60_000, 60_000));
    const crash = (): void => {
      if (!process.alive) return;
      faults.crash!++;
      process.kill();
      instances[slot] = null;
      clock.setTimer(random.between(500, 4_000), () => boot(slot));
    };
    const seen = troubledStorage(storage, clock, process, random, () => trouble, crash);
    const handlers = new HandlerRegistry();
    handlers.register('work', work(process), 'scenario');
    const options = {
      ...engineDefaults,
      name: `instance ${slot}`,
      app: 'simulation',
      version: '0',
      queues: ['default'],
      leaseMs,
      pollMs: 1_000,
      lookAheadMs: random.pick([0, 500, 2_000]),
      concurrency: random.between(1, 5),
      shutdownTimeoutMs: 4_000,
      abortGraceMs: 500,
    };
    const engine = new Engine(
      {
        storage: seen,
        lock: storage.lock,
        clock: process,
        handlers,
        events: new ChronisEvents(),
        logger: () => silent,
        random: random.next,
      },
      options,
    );
    instances[slot] = { process, engine };
    // A start that the network prevents is repeated, as a platform would.
    engine.start().catch(() =>
      process.enter(() => {
        process.kill();
        boot(slot);
      }),
    );
  }

  const work =
    (process: VirtualProcess) =>
    async (context: RunContext): Promise<void> => {
      const { runId, signal } = context;
      executions.set(runId, (executions.get(runId) ?? 0) + 1);
      const fails = random.chance(0.15);
      const obeys = random.chance(0.7);
      if (random.chance(0.05)) context.snooze(random.between(0, 2_000));
      await new Promise<void>((resolve, reject) => {
        process.setTimer(random.chance(0.1) ? random.between(1_000, 8_000) : random.between(0, 200), resolve);
        if (obeys) signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
      if (fails) throw new Error('The handler fails.');
    };

  const jobs = makeJobs(random, clock.now());
  await storage.insertJobs(jobs, 'raise');
  for (let slot = 0; slot < instances.length; slot++) boot(slot);

  for (let second = 0; second < 60; second++) {
    await clock.advanceBy(random.between(500, 1_500));
    const instance = random.pick(instances);
    if (instance === null) continue;
    const { process, engine } = instance;
    const fate = random.next();
    if (fate < 0.08) {
      faults.freeze!++;
      process.freeze();
      clock.setTimer(random.between(500, 4 * leaseMs), () => process.thaw());
    } else if (fate < 0.13) {
      faults.jump!++;
      process.jump(random.between(-3_600_000, 3_600_000));
    } else if (fate < 0.18) {
      faults.cut!++;
      trouble = { ...stormy, lostRequest: 1 };
      clock.setTimer(random.between(500, 6_000), () => (trouble = stormy));
    } else if (fate < 0.23 && engine.running) {
      const slot = instances.indexOf(instance);
      void engine.stop().then(() => process.alive && boot(slot));
    }
  }

  // The weather clears up: what is frozen thaws, what is dead comes back, the last instants pass, and all that was begun must end.
  await clock.advanceBy(4 * leaseMs);
  trouble = calm;
  await clock.advanceBy(4 * leaseMs);
  await clock.advanceBy(120_000);
  return { storage, jobs, executions, faults };
}

function makeJobs(random: SeededRandom, now: number): NewJob[] {
  const policies = () => ({
    ...(random.chance(0.2) ? { recovery: 'abandon' as const } : {}),
    overlap: random.pick(['skip', 'allow', 'queue', 'cancel-running'] as const),
    misfire: random.pick(['skip', 'once', 'all'] as const),
    misfireThresholdMs: random.pick([1_000, 5_000, 60_000]),
    maxRetries: random.between(0, 2),
    backoff: { type: 'fixed' as const, delayMs: random.between(0, 1_500) },
    maxLost: random.between(1, 4),
  });
  const endAt = new Date(now + 90_000).toISOString();
  const recurring = Array.from({ length: 4 }, (_, i) => {
    const every = random.pick([1_000, 2_000, 5_000]);
    const trigger = { type: 'interval' as const, every, anchor: new Date(now).toISOString(), endAt };
    return newJob(now, { id: `every-${i}`, trigger, nextAt: now + every, policies: policies() });
  });
  const oneOffs = Array.from({ length: 30 }, (_, i) =>
    newJob(now, { id: `one-off-${i}`, nextAt: now + random.between(0, 50_000), policies: policies() }),
  );
  return [...recurring, ...oneOffs];
}
