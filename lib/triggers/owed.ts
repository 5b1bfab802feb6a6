import type { Trigger } from '../model/trigger.js';
import { stableJson } from '../model/json.js';
import { compileTrigger } from './compiled.trigger.js';

const maxCounted = 100_000;
/** Enough for what fires ahead: a second or two of it. */
const maxPassed = 1_000;

/** Instants of a schedule that will not be made up for. */
export interface Owed {
  from: number;
  until: number;
  /** 0: it cannot be told here, as the trigger names calendars; 100,000: so many or more. */
  count: number;
}

/** What decides about the instants of a job. */
interface Schedule {
  trigger: Trigger;
  timeZone: string;
}

/**
 * What a schedule that stands at `at` owes up to `until`, and has not dealt with by `dealtUntil`; null: nothing. At infinity, waiting for the end of a run, and null, at
 * its end, it owes nothing.
 */
export function owedInstants(
  trigger: Trigger,
  jobKey: string,
  at: number | null,
  dealtUntil: number | null,
  until: number,
): Owed | null {
  if (at === null || at > until) return null;
  let from: number | null = at;
  try {
    const compiled = compileTrigger(trigger, jobKey);
    if (dealtUntil !== null && from <= dealtUntil) from = compiled.next(dealtUntil);
    if (from === null || from > until) return null;
    if (compiled.fixedDelayMs !== null) return { from, until: from, count: 1 };
    const { count, last } = compiled.countBetween(from, until, maxCounted - 1);
    return { from, until: count < maxCounted - 1 ? (last ?? from) : until, count: count + 1 };
  } catch {
    return { from: Math.max(from ?? at, (dealtUntil ?? -Infinity) + 1), until, count: 0 };
  }
}

/** Up to when a schedule that is to go on at `nextAt` owes what it stood for before; null: it does not go on. */
export function owedUntil(now: number, nextAt: number | null): number {
  return nextAt === null ? now : Math.min(now, nextAt - 1);
}

/**
 * The same where a method goes on under this id whose instants ran under another one, which may have fired some ahead: as long as the schedule is what it was, what it passes over on the
 * way to `nextAt` is owed too, also what is still to come. A fixed delay has no instants of its own.
 */
export function owedOnReturn(
  now: number,
  nextAt: number | null,
  former: Schedule,
  given: Schedule = former,
): number {
  const { trigger } = former;
  const isMoved = former.timeZone !== given.timeZone || stableJson(trigger) !== stableJson(given.trigger);
  const isFixedDelay = trigger.type === 'interval' && trigger.mode === 'fixed-delay';
  if (isMoved || isFixedDelay) return owedUntil(now, nextAt);
  return nextAt === null ? Math.max(now, endOf(trigger) ?? now) : nextAt - 1;
}

/**
 * Where a schedule stands that is to go on at `at`: after what it has dealt with, where that is not before. So an instant that fired while somebody worked out where to go on is neither run nor on record again.
 * A fixed delay has no instants of its own, and those that a trigger with calendars has cannot be told here.
 */
export function afterDealt(
  trigger: Trigger,
  jobKey: string,
  at: number,
  dealtUntil: number | null,
): number | null {
  if (dealtUntil === null || at > dealtUntil) return at;
  try {
    const compiled = compileTrigger(trigger, jobKey);
    return compiled.fixedDelayMs === null ? compiled.next(dealtUntil) : at;
  } catch {
    return at;
  }
}

/** The instants to come of a schedule that is to go on at `at`, and passes over them, since its job has fired beyond them by another schedule; at most 1,000. */
export function passedOver(
  trigger: Trigger,
  jobKey: string,
  at: number | null,
  dealtUntil: number | null,
  now: number,
): number[] {
  const passed: number[] = [];
  if (at === null || dealtUntil === null || at > dealtUntil || dealtUntil <= now) return passed;
  try {
    const compiled = compileTrigger(trigger, jobKey);
    if (compiled.fixedDelayMs !== null) return passed;
    let instant = compiled.next(Math.max(at - 1, now));
    while (instant !== null && instant <= dealtUntil && passed.length < maxPassed) {
      passed.push(instant);
      instant = compiled.next(instant);
    }
  } catch {
    // Those of a trigger with calendars cannot be told here, and it goes on at `at`.
  }
  return passed;
}

/** After that it has no instant; null: it has no end. */
function endOf(trigger: Trigger): number | null {
  if (trigger.type === 'at') return Date.parse(trigger.at);
  const endAt = 'endAt' in trigger ? trigger.endAt : undefined;
  return endAt === undefined ? null : Date.parse(endAt);
}
