import { resolvePolicies, type Policies } from '../model/policies.js';
import type { Birth, DueCursor, Firing, NewGap } from '../ports/storage.adapter.js';
import type { CompiledTrigger } from '../triggers/compiled.trigger.js';
import { walked, type Walk } from '../triggers/walk.js';

/** Bounds the work of one firing; what is left over is due at once again. */
const maxBirths = 100;
const maxCounted = 100_000;

/**
 * What shall happen to a due cursor at `now`: which instants become runs, which become gaps, and where the cursor goes.
 * A pure function of its arguments, so every worker decides alike.
 *
 * An instant is misfired when it is late by more than the threshold. Without misfires every due instant becomes a run.
 * With them: `skip` leaves the misfired ones out, `once` lets the latest due instant stand for all the others,
 * `all` runs those within the limit, as many at a time as there is room for; one at a time, and none while a run goes on, where
 * runs of the job must not overlap. Null: not now, as there is no room.
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
  const policies = resolvePolicies(cursor.policies);
  const { trigger } = cursor;
  const maxRuns = 'maxRuns' in trigger ? (trigger.maxRuns ?? Infinity) : Infinity;
  const left = Math.max(maxRuns - cursor.fired, 0);
  const births: Birth[] = [];
  const gaps: NewGap[] = [];
  const birth = (nominalAt: number, missed: number): void => {
    births.push({ nominalAt, dueAt: nominalAt + compiled.jitterOf(nominalAt), missed });
  };

  // The last instant that this firing deals with; the cursor goes to the one after it.
  let last = cursor.nominalAt;
  let overlap: Firing['overlap'] = policies.overlap;
  const misfiredUntil = now - policies.misfireThresholdMs - 1;
  // Only the end of a run says when the next is due, so what the trigger says of that time is looked at when it has come.
  const delayed = compiled.fixedDelayMs === null ? null : compiled.stands(cursor.nominalAt);
  if (delayed === 'excluded' && left > 0) {
    gaps.push({ from: last, until: last, verdict: 'excluded', count: 1, reason: 'exclusion' });
  } else if (delayed !== null) {
    if (delayed === 'due' && left > 0) birth(cursor.nominalAt, 0);
  } else if (cursor.nominalAt > misfiredUntil) {
    last = birthEach(cursor.nominalAt, now, maxBirths);
  } else if (policies.misfire === 'all') {
    if (room <= 0) return null;
    if (overlap !== 'allow') overlap = 'wait';
    const dropped = yield* leaveOutBeyond(policies.misfireLimit);
    const first = dropped === null ? cursor.nominalAt : compiled.next(dropped.until);
    if (dropped !== null) last = dropped.until;
    if (first !== null && first <= now && !dropped?.more) {
      last = birthEach(first, now, overlap === 'wait' ? 1 : Math.min(room, maxBirths));
    }
  } else {
    const until = policies.misfire === 'once' ? now : misfiredUntil;
    const rest = yield* compiled.walkBetween(cursor.nominalAt, until, maxCounted);
    last = rest.last ?? cursor.nominalAt;
    const complete = rest.count < maxCounted;
    const total = rest.count + 1;
    if (policies.misfire === 'once' && complete) {
      birth(last, total - 1);
      const before = compiled.previous(last);
      if (total > 1) addMissed(cursor.nominalAt, before ?? cursor.nominalAt, total - 1);
    } else {
      addMissed(cursor.nominalAt, last, total);
    }
  }

  const fired = cursor.fired + births.length;
  let nextAt = delayed === 'due' ? Infinity : delayed === 'over' ? null : compiled.next(last);
  if (fired >= maxRuns) nextAt = null;
  const excluded =
    delayed !== null ? null : yield* compiled.walkExcluded(cursor.nominalAt, nextAt === null ? last : nextAt);
  if (excluded) gaps.push({ ...excluded, verdict: 'excluded', reason: 'exclusion' });
  return {
    jobUid: cursor.jobUid,
    nominalAt: cursor.nominalAt,
    revision: cursor.revision,
    nextAt,
    until: last,
    fired,
    overlap,
    births,
    gaps,
  };

  /**
   * Puts what `all` leaves out on record: what is too old, and what is too much. Null: nothing is. `more`: it is more than one gap takes, so
   * the rest of it follows, and what runs comes after that.
   */
  function* leaveOutBeyond({
    count,
    ageMs,
  }: Policies['misfireLimit']): Walk<{ until: number; more: boolean } | null> {
    const from = cursor.nominalAt;
    const later = yield* compiled.walkBetween(from, now, maxCounted);
    // The newest run, so of what lies beyond only so many matter.
    const isLong = later.count >= maxCounted;
    const beyond = isLong ? (yield* compiled.walkBetween(later.last!, now, count)).count : 0;
    const isOld = ageMs !== null && from < now - ageMs;
    const old = isOld ? 1 + (yield* compiled.walkBetween(from, now - ageMs - 1, maxCounted)).count : 0;
    const surplus = Math.max(old, 1 + later.count + beyond - count);
    if (surplus <= 0) return null;
    const dropped = Math.min(surplus, maxCounted);
    const until = dropped === 1 ? from : (yield* compiled.walkBetween(from, now, dropped - 1)).last!;
    gaps.push({ from, until, verdict: 'missed', count: dropped, reason: 'misfire limit' });
    return { until, more: surplus > dropped };
  }

  function birthEach(from: number, until: number, most: number): number {
    let at: number | null = from;
    let latest = from;
    while (at !== null && at <= until && births.length < Math.min(most, left)) {
      birth(at, 0);
      latest = at;
      at = compiled.next(at);
    }
    return latest;
  }

  function addMissed(from: number, until: number, count: number): void {
    gaps.push({ from, until, verdict: 'missed', count, reason: 'misfire' });
  }
}
