import type { Calendars, CronTrigger, IntervalTrigger, Trigger } from '../model/trigger.js';
import { BoundedCache } from './bounded.cache.js';
import { CalendarSource } from './calendar.source.js';
import { planCron } from './cron.plan.js';
import { CronSource } from './cron.source.js';
import { Exclusions } from './exclusions.js';
import { delayed, noOccurrences, onceAt } from './fixed.sources.js';
import { IntervalSource } from './interval.source.js';
import type { OccurrenceSource } from './occurrence.source.js';
import { stableHash } from './stable.hash.js';
import { assertTimeZone } from './time.zone.js';
import { ZoneOffsets } from './zone.offsets.js';
import { stride, walked, type Walk } from './walk.js';

/** Excluded instants that one count names. */
const maxExcluded = 100_000;
const noCalendars: Calendars = {};

/** A trigger made ready for questions; all times in epoch milliseconds, all answers nominal. */
export class CompiledTrigger {
  /** For a fixed-delay interval: how long after the end of a run the next one is due. */
  readonly fixedDelayMs: number | null;
  private readonly startAt: number;
  private readonly endAt: number;
  private readonly jitterMs: number;

  constructor(
    readonly trigger: Trigger,
    readonly source: OccurrenceSource,
    readonly exclusions: Exclusions | null,
    private readonly jobKey: string,
  ) {
    const recurring = trigger.type === 'cron' || trigger.type === 'interval' ? trigger : null;
    this.startAt = recurring?.startAt === undefined ? -Infinity : Date.parse(recurring.startAt);
    this.endAt = recurring?.endAt === undefined ? Infinity : Date.parse(recurring.endAt);
    this.jitterMs = recurring?.jitter ?? 0;
    this.fixedDelayMs =
      trigger.type === 'interval' && trigger.mode === 'fixed-delay' ? (trigger.every as number) : null;
  }

  /** The first instant strictly after `after`. */
  next(after: number): number | null {
    let found = this.nominalFrom(after + 1);
    if (this.exclusions === null) return found;
    for (let stretches = 0; found !== null && stretches < this.exclusions.maxStretches; stretches++) {
      if (!this.exclusions.excludes(found)) return found;
      found = this.atOrAfter(this.exclusions.endAfter(found));
    }
    return null;
  }

  /** The last instant strictly before `before`. */
  previous(before: number): number | null {
    let found = this.nominalUpTo(before - 1);
    if (this.exclusions === null) return found;
    for (let stretches = 0; found !== null && stretches < this.exclusions.maxStretches; stretches++) {
      if (!this.exclusions.excludes(found)) return found;
      found = this.nominalUpTo(this.exclusions.lastBefore(found));
    }
    return null;
  }

  /**
   * How many instants t with after < t ≤ until there are, and the last of them; stops at `limit`, and then `last` is
   * the one that reached it. Intervals without exclusions are not walked, and crons hour by hour.
   */
  countBetween(after: number, until: number, limit: number): { count: number; last: number | null } {
    return walked(this.walkBetween(after, until, limit));
  }

  /** The same, bit by bit; stops as well after so many steps, each of an instant or an hour of them. */
  *walkBetween(
    after: number,
    until: number,
    limit: number,
    mostSteps = Infinity,
  ): Walk<{ count: number; last: number | null }> {
    if (this.exclusions === null && this.source instanceof IntervalSource) {
      return this.source.countBetween(Math.max(after + 1, this.startAt), Math.min(until, this.endAt), limit);
    }
    let count = 0;
    let last: number | null = null;
    let steps = 0;
    for (let at = this.next(after); at !== null && at <= until && count < limit; at = this.next(last)) {
      const hour = this.hourFrom(at);
      const isWhole = hour !== null && hour.last <= until && hour.count <= limit - count;
      count += isWhole ? hour.count : 1;
      last = isWhole ? hour.last : at;
      if (++steps % stride === 0) yield stride;
      if (steps >= mostSteps) break;
    }
    // Many short walks are a long one.
    yield steps % stride;
    return { count, last };
  }

  /** As many instants as may be counted at once, from this one on. */
  private hourFrom(at: number): { count: number; last: number } | null {
    const hour = this.source instanceof CronSource ? this.source.hourFrom(at) : null;
    if (hour === null || hour.last > this.endAt) return null;
    return this.exclusions === null || this.exclusions.spares(at, hour.last) ? hour : null;
  }

  /** The excluded instants strictly between two instants; counts at most 100,000 of them. */
  excludedBetween(after: number, until: number): { from: number; until: number; count: number } | null {
    return walked(this.walkExcluded(after, until));
  }

  /** The same, bit by bit. */
  *walkExcluded(after: number, until: number): Walk<{ from: number; until: number; count: number } | null> {
    if (this.exclusions === null) return null;
    let steps = 0;
    let from: number | null = null;
    let last = 0;
    let count = 0;
    for (let at = this.nominalFrom(after + 1); at !== null && at < until && count < maxExcluded;) {
      if (this.exclusions.excludes(at)) {
        from ??= at;
        last = at;
        count++;
      }
      at = this.nominalFrom(at + 1);
      if (++steps % stride === 0) yield stride;
    }
    yield steps % stride;
    return from === null ? null : { from, until: last, count };
  }

