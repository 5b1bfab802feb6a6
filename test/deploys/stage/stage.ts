import assert from 'node:assert/strict';
import type { Release } from '../language/release.js';
import { schedulesOf, told, type Expected } from '../language/schedules.js';
import type { Scenario } from '../language/scenario.js';
import type { Call, StoredAs } from '../language/steps.js';
import { Instance, nameOf, type Casting } from './instance.js';
import { History, methodKey } from './history.js';
import { definitions, jobOf, lookAfter } from './stored.js';
import type { World } from './world.js';

/** What is promised: the schedule of the expected release is in force within it. */
const promisedMs = 10_000;
/** What has just begun may still be of before. */
const transitionMs = 250;
/** How late a run may be seen, on a machine with much to do. */
const patienceMs = 5_000;
/** How long nothing else may come. */
const calmMs = 350;

/** Plays a scenario in a world, keeps a record of what is seen, and compares it with what is expected. */
export class Stage {
  private readonly instances = new Map<string, Instance>();
  /** Names that are in use, also of those that are about to start. */
  private readonly cast = new Set<string>();
  /** Of those that crashed: to be closed in the end. */
  private readonly wrecks: Instance[] = [];
  private readonly releases = new Map<string, Release>();
  private readonly history: History;
  /** What happened, for messages. */
  private readonly log: string[] = [];
  /** How long it may take until what happened last has its effect. */
  private allowedMs = promisedMs;
  /** When the last ones so far began to stop, or crashed. Those that go one after the other may hand a run on to the last. */
  private leftAt = -Infinity;

  private constructor(private readonly world: World) {
    this.history = new History(world.ticks);
  }

  /** Rejects with the first thing that is not as expected. Resolves with the longest time in ms that it took until the expected release was in force. */
  static async play(scenario: Scenario, world: World): Promise<number> {
    await world.open();
    const stage = new Stage(world);
    try {
      for (const step of scenario.steps) await step.play(stage);
      await stage.verify();
      return stage.history.slowestMs;
    } catch (error) {
      if (error instanceof Error) error.message += `\n${stage.log.join('\n')}`;
      throw error;
    } finally {
      await stage.close();
    }
  }

  /** Of a version, a role of it, or one instance; '' for all. */
  live(who: string): Instance[] {
    const all = [...this.instances.values()];
    return all.filter(({ name }) => who === '' || name === who || name.startsWith(`${who} `));
  }

  /** `role`: one more instance of this role only, if the release has it. `atOnce`: none waits for the others. */
  async start(
    version: string,
    given?: Release,
    { role, atOnce = false }: { role?: string; atOnce?: boolean } = {},
  ): Promise<void> {
    const release = given ?? this.releases.get(version);
    assert(release, `Nothing is known of the release ${version}.`);
    this.releases.set(version, release);
    const boots: Promise<void>[] = [];
    for (const each of Object.keys(release.roles).filter((one) => role === undefined || one === role)) {
      const more = role === undefined ? (release.replicas ?? 1) : 1;
      for (let n = 0; n < more; n++) {
        const booting = this.boot(this.next(version, each, release));
        boots.push(booting);
        if (!atOnce) await booting;
      }
    }
    await Promise.all(boots);
  }

  async stop(who: string): Promise<void> {
    this.allowedMs = promisedMs;
    const beganAt = this.world.clock.now();
    for (const instance of this.some(who)) {
      this.leave(instance, beganAt);
      await this.world.during(instance.close());
    }
  }

  async crash(who: string): Promise<void> {
    for (const instance of this.some(who)) {
      this.leave(instance, this.world.clock.now());
      this.wrecks.push(instance);
      await this.world.during(instance.crash());
    }
    this.allowedMs = promisedMs + this.world.leaseMs;
  }

  async restart(who: string): Promise<void> {
    for (const { name, casting } of this.some(who)) {
      await this.stop(name);
      this.cast.add(name);
      await this.boot(casting);
    }
  }

  async refuse(version: string, release: Release, because: string): Promise<void> {
    const { observer } = this.world;
    const before = await definitions(observer);
    const error: unknown = await this.start(version, release).then(
      () => assert.fail(`${version} started.`),
      (refusal: unknown) => refusal,
    );
    assert.equal((error as { code?: string }).code, because, String(error));
    assert.deepEqual(await definitions(observer), before, 'A start that was refused has written something.');
  }

  leap(minutes: number): Promise<void> {
    return this.world.leap(minutes * 60_000);
  }

