import type { Period } from './attendance.js';
import type { Scheduled } from './release.js';

/** What should be in force at one time: ids with the declaration that holds. Null: that cannot be told, as two may have appeared at the same time. */
export type Expectation = ReadonlyMap<string, Scheduled> | null;

/** A period with names for what it carries: the set, and each of its declarations. */
interface Carried extends Period {
  set: string;
  keys: ReadonlySet<string>;
}

/**
 * The rule of docs/guides/deploys.md once more, in the simplest way, from the history alone: who was there when, with which code. `graceMs`: what nobody has carried for so long
 * appears anew.
 */
export class DeployModel {
  private readonly periods: readonly Carried[];

  constructor(
    periods: readonly Period[],
    private readonly graceMs: number,
    /** A registration may be carried out so much later than what it goes by was read. */
    private readonly blurMs: number,
  ) {
    this.periods = periods
      .map((period) => {
        const keys = period.declared.map(keyOf);
        return { ...period, set: keys.toSorted().join(), keys: new Set(keys) };
      })
      .toSorted((a, b) => a.from - b.from);
  }

  /** When something may have changed. */
  get turns(): number[] {
    const all = new Set(this.periods.flatMap(({ from, until }) => [from, until]));
    return [...all].toSorted((a, b) => a - b);
  }

  /** What should be in force at this time, which begins it. */
  at(time: number): Expectation {
    const live = this.periods.filter(({ from, until }) => from <= time && time < until);
    const sets = new Map(live.map(({ set, declared }) => [set, declared]));
    const newestFirst = this.inOrder([...sets.keys()], time, (key, period) => period.set === key);
    if (newestFirst === null) return null;

    const counting = whatCounts(newestFirst.map((set) => sets.get(set)!));
    const effective = new Map<string, Scheduled>();
    for (const id of new Set(counting.map((each) => each.id))) {
      const versions = new Map(counting.filter((each) => each.id === id).map((each) => [keyOf(each), each]));
      const latestFirst = this.inOrder([...versions.keys()], time, (key, { keys }) => keys.has(key));
      if (latestFirst === null) return null;
      effective.set(id, versions.get(latestFirst[0]!)!);
    }
    return effective;
  }

  /** What appeared last comes first; null: that cannot be told. */
  private inOrder(
    names: readonly string[],
    time: number,
    carries: (name: string, period: Carried) => boolean,
  ): string[] | null {
    if (names.length < 2) return [...names];
    const dated = names.map((name) => ({
      name,
      since: this.appeared(time, (period) => carries(name, period)),
    }));
    if (new Set(dated.map(({ since }) => since)).size < dated.length) return null;
    if (dated.some(({ since }) => since === null)) return null;
    return dated.toSorted((a, b) => b.since! - a.since!).map(({ name }) => name);
  }

  /** Since when somebody has carried it without a break that is longer than the grace; null: that cannot be told. */
  private appeared(time: number, carries: (period: Carried) => boolean): number | null {
    let since: number | null = null;
    let until = -Infinity;
    for (const period of this.periods) {
      if (period.from > time || !carries(period)) continue;
      const breakMs = period.from - until;
      if (breakMs > this.graceMs) since = period.from;
      if (Math.abs(breakMs - this.graceMs) < this.blurMs) since = null;
      until = Math.max(until, period.until);
    }
    return since;
  }
}

/** Of the ids that code gives to a method, those of the newest code that has it; and no id that newer code renames. */
function whatCounts(newestFirst: readonly (readonly Scheduled[])[]): Scheduled[] {
  const counting: Scheduled[] = [];
  for (const declared of newestFirst) {
    const newer = [...counting];
    for (const each of declared) {
      const isRenamed = newer.some(({ previousIds }) => previousIds.includes(each.id));
      const ofMethod = newer.filter(({ method }) => method === each.method);
      const isOtherId = ofMethod.length > 0 && !ofMethod.some(({ id }) => id === each.id);
      if (!isRenamed && !isOtherId) counting.push(each);
    }
  }
  return counting;
}

/** One declaration is another one when anything about it differs that is stored, or what it renames. */
function keyOf({ method, id, schedule, options, previousIds }: Scheduled): string {
  return JSON.stringify([id, method, schedule, options, previousIds]);
}
