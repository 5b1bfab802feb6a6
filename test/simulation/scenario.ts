import { Engine } from '../../lib/engine/engine.js';
import { engineDefaults } from '../../lib/engine/engine.options.js';
import { HandlerRegistry } from '../../lib/engine/handler.registry.js';
import type { RunContext } from '../../lib/engine/run.context.js';
import { ChronisEvents } from '../../lib/events/chronis.events.js';
import type { NewJob, StorageAdapter } from '../../lib/ports/storage.adapter.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { changeAtRandom, resumeAll, type Change } from './changes.js';
import type { DeployHistory } from './deploys/deploy.history.js';
import { playDeploys } from './deploys/deploy.scenario.js';
import { makeJobs, poisonJobs } from './jobs.js';
import { Outsiders } from './outsiders.js';
import { SeededRandom } from './seeded.random.js';
import { SimulatedDatabase } from './simulated.database.js';
import { StepHistory } from './step.history.js';
import { StallWatch, type Instance } from './stall.watch.js';
import { troubledStorage, type Trouble } from './troubled.storage.js';
import { VirtualProcess } from './virtual.process.js';

const silent = { log() {}, warn() {}, error() {}, debug() {} };
const calm: Trouble = { slow: 0, lostRequest: 0, lostAnswer: 0, late: 0, crashBefore: 0, crashAfter: 0 };
export const leaseMs = 3_000;

/**
 * What is special about a history. `backwards`: the database goes back to a backup once. `clock`: its clock is set, and set right again. `poison`: some runs end
 * each process that executes them, and nothing else does harm. `deploys`: releases come and go. `open`: handlers leave runs open, and others give them their verdicts. `steps`: handlers have durable steps, and sleep.
 */
export const kinds = ['stormy', 'backwards', 'clock', 'poison', 'deploys', 'open', 'steps'] as const;
export type Kind = (typeof kinds)[number];
const mix: readonly Kind[] = ['stormy', 'deploys', 'backwards', 'stormy', 'clock', 'deploys'];
export const kindOf = (seed: number): Kind => mix[seed % mix.length]!;

/** One call of the handler, at a time of the database's clock. */
export interface Execution {
  runId: string;
  jobId: string;
  nominalAt: number;
  attempt: number;
  at: number;
  /** When the storage handed the run out for it. */
  claimedAt: number;
}

/** What a scenario leaves behind for the checker, besides the storage. */
export interface Outcome {
  kind: Kind;
  storage: StorageAdapter;
  jobs: NewJob[];
  /** What the world saw. */
  executions: Execution[];
  /** Of the jobs whose id begins with `managed`. */
  changes: Change[];
  /** When the storage went back, and to when. */
  losses: readonly { from: number; until: number }[];
  /** How often the cluster stood still although it could work. */
  stalls: string[];
  /** Firings that are not as they should be. */
  misfirings: string[];
  faults: Record<string, number>;
  /** Of the kind `deploys`. */
  deploys?: DeployHistory;
  /** Of the kind `open`. */
  outsiders?: Outsiders;
  /** Of the kind `steps`. */
  steps?: StepHistory;
}

/** Breaks the storage on purpose. */
export type Spoil = (storage: StorageAdapter, database: SimulatedDatabase) => StorageAdapter;

/**
 * One seeded history: several engines work off recurring jobs and one-offs while they are slowed, cut off, frozen longer than their lease, killed
 * and replaced, while others lock rows, change schedules and take the database away; then all trouble ends and they finish. `spoil` may break the
 * storage on purpose.
 */
