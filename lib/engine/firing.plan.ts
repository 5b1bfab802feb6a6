import { resolvePolicies, type Policies } from '../model/policies.js';
import type { Birth, DueCursor, EpochMs, Firing, NewGap } from '../ports/storage.adapter.js';
import type { CompiledTrigger } from '../triggers/compiled.trigger.js';
import { walked, type Walk } from '../triggers/walk.js';

/** Bounds the work of one firing; what is left over is due at once again. */
const maxBirths = 100;
const maxCounted = 100_000;
/** What a storage counts to. */
const maxPerGap = 2_000_000_000;

/** Due instants, and by what is decided about them. */
interface Due {
  from: EpochMs;
  now: EpochMs;
  /** What is as old or older is misfired. */
  misfiredUntil: EpochMs;
  policies: Policies;
  compiled: CompiledTrigger;
  /** How many runs the worker has room for. */
  room: number;
  /** How many more `maxRuns` allows. */
  left: number;
}

interface Decision {
  births: Birth[];
  gaps: NewGap[];
  /** The last instant that this firing deals with, and the one after it. */
  last: EpochMs;
  nextAt: EpochMs | null;
  overlap: Firing['overlap'];
}

/**
 * What shall happen to a due cursor at `now`: which instants become runs, which become gaps, and where the cursor goes.
 * A pure function of its arguments, so every worker decides alike.
 *
 * Several instants that are found due together are caught up, however long it took: `once` lets the latest stand for all the others, `all` runs those within
 * the limit, as many at a time as there is room for; one at a time, and none while a run goes on, where runs of the job must not overlap. Null: not now, as there is no room.
 * With `skip` those that are late by more than the threshold do not run, and the latest of the others stands for them.
 */
export function planFiring(
  cursor: DueCursor,
  compiled: CompiledTrigger,
  now: number,
  room: number,
): Firing | null {
  return walked(walkFiring(cursor, compiled, now, room));
}

/** The same, bit by bit: there may be very many instants to catch up. */
export function* walkFiring(
  cursor: DueCursor,
  compiled: CompiledTrigger,
  now: number,
  room: number,
): Walk<Firing | null> {
  const { jobUid, nominalAt, revision, trigger } = cursor;
  const policies = resolvePolicies(cursor.policies);
  const maxRuns = 'maxRuns' in trigger ? (trigger.maxRuns ?? Infinity) : Infinity;
  const left = Math.max(maxRuns - cursor.fired, 0);
  const misfiredUntil = now - policies.misfireThresholdMs - 1;
  const due = { from: nominalAt, now, misfiredUntil, policies, compiled, room, left };
  const decision = compiled.fixedDelayMs === null ? yield* decide(due) : decideDelayed(due);
  if (decision === null) return null;
  const { births, gaps, last, overlap } = decision;
  const fired = cursor.fired + births.length;
  const nextAt = fired >= maxRuns ? null : decision.nextAt;
  if (compiled.fixedDelayMs === null) {
    const excluded = yield* compiled.walkExcluded(nominalAt, nextAt === null ? last : nextAt);
    if (excluded) gaps.push({ ...excluded, verdict: 'excluded', reason: 'exclusion' });
  }
  return { jobUid, nominalAt, revision, nextAt, until: last, fired, overlap, births, gaps };
}

/** Only the end of a run says when the next is due, so what the trigger says of that time is looked at when it has come. */
function decideDelayed(due: Due): Decision {
  const { from, compiled, left } = due;
  switch (left === 0 ? 'over' : compiled.stands(from)) {
    case 'excluded': {
      const gap = { from, until: from, verdict: 'excluded', count: 1, reason: 'exclusion' } as const;
      return { ...passing(due, from), gaps: [gap] };
    }
    case 'due':
      return { ...passing(due, from, Infinity), births: [birthOf(due, from)] };
    case 'over':
      return passing(due, from, null);
  }
}

function* decide(due: Due): Walk<Decision | null> {
  const { from, now, misfiredUntil, policies, compiled, room, left } = due;
  const following = compiled.next(from);
  if (left === 0) return passing(due, from, following);
  const isAlone = following === null || following > now;
  if (isAlone && (policies.misfire === 'once' || from > misfiredUntil)) {
    return { ...passing(due, from, following), births: [birthOf(due, from)] };
  }
  if (policies.misfire !== 'all') return yield* catchUpByLatest(due);
  return room > 0 ? yield* catchUpEach(due) : null;
}

