import type { SeededRandom } from '../seeded.random.js';
import type { Fleet, Slot } from './fleet.js';
import { firstRelease, nextRelease, refusedRelease } from './random.release.js';
import { declaredBy, roles, type Release, type Role } from './release.js';

type Steps = Generator<void, void, void>;

/** What the people of one app do with its processes, step by step: about a second lies between two steps. */
export class Rollouts {
  private readonly all: Release[];
  private current: Release;

  constructor(
    private readonly fleet: Fleet,
    private readonly app: string,
    private readonly random: SeededRandom,
    private readonly count: (what: string) => void,
  ) {
    this.current = firstRelease(random, app);
    this.all = [this.current];
  }

  /** All methods that any release has had. */
  get methods(): string[] {
    return [...new Set(this.all.flatMap(({ methods }) => methods.map(({ method }) => method)))];
  }

  begin(): void {
    for (const role of roles) {
      for (let nth = this.random.between(1, 2); nth > 0; nth--) this.fleet.add(this.app, role, this.current);
    }
  }

  /** Without end. */
  *play(): Steps {
    const { random } = this;
    while (true) {
      yield* pause(random.between(1, 14));
      const draw = random.next();
      if (draw < 0.25) yield* this.named('deploy', this.deploy());
      else if (draw < 0.6) yield* this.named('canary', this.canary());
      else if (draw < 0.67) yield* this.named('rollback', this.roll(random.pick(this.all)));
      else if (draw < 0.75) yield* this.named('refused', this.refused());
      else if (draw < 0.83) yield* this.named('outage', this.outage());
      else yield* this.named('restart', this.restart());
    }
  }

  /** All processes are those of the release that was meant last. */
  complete(): void {
    for (const slot of this.fleet.of(this.app)) this.fleet.remove(slot);
    for (const role of roles) this.fleet.add(this.app, role, this.current);
  }

  private named(what: string, steps: Steps): Steps {
    this.count(what);
    return steps;
  }

  private next(): Release {
    // Mostly the last one with changes, sometimes an earlier one.
    const from = this.random.chance(0.8) ? this.current : this.random.pick(this.all);
    const release = nextRelease(this.random, from, `${this.app} v${this.all.length + 1}`);
    this.all.push(release);
    return release;
  }

  /** A rolling update, which may be broken off and taken back. */
  private *deploy(): Steps {
    const before = this.current;
    const goesBack = this.random.chance(0.25);
    yield* this.roll(this.next(), goesBack ? this.random.between(1, 2) : Infinity);
    if (!goesBack) return;
    yield* pause(this.random.between(0, 12));
    yield* this.roll(before);
  }

  /** One process after the other gets the release; the new one is started before the old one is stopped, or after. */
  private *roll(to: Release, most = Infinity): Steps {
    const { random, fleet, app } = this;
    this.current = to;
    const olds = fleet.of(app).filter(({ release }) => release !== to);
    for (const old of shuffled(random, olds).slice(0, most)) {
      if (random.chance(0.6)) {
        const slot = fleet.add(app, old.role, to);
        yield* untilReady(slot);
        yield* pause(random.between(0, 3));
        fleet.remove(old);
      } else {
        fleet.remove(old);
        yield* pause(random.between(0, 3));
        fleet.add(app, old.role, to);
      }
      yield* pause(random.between(0, 3));
    }
  }

  /** One process with another release or configuration beside the others, which is kept or taken back. */
  private *canary(): Steps {
    const { random, fleet, app, current: before } = this;
    const release = this.next();
    const changed = roles.filter((role) => textOf(release, role) !== textOf(before, role));
    const slot = fleet.add(app, random.pick(changed.length > 0 ? changed : roles), release);
    yield* untilReady(slot);
    yield* pause(random.between(1, 18));
    if (random.chance(0.35)) return yield* this.roll(release);
    if (random.chance(0.3)) fleet.crash(slot);
    else fleet.remove(slot);
    // Nobody starts meanwhile: the others have to follow by themselves.
    yield* pause(random.between(0, 16));
  }

  /** One process with a release that must not start; the platform tries it again and again. */
  private *refused(): Steps {
    const { random, fleet, app } = this;
    const release = refusedRelease(random, this.current, `${app} refused`);
    const slot = fleet.add(app, random.pick(roles), release);
    for (let step = 0; step < 20 && !slot.isRefused; step++) yield;
    yield* pause(random.between(0, 4));
    fleet.remove(slot);
  }

  /** All processes of the app, or of one role, are gone for a while, and come back with the same release or another one. */
  private *outage(): Steps {
    const { random, fleet, app } = this;
    const role: Role | null = random.pick(['web', 'worker', null]);
    const olds = fleet.of(app).filter((slot) => role === null || slot.role === role);
    for (const slot of olds) {
      if (random.chance(0.5)) fleet.crash(slot);
      else fleet.remove(slot);
    }
    yield* pause(random.pick([2, 6, 12, 30, 40]));
    if (random.chance(0.3)) this.current = this.next();
    for (const slot of olds) fleet.add(app, slot.role, random.chance(0.7) ? this.current : slot.release);
  }

  private *restart(): Steps {
    const { random, fleet, app } = this;
    const slot = random.pick(fleet.of(app));
    if (random.chance(0.5)) fleet.crash(slot);
    else fleet.remove(slot);
    yield* pause(random.between(0, 5));
    fleet.add(app, slot.role, slot.release);
  }
}

function textOf(release: Release, role: Role): string {
  return JSON.stringify(declaredBy(release, role));
}

function* pause(steps: number): Steps {
  for (let step = 0; step < steps; step++) yield;
}

function* untilReady(slot: Slot): Steps {
  for (let step = 0; step < 20 && !slot.isReady; step++) yield;
}

function shuffled<T>(random: SeededRandom, items: readonly T[]): T[] {
  const drawn = items.map((item) => ({ item, at: random.next() }));
  return drawn.toSorted((a, b) => a.at - b.at).map(({ item }) => item);
}
