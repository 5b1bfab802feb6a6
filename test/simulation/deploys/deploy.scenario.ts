import { JobIdTakenError } from '../../../lib/index.js';
import type { RunContext } from '../../../lib/engine/run.context.js';
import { ManualClock } from '../../../lib/testing/manual.clock.js';
import { every } from '../jobs.js';
import type { Execution, Outcome, Spoil } from '../scenario.js';
import { SeededRandom } from '../seeded.random.js';
import { SimulatedDatabase } from '../simulated.database.js';
import { StallWatch, type Instance } from '../stall.watch.js';
import { troubledStorage, type Trouble } from '../troubled.storage.js';
import { VirtualProcess } from '../virtual.process.js';
import { DeployHistory } from './deploy.history.js';
import { Fleet, type Slot } from './fleet.js';
import { concurrency, graceMs, handlerNamesOf, leaseMs, Pod } from './pod.js';
import { takenId } from './random.release.js';
import { declaredBy } from './release.js';
import { Rollouts } from './rollouts.js';

const calm: Trouble = { slow: 0, lostRequest: 0, lostAnswer: 0, late: 0, crashBefore: 0, crashAfter: 0 };
const steps = 150;
/** Whose releases come and go, and one beside, with methods of the same names, whose release stays. */
const apps = ['shop', 'other'] as const;
/** What keeps a process from following the others when it fails. */
const followsBy = /^(syncedSet|syncDefinitions|register|renew|getJob)$/;

/**
 * One seeded history of deploys: the processes of an app, in two roles, get releases whose jobs are scheduled otherwise, renamed, moved, disabled or gone, by rolling updates,
 * canaries and rollbacks; some must be refused; all crash, and are away for a while. In four of ten histories the network and the machines do harm as well. In the end all is calm.
 */
