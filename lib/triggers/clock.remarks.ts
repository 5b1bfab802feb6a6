import { CalendarSource } from './calendar.source.js';
import type { CompiledTrigger } from './compiled.trigger.js';
import { CronSource } from './cron.source.js';
import { touchRemark } from './preview.js';
import type { Remark } from './remarks.js';

/** A remark with its instant. @publicApi */
export interface InstantRemark extends Remark {
  at: Date;
}

/** As often as once an hour for half a year: who runs more often does not mind a change of the clocks. */
const mostLookedAt = 5_000;

/** What changes of the clocks do to the instants of a trigger after `from` and up to `until`; `most` at most. */
export function clockRemarks(
  compiled: CompiledTrigger,
  timeZone: string,
  { from, until, most }: { from: number; until: number; most: number },
): InstantRemark[] {
  const { source } = compiled;
  if (!(source instanceof CronSource || source instanceof CalendarSource)) return [];
  const remarks: InstantRemark[] = [];
  let looked = 0;
  for (let at = compiled.next(from); at !== null && at <= until; at = compiled.next(at)) {
    const touch = source.touchOf(at);
    if (touch !== null) remarks.push({ at: new Date(at), ...touchRemark(touch, at, timeZone) });
    if (++looked === mostLookedAt || remarks.length === most) break;
  }
  return remarks;
}
