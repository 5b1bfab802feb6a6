import { resolvePolicies } from '../model/policies.js';
import type { Birth, DueCursor, Firing, NewGap } from '../ports/storage.adapter.js';
import type { CompiledTrigger } from '../triggers/compiled.trigger.js';

/** Bounds the work of one firing; what is left over is due at once again. */
const maxBirths = 100;
const maxCounted = 100_000;

/**
 * What shall happen to a due cursor at `now`: which instants become runs, which become gaps, and where the cursor goes.
 * A pure function of its arguments, so every worker decides alike.
 *
 * An instant is misfired when it is late by more than the threshold. Without misfires every due instant becomes a run.
 * With them: `skip` leaves the misfired ones out, `once` lets the latest due instant stand for all the others,
 * `all` runs every one of them, `maxBirths` at a time.
 */
export function planFiring(cursor: DueCursor, compiled: CompiledTrigger, now: number): Firing {
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
  const misfiredUntil = now - policies.misfireThresholdMs - 1;
  if (compiled.fixedDelayMs !== null) {
    birth(cursor.nominalAt, 0);
  } else if (policies.misfire === 'all' || cursor.nominalAt > misfiredUntil) {
    last = birthEach(cursor.nominalAt, now);
  } else {
    const until = policies.misfire === 'once' ? now : misfiredUntil;
    const rest = compiled.countBetween(cursor.nominalAt, until, maxCounted);
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
  let nextAt = compiled.fixedDelayMs !== null ? Infinity : compiled.next(last);
  if (fired >= maxRuns) nextAt = null;
  const excluded = compiled.excludedBetween(
    cursor.nominalAt,
    nextAt === null || nextAt === Infinity ? last : nextAt,
  );
  if (excluded) gaps.push({ ...excluded, verdict: 'excluded', reason: 'exclusion' });
  return {
    jobUid: cursor.jobUid,
    nominalAt: cursor.nominalAt,
    revision: cursor.revision,
    nextAt,
    fired,
    overlap: policies.overlap,
    births,
    gaps,
  };

  function birthEach(from: number, until: number): number {
    let at: number | null = from;
    let latest = from;
    while (at !== null && at <= until && births.length < Math.min(maxBirths, left)) {
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