  async wait(minutes: number): Promise<void> {
    await this.world.wait(minutes * 60_000, this.live(''));
  }

  lookAgain(who: string): Promise<void> {
    return this.world.lookAgain(() => this.restart(who));
  }

  async call(who: string, work: Call): Promise<void> {
    const [one] = this.some(who);
    const { ticks } = this.world;
    await this.world.during(work(one!.scheduler, (schedule) => ticks.scheduleOf(schedule) as string));
  }

  async stored(id: string, as: StoredAs | null): Promise<void> {
    const { runsOf, ...expected } = as ?? {};
    const look = async (): Promise<unknown> => {
      const job = await jobOf(this.world.observer, id);
      if (job === null) return null;
      const seen: Record<string, unknown> = {};
      for (const key of Object.keys(expected) as (keyof typeof expected)[]) seen[key] = job[key];
      if (runsOf !== undefined) seen.runs = job.runCount;
      return seen;
    };
    const wanted = as && { ...expected, ...(runsOf && { runs: this.history.countOf(runsOf) }) };
    const isSo = async (): Promise<boolean> => JSON.stringify(await look()) === JSON.stringify(wanted);
    if ((await this.world.until(isSo, this.allowedMs)) === null)
      assert.deepEqual(await look(), wanted, `the job "${id}"`);
  }

  async during(ticks: number, expected: Record<string, Expected>): Promise<void> {
    const { world, history } = this;
    const tookMs = await world.until(() => this.isInForce(expected), this.allowedMs);
    if (tookMs === null) {
      const seen = await definitions(world.observer);
      const wanted = Object.entries(expected).map(([key, one]) => `${key} ${told(one)}`);
      assert.fail(
        `Not in force within ${this.allowedMs / 1_000} s: ${wanted.join(', ')}.\n${JSON.stringify(seen, null, 1)}`,
      );
    }
    this.allowedMs = promisedMs;
    const from = Math.ceil((world.clock.now() + transitionMs) / 1_000) * 1_000;
    const to = from + Math.min(ticks, world.mostTicks(expected)) * world.ticks.tickMs;
    const window = { from, to, expected, tookMs };
    history.windows.push(window);
    await world.passUntil(to);
    await world.until(async () => history.isComplete(window), patienceMs);
    await world.passUntil(to + calmMs);
    history.compare(window);
  }

  private async isInForce(expected: Record<string, Expected>): Promise<boolean> {
    for (const [key, given] of Object.entries(expected)) {
      const { app, method } = methodKey(key);
      for (const schedule of schedulesOf(given)) {
        const job = await jobOf(this.world.observer, schedule.id ?? method);
        if (!job || job.app !== app || job.orphanedAt !== null) return false;
        if (!this.world.ticks.isOf(schedule, job)) return false;
      }
    }
    return true;
  }

  private async verify(): Promise<void> {
    // What is under way comes to its end.
    if (this.live('').length > 0) await this.stop('');
    this.history.verify(await lookAfter(this.world.observer), [...this.releases.values()], this.leftAt);
  }

  private async boot(casting: Casting): Promise<void> {
    this.allowedMs = promisedMs;
    const { world, history } = this;
    const booting = Instance.boot(world, casting, {
      ran: (method, run) => history.note(casting, method, run),
      told: (what) => void this.log.push(`${world.ticks.at(world.clock.now()).padStart(6)} ${what}`),
    });
    try {
      this.instances.set(nameOf(casting), await world.during(booting));
    } catch (error) {
      this.cast.delete(nameOf(casting));
      throw error;
    }
  }

  private next(version: string, role: string, release: Release): Casting {
    let replica = 1;
    while (this.cast.has(nameOf({ version, role, replica, release }))) replica++;
    const casting = { version, role, replica, release };
    this.cast.add(nameOf(casting));
    return casting;
  }

  private leave({ name }: Instance, at: number): void {
    this.leftAt = at;
    this.instances.delete(name);
    this.cast.delete(name);
  }

  private some(who: string): Instance[] {
    const found = this.live(who);
    assert(found.length > 0, `Nobody is "${who}". There are: ${[...this.instances.keys()].join(', ')}.`);
    return found;
  }

  private async close(): Promise<void> {
    const { world } = this;
    for (const instance of [...this.instances.values(), ...this.wrecks])
      await world.during(instance.close()).catch(() => undefined);
    await world.close();
  }
}