  /** What the trigger's limits say of a time that no grid gives, but the end of a run: `over` is after `endAt`. */
  stands(at: number): 'due' | 'excluded' | 'over' {
    if (at > this.endAt) return 'over';
    return this.exclusions?.excludes(at) ? 'excluded' : 'due';
  }

  /** How long after its nominal time an instant starts: the same on every worker, and before the next instant. */
  jitterOf(nominal: number): number {
    if (this.jitterMs === 0) return 0;
    const next = this.next(nominal);
    const room = next === null ? Infinity : next - nominal;
    return stableHash(`${this.jobKey}\n${nominal}`) % Math.min(this.jitterMs + 1, room);
  }

  /** The first instant once a time of no use is over: a fixed delay, which has no grid, goes on at once. */
  private atOrAfter(from: number): number | null {
    if (this.fixedDelayMs === null) return this.nominalFrom(from);
    return from > this.endAt ? null : from;
  }

  private nominalFrom(from: number): number | null {
    if (from < this.startAt && this.fixedDelayMs !== null) {
      return this.atOrAfter(Math.max(this.startAt, this.source.nextFrom(from) ?? from));
    }
    const found = this.source.nextFrom(from < this.startAt ? this.startAt : from);
    // An answer from the past would be fired again and again: rather an error than a loop.
    if (found !== null && found < from)
      throw new Error(`The instant after ${from} was computed as ${found}.`);
    return found === null || found > this.endAt ? null : found;
  }

  private nominalUpTo(until: number): number | null {
    const found = this.source.previousFrom(until > this.endAt ? this.endAt : until);
    if (found !== null && found > until)
      throw new Error(`The instant before ${until} was computed as ${found}.`);
    return found === null || found < this.startAt ? null : found;
  }
}

const maxCompiled = 20_000;
const compiled = new BoundedCache<CompiledTrigger>(maxCompiled);
const compiledWith = new WeakMap<Calendars, BoundedCache<CompiledTrigger>>();

/**
 * The compiled form of a stored trigger, kept by content. `jobKey` ("namespace/id") decides `H` and jitter. A trigger that
 * refers to a named calendar is kept for a registry that is frozen, since another one may change.
 */
export function compileTrigger(
  trigger: Trigger,
  jobKey: string,
  calendars: Calendars = noCalendars,
): CompiledTrigger {
  const content = JSON.stringify(trigger);
  const cache = content.includes('"calendar":"') ? cacheOf(calendars) : compiled;
  const key = `${jobKey}\n${content}`;
  return cache?.get(key) ?? keep(cache, key, compile(trigger, jobKey, calendars));
}

function cacheOf(calendars: Calendars): BoundedCache<CompiledTrigger> | null {
  if (!Object.isFrozen(calendars)) return null;
  let cache = compiledWith.get(calendars);
  if (!cache) compiledWith.set(calendars, (cache = new BoundedCache(maxCompiled)));
  return cache;
}

function keep(
  cache: BoundedCache<CompiledTrigger> | null,
  key: string,
  value: CompiledTrigger,
): CompiledTrigger {
  return cache === null ? value : cache.set(key, value);
}

function compile(trigger: Trigger, jobKey: string, calendars: Calendars): CompiledTrigger {
  const recurring = trigger.type === 'cron' || trigger.type === 'interval' ? trigger : null;
  const zone = assertTimeZone(recurring?.timeZone ?? 'UTC');
  const exclusions = Exclusions.compile(recurring?.exclude, zone, calendars);
  const source = sourceOf(trigger, jobKey, zone);
  const leftOut = exclusions?.weekdaysIn(zone) ?? 0;
  const isEmpty = leftOut !== 0 && source instanceof CronSource && !source.wall.everMatches(leftOut);
  return new CompiledTrigger(trigger, isEmpty ? noOccurrences : source, exclusions, jobKey);
}

function sourceOf(trigger: Trigger, jobKey: string, zone: string): OccurrenceSource {
  switch (trigger.type) {
    case 'cron':
      return cronSource(trigger, jobKey, zone);
    case 'interval':
      return intervalSource(trigger, zone);
    case 'at':
      return onceAt(Date.parse(trigger.at));
    default:
      return noOccurrences;
  }
}

function cronSource(trigger: CronTrigger, jobKey: string, zone: string): CronSource {
  const { wall, fixedTime } = planCron(trigger, jobKey);
  return new CronSource(wall, ZoneOffsets.of(zone), {
    gap: trigger.dst?.gap ?? (fixedTime ? 'run' : 'skip'),
    overlap: trigger.dst?.overlap ?? (fixedTime ? 'first' : 'both'),
  });
}

function intervalSource(trigger: IntervalTrigger, zone: string): OccurrenceSource {
  const anchor = Date.parse(trigger.anchor ?? trigger.startAt ?? '1970-01-01T00:00:00Z');
  const every = trigger.every as number;
  if (trigger.mode === 'fixed-delay') return delayed(anchor, every);
  return trigger.calendar
    ? new CalendarSource(anchor, every, ZoneOffsets.of(zone))
    : new IntervalSource(anchor, every);
}
