import type { Trigger } from '../model/trigger.js';
import type { EpochMs, NewGap } from '../ports/storage.adapter.js';
import { withPastAnchor } from '../triggers/anchor.js';
import { compileTrigger } from '../triggers/compiled.trigger.js';
import { walked, type Walk } from '../triggers/walk.js';
import type { Calendars } from '../model/trigger.js';
import { trueOrFalse } from './option.checks.js';
import { refKey } from './job.identity.js';

interface ResumedAt {
  nextAt: EpochMs | null;
  gap: NewGap | null;
  /** What it has fired beyond `nextAt` does not count any more. */
  restarts?: boolean;
  /** Its schedule from now on. */
  trigger?: Trigger;
}

/** Of `resumeJob` and `resumeMany`. @publicApi */
export interface ResumeOptions {
  /**
   * Also a job that stands further ahead goes on with its first instant from now: it has fired by a clock that was ahead, and has been set right since. Instants that ran by the wrong clock, and are still to come, run again; an interval that was created by it keeps its grid, which begins before now. A job that is not paused stays as it is.
   * @default false
   */
  fromNow?: boolean | undefined;
}

export const resumeKeys = ['fromNow'] satisfies (keyof ResumeOptions)[];

export function isResumedFromNow({ fromNow = false }: ResumeOptions): boolean {
  return trueOrFalse(fromNow, 'fromNow');
}

const maxCounted = 100_000;

/**
 * Where a paused job goes on: at the first instant from now. What fell into the pause is a gap with its count (up to
 * 100,000 instants). A one-off runs late rather than not at all, since nothing comes after it. One that stands further ahead stays there, as instants fire
 * once, unless it is to go on `fromNow`: the anchor of an interval that was born by a clock which was ahead is moved into the past then.
 */
export function planResume(...given: Parameters<typeof walkResume>): ResumedAt {
  return walked(walkResume(...given));
}

/** The same, bit by bit: there may be very many instants to count. */
export function* walkResume(
  namespace: string,
  job: { trigger: Trigger; id: string; pausedFrom: EpochMs | null; createdAt?: EpochMs },
  now: EpochMs,
  calendars: Calendars,
  fromNow = false,
): Walk<ResumedAt> {
  const { trigger, id, pausedFrom } = job;
  const compiled = compileTrigger(trigger, refKey({ namespace, id }), calendars);
  if (pausedFrom === null) {
    // A fixed delay has no time while its run goes on; anything else had come to its end.
    return { nextAt: compiled.fixedDelayMs === null ? null : now + compiled.fixedDelayMs, gap: null };
  }
  if (fromNow && pausedFrom > now && trigger.type !== 'at') {
    const another = withPastAnchor(trigger, job.createdAt ?? -Infinity, now);
    const going = another === null ? compiled : compileTrigger(another, refKey({ namespace, id }), calendars);
    const { fixedDelayMs } = going;
    const nextAt = fixedDelayMs === null ? going.next(now) : now + fixedDelayMs;
    return { nextAt, gap: null, restarts: true, ...(another && { trigger: another }) };
  }
  if (pausedFrom > now || trigger.type === 'at') return { nextAt: pausedFrom, gap: null };
  if (compiled.fixedDelayMs !== null) {
    return { nextAt: now + compiled.fixedDelayMs, gap: gapOf(pausedFrom, pausedFrom, 1) };
  }
  const later = yield* compiled.walkBetween(pausedFrom, now, maxCounted);
  // The pause is on record to its end, also where not all of it is counted.
  const last = later.count < maxCounted ? later.last : compiled.previous(now + 1);
  return { nextAt: compiled.next(now), gap: gapOf(pausedFrom, last ?? pausedFrom, later.count + 1) };
}

function gapOf(from: EpochMs, until: EpochMs, count: number): NewGap {
  return { from, until, verdict: 'paused', count, reason: 'pause' };
}
