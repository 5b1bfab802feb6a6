import type { Calendars, Trigger } from '../model/trigger.js';
import { withPastAnchor } from './anchor.js';
import { compileTrigger } from './compiled.trigger.js';

/** What fires ahead stands further on by less. */
const graceMs = 60_000;

/**
 * The first instant that a schedule which stands at `nextAt` leaves out, from a minute on; null: none. It has fired beyond it, or was born, by a clock that was ahead and has been set right since: as none
 * fires a second time, it stands still until the time that the clock had.
 */
export function firstLeftOut(
  trigger: Trigger,
  jobKey: string,
  nextAt: number,
  now: number,
  createdAt: number,
  calendars?: Calendars,
): number | null {
  if (nextAt <= now + graceMs || (trigger.type !== 'cron' && trigger.type !== 'interval')) return null;
  try {
    const compiled = compileTrigger(withPastAnchor(trigger, createdAt, now) ?? trigger, jobKey, calendars);
    const first =
      compiled.fixedDelayMs === null ? compiled.next(now + graceMs) : now + graceMs + compiled.fixedDelayMs;
    return first !== null && first < nextAt ? first : null;
  } catch {
    // Of calendars that this process does not have nothing can be told.
    return null;
  }
}