/** One run, of the latest instant, and one gap of all the others. With `skip` no run, where that one is misfired as well. */
function* catchUpByLatest(due: Due): Walk<Decision> {
  const { from, now, misfiredUntil, policies, compiled } = due;
  const rest = yield* compiled.walkBetween(from, now, maxPerGap, maxCounted);
  const last = rest.last ?? from;
  const decision = passing(due, last);
  const isWhole = decision.nextAt === null || decision.nextAt > now;
  const runs = isWhole && (policies.misfire === 'once' || last > misfiredUntil);
  if (!runs) return { ...decision, gaps: [missed(from, last, rest.count + 1, 'misfire')] };
  const standsFor =
    policies.misfire === 'once'
      ? rest.count
      : (yield* compiled.walkBetween(Math.max(from - 1, misfiredUntil), last - 1, maxPerGap)).count;
  const births = [birthOf(due, last, standsFor)];
  if (rest.count === 0) return { ...decision, births };
  return {
    ...decision,
    births,
    gaps: [missed(from, compiled.previous(last) ?? from, rest.count, 'misfire')],
  };
}

/** Each of them, as far as the limit goes. */
function* catchUpEach(due: Due): Walk<Decision> {
  const { from, now, policies, compiled, room, left } = due;
  const overlap = policies.overlap === 'allow' ? 'allow' : 'wait';
  const dropped = yield* leaveOutBeyond(due, policies.misfireLimit);
  const gaps = dropped === null ? [] : [dropped.gap];
  const births: Birth[] = [];
  const most = Math.min(overlap === 'wait' ? 1 : Math.min(room, maxBirths), left);
  let last = dropped?.gap.until ?? from;
  let at = dropped === null ? from : compiled.next(last);
  while (at !== null && at <= now && births.length < most && !dropped?.more) {
    births.push(birthOf(due, at));
    last = at;
    at = compiled.next(at);
  }
  return { births, gaps, last, nextAt: at, overlap };
}

/**
 * Puts what `all` leaves out on record: what is too old, and what is too much. Null: nothing is. `more`: it is more than one gap takes, so
 * the rest of it follows, and what runs comes after that.
 */
function* leaveOutBeyond(
  { from, now, compiled }: Due,
  { count, ageMs }: Policies['misfireLimit'],
): Walk<{ gap: NewGap; more: boolean } | null> {
  const later = yield* compiled.walkBetween(from, now, maxPerGap, maxCounted);
  // The newest run, so of what lies beyond only so many matter.
  const isLong = (compiled.next(later.last ?? from) ?? Infinity) <= now;
  const beyond = isLong ? (yield* compiled.walkBetween(later.last!, now, count)).count : 0;
  const oldUntil = ageMs === null ? -Infinity : now - ageMs - 1;
  const old =
    from <= oldUntil ? 1 + (yield* compiled.walkBetween(from, oldUntil, maxPerGap, maxCounted)).count : 0;
  const surplus = Math.max(old, 1 + later.count + beyond - count);
  if (surplus <= 0) return null;
  const dropped = isLong ? Math.min(surplus, later.count) : surplus;
  const until = dropped === 1 ? from : (yield* compiled.walkBetween(from, now, dropped - 1)).last!;
  return { gap: missed(from, until, dropped, 'misfire limit'), more: surplus > dropped };
}

/** Nothing runs, up to this instant. */
function passing({ compiled, policies }: Due, last: EpochMs, nextAt = compiled.next(last)): Decision {
  return { births: [], gaps: [], last, nextAt, overlap: policies.overlap };
}

function birthOf({ compiled }: Due, nominalAt: EpochMs, standsFor = 0): Birth {
  return { nominalAt, dueAt: nominalAt + compiled.jitterOf(nominalAt), missed: standsFor };
}

function missed(from: EpochMs, until: EpochMs, count: number, reason: string): NewGap {
  return { from, until, verdict: 'missed', count, reason };
}