export async function playScenario(
  seed: number,
  spoil: Spoil = (storage) => storage,
  kind = kindOf(seed),
): Promise<Outcome> {
  if (kind === 'deploys') return playDeploys(seed, spoil);
  const random = new SeededRandom(seed);
  const clock = new ManualClock(Date.UTC(2026, 0, 1));
  const database = new SimulatedDatabase(clock);
  const storage = spoil(database.adapter, database);
  const executions: Execution[] = [];
  const faults: Record<string, number> = {};
  const count = (fault: string): void => void (faults[fault] = (faults[fault] ?? 0) + 1);
  const isPoison = kind === 'poison';
  const stormy: Trouble = isPoison
    ? // A beat and two such ways are shorter than a lease is trusted: what ends with it would be given up alone, though it has harmed nobody.
      { ...calm, slow: 0.02, slowestMs: 700 }
    : {
        slow: random.next() * 0.05,
        lostRequest: random.next() * 0.03,
        lostAnswer: random.next() * 0.03,
        late: random.next() * 0.01,
        crashBefore: random.next() * 0.004,
        crashAfter: random.next() * 0.004,
      };
  let trouble = stormy;
  const instances: (Instance | null)[] = Array.from({ length: random.between(2, 4) }, () => null);
  const watch = new StallWatch(
    database,
    () => instances,
    () => clock.now(),
    leaseMs,
  );

  function boot(slot: number): void {
    const process = new VirtualProcess(clock, random.between(-60_000, 60_000));
    const crash = (): void => {
      if (!process.alive) return;
      count('crash');
      process.kill();
      instances[slot] = null;
      clock.setTimer(random.between(500, 4_000), () => boot(slot));
    };
    const seen = troubledStorage(storage, clock, process, random, () => trouble, crash);
    const handlers = new HandlerRegistry();
    const concurrency = isPoison ? 10 : random.between(1, 5);
    const active = new Set<string>();
    handlers.register(
      'work',
      work(process, active, crash, () => engine.workerId),
      'scenario',
    );
    const options = {
      ...engineDefaults,
      name: `instance ${slot}`,
      app: 'simulation',
      version: '0',
      queues: ['default'],
      leaseMs,
      pollMs: 1_000,
      lookAheadMs: random.pick([0, 500, 2_000]),
      concurrency,
      shutdownTimeoutMs: 4_000,
      abortGraceMs: 500,
    };
    const engine: Engine = new Engine(
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
    instances[slot] = { process, engine, active, concurrency };
    // A start that the network prevents is repeated, as a platform would.
    engine.start().catch(() =>
      process.enter(() => {
        process.kill();
        boot(slot);
      }),
    );
  }

  const steps = new StepHistory(random, () => clock.now());
  const isOpen = kind === 'open';
  let isCalm = false;
  const outside = new VirtualProcess(clock, 0);
  const outsiders = new Outsiders(
    troubledStorage(
      storage,
      clock,
      outside,
      random,
      () => ({ ...trouble, crashBefore: 0, crashAfter: 0 }),
      () => undefined,
    ),
    outside,
    random,
  );

  const work =
    (process: VirtualProcess, active: Set<string>, crash: () => void, workerId: () => string | null) =>
    async (context: RunContext): Promise<void> => {
      const { runId, job, nominalAt, attempt, signal } = context;
      const key = `${runId} ${attempt}`;
      const at = database.clock.now();
      const claimedAt = database.handedOutAt(runId, workerId()) ?? at;
      executions.push({ runId, jobId: job.id, nominalAt: nominalAt.getTime(), attempt, at, claimedAt });
      watch.note();
      active.add(key);
      if (job.id.startsWith('poison')) return crash();
      if (kind === 'steps') {
        const wait = (ms: number): Promise<void> =>
          new Promise((resolve) => void process.setTimer(ms, resolve));
        const resting = async (rest: () => Promise<void>): Promise<void> => {
          active.delete(key);
          await rest();
          active.add(key);
        };
        const crashes = (): boolean => (isCalm ? false : (crash(), true));
        return steps.play(context, { wait, crash: crashes, resting }).finally(() => active.delete(key));
      }
      const fails = random.chance(0.15);
      const obeys = random.chance(0.7);
      if (!isPoison && random.chance(0.05)) context.snooze(random.between(0, 2_000));
      if (isOpen && !isCalm && random.chance(0.6))
        context.open(random.chance(0.7) ? { deadline: random.between(1, 8_000) } : {});
      try {
        await new Promise<void>((resolve, reject) => {
          process.setTimer(
            random.chance(0.1) ? random.between(1_000, 8_000) : random.between(0, 200),
            resolve,
          );
          if (obeys) signal.addEventListener('abort', () => reject(signal.reason as Error));
        });
        if (fails) throw new Error('The handler fails.');
      } finally {
        active.delete(key);
      }
    };

  const jobs = isPoison ? poisonJobs(random, clock.now()) : makeJobs(random, clock.now());
  await storage.insertJobs(jobs, 'raise');
  const changes: Change[] = [];
  for (let slot = 0; slot < instances.length; slot++) boot(slot);

  for (let second = 0; second < 60; second++) {
    await clock.advanceBy(random.between(500, 1_500));
    watch.look(trouble.lostRequest < 1);
    if (isPoison) continue;
    if (isOpen) outsiders.act([...new Set(executions.slice(-30).map(({ runId }) => runId))]);
    if (kind !== 'clock' && second < 55 && random.chance(0.3))
      await changeAtRandom(database, clock, random, changes);
    if (random.chance(0.1)) {
      count('lock');
      await lockSomething();
    }
    if (random.chance(0.03)) {
      count('read-only');
      database.takeNoChanges(random.between(500, 6_000));
    }
    if (kind === 'backwards' && second === 25) database.backUp();
    if (kind === 'backwards' && second === 28 + (seed % 7)) {
      count('back');
      database.goBack();
    }
    if (kind === 'clock' && random.chance(0.05)) {
      count('clock');
      database.clock.offsetMs = random.between(-120_000, 120_000);
      clock.setTimer(random.between(1_000, 8_000), () => (database.clock.offsetMs = 0));
    }
    const instance = random.pick(instances);
    if (instance === null) continue;
    const { process, engine } = instance;
    const fate = random.next();
    if (fate < 0.08) {
      count('freeze');
      process.freeze();
      clock.setTimer(random.between(500, 4 * leaseMs), () => process.thaw());
    } else if (fate < 0.13) {
      count('jump');
      process.jump(random.between(-3_600_000, 3_600_000));
    } else if (fate < 0.18) {
      count('cut');
      trouble = { ...stormy, lostRequest: 1 };
      clock.setTimer(random.between(500, 6_000), () => (trouble = stormy));
    } else if (fate < 0.23 && engine.running) {
      count('stop');
      const slot = instances.indexOf(instance);
      void engine.stop().then(() => process.alive && boot(slot));
    }
  }

  /** For a while: the row of some run that is not finished, or the cursor of some job. */
  async function lockSomething(): Promise<void> {
    const ms = random.between(1_000, 20_000);
    if (random.chance(0.3)) return database.lockJob(random.pick(database.jobUids()), ms);
    const { items } = await database.adapter.queryRuns({ state: 'running' }, { limit: 50 });
    if (items.length > 0) database.lockRun(random.pick(items), ms);
  }

  // The weather clears up: what is frozen thaws, what is dead comes back, the last instants pass, and all that was begun must end.
  await clock.advanceBy(4 * leaseMs);
  trouble = calm;
  isCalm = true;
  if (isOpen) {
    const last = new Outsiders(database.adapter, clock, random);
    await last.endAll();
    // What was under way may be opened still.
    await clock.advanceBy(30_000);
    await last.endAll();
    outsiders.given.push(...last.given);
  }
  await resumeAll(database, changes);
  await clock.advanceBy(4 * leaseMs + 150_000);
  // A worker that doubts the clock has retries wait by the time that it believes in: by as much as it was wrong, each time.
  for (let more = 0; kind === 'clock' && more < 10 && database.isBusy(); more++)
    await clock.advanceBy(60_000);
  return {
    ...{ kind, storage, jobs, executions, changes, losses: database.losses },
    ...{ stalls: watch.stalls, misfirings: database.firings.faults, faults },
    ...(isOpen && { outsiders }),
    ...(kind === 'steps' && { steps }),
  };
}