export async function playDeploys(seed: number, spoil: Spoil): Promise<Outcome> {
  const random = new SeededRandom(seed);
  const clock = new ManualClock(Date.UTC(2026, 0, 1));
  const database = new SimulatedDatabase(clock);
  const history = new DeployHistory(database);
  const storage = history.watching(spoil(database.adapter, database));
  const executions: Execution[] = [];
  const faults: Record<string, number> = {};
  const count = (fault: string): void => void (faults[fault] = (faults[fault] ?? 0) + 1);
  const stormy: Trouble = {
    ...calm,
    slow: random.next() * 0.02,
    lostRequest: random.next() * 0.01,
    lostAnswer: random.next() * 0.01,
    crashBefore: random.next() * 0.001,
    crashAfter: random.next() * 0.001,
  };
  const isStormy = random.chance(0.4);
  let trouble = isStormy ? stormy : calm;
  let started = 0;
  let everything: readonly string[] = [];
  const instances = new Map<Pod, Instance>();

  function boot(slot: Slot): void {
    const { app, role, release } = slot;
    const process = new VirtualProcess(clock, random.between(-60_000, 60_000));
    const crash = (): void => {
      if (!process.alive) return;
      count('crash');
      end(slot, pod);
      again(slot, random.between(500, 4_000));
    };
    const seen = troubledStorage(
      storage,
      clock,
      process,
      random,
      () => trouble,
      crash,
      (method) => {
        if (followsBy.test(method)) history.disturb(database.clock.now());
      },
    );
    const name = `${release.name} ${role} #${++started}`;
    history.attendance.expect(name, declaredBy(release, role));
    const active = new Set<string>();
    const names = [...new Set([...handlerNamesOf(release, role), ...(app === 'shop' ? everything : [])])];
    const pod: Pod = new Pod(name, app, role, release, names, {
      process,
      storage: seen,
      lock: storage.lock,
      random: random.next,
      work: (method, context) => work(pod, active, method, context),
    });
    slot.pod = pod;
    const executes: Instance['executes'] = (job) =>
      (job.app === null || job.app === app) && names.includes(job.definition.handler);
    instances.set(pod, { process, engine: pod.engine, active, concurrency, executes });
    pod.start().then(
      () => process.enter(() => (slot.isReady = slot.pod === pod && slot.isWanted)),
      (error: unknown) => process.enter(() => notStarted(slot, pod, error)),
    );
  }

  function notStarted(slot: Slot, pod: Pod, error: unknown): void {
    if (error instanceof JobIdTakenError) slot.isRefused = true;
    end(slot, pod);
    again(slot, random.between(500, 2_000));
  }

  function end(slot: Slot, pod: Pod): void {
    pod.kill();
    instances.delete(pod);
    if (slot.pod === pod) slot.pod = null;
    slot.isReady = false;
  }

  function again(slot: Slot, pauseMs: number): void {
    clock.setTimer(pauseMs, () => {
      if (slot.isWanted && slot.pod === null) boot(slot);
    });
  }

  async function work(pod: Pod, active: Set<string>, method: string, context: RunContext): Promise<void> {
    const { runId, job, nominalAt, attempt } = context;
    const key = `${runId} ${attempt}`;
    const at = database.clock.now();
    executions.push({ runId, jobId: job.id, nominalAt: nominalAt.getTime(), attempt, at, claimedAt: at });
    const jobApp = database.tables.runs.get(runId)?.job.app ?? null;
    history.work.push({ app: pod.app, jobApp, method, runId, nominalAt: nominalAt.getTime() });
    watch.note();
    active.add(key);
    try {
      await new Promise<void>((resolve) => pod.parts.process.setTimer(random.between(0, 200), resolve));
      if (random.chance(0.05)) throw new Error('The handler fails.');
    } finally {
      active.delete(key);
    }
  }

  const watch = new StallWatch(
    database,
    () => [...instances.values()],
    () => clock.now(),
    leaseMs,
  );
  const fleet = new Fleet(boot);
  const rollouts = apps.map((app) => new Rollouts(fleet, app, random, count));
  const jobs = [every(clock.now(), takenId, 5_000, clock.now(), { overlap: 'allow' })];
  await storage.insertJobs(jobs, 'raise');
  for (const each of rollouts) each.begin();
  const [shop, other] = rollouts as [Rollouts, Rollouts];
  const play = shop.play();

  for (let step = 0; step < steps; step++) {
    await pass(random.between(500, 1_500));
    play.next();
    if (isStormy) harm();
  }
  // The weather clears up, the release that was meant last is everywhere, and somebody has the code for whatever was begun.
  trouble = calm;
  everything = shop.methods;
  shop.complete();
  other.complete();
  for (let step = 0; step < 2 * graceMs; step += 1_000) await pass(1_000);
  history.settledAt = database.clock.now();
  for (let step = 0; step < 15; step++) await pass(1_000);
  return {
    ...{ kind: 'deploys', storage: database.adapter, jobs, executions, changes: [], losses: [] },
    ...{ stalls: watch.stalls, misfirings: database.firings.faults, faults, deploys: history },
  };

  async function pass(ms: number): Promise<void> {
    await clock.advanceBy(ms);
    for (const pod of instances.keys()) if (!pod.parts.process.alive) instances.delete(pod);
    watch.look(trouble.lostRequest < 1);
    await noteLock();
  }

  /** Who was killed in the middle of a sync leaves its lock for a while. */
  async function noteLock(): Promise<void> {
    for (const app of apps) {
      const state = await storage.lock.inspect(`chronis:sync:${app}`);
      const holder = state?.owner ?? null;
      const now = database.clock.now();
      const lives = [...instances.keys()].some(({ engine }) => engine.workerId === holder);
      if (holder !== null && !lives) history.disturb(now - 1_500, now);
    }
  }

  function harm(): void {
    const now = database.clock.now();
    const slot = random.pick(fleet.slots);
    const fate = random.next();
    if (fate < 0.03 && slot?.pod) {
      const { process } = slot.pod.parts;
      count('freeze');
      const ms = random.between(500, 3 * leaseMs);
      process.freeze();
      clock.setTimer(ms, () => process.thaw());
      history.disturb(now, now + ms);
    } else if (fate < 0.05) {
      count('cut');
      const ms = random.between(500, 5_000);
      trouble = { ...stormy, lostRequest: 1 };
      clock.setTimer(ms, () => (trouble = stormy));
      history.disturb(now, now + ms);
    } else if (fate < 0.06) {
      count('read-only');
      const ms = random.between(500, 5_000);
      database.takeNoChanges(ms);
      history.disturb(now, now + ms);
    } else if (fate < 0.09 && slot?.pod) {
      count('kill');
      const { pod } = slot;
      end(slot, pod);
      again(slot, random.between(500, 4_000));
    } else if (fate < 0.11 && slot?.pod) {
      count('jump');
      slot.pod.parts.process.jump(random.between(-3_600_000, 3_600_000));
    }
  }
}
