import type { Calendars } from '../model/trigger.js';

/** What a trigger is judged against. */
export interface NormalizeContext {
  /** The zone of triggers that name none. */
  timeZone: string;
  /** Epoch milliseconds. */
  now: number;
  /** Refuse a trigger whose last instant is before `now`. @default false */
  refusePast?: boolean;
  /** The shortest interval, in milliseconds. @default 1 */
  minEveryMs?: number;
  /** The calendars that exclusions may name; when absent, names are checked where the trigger is compiled. */
  calendars?: Calendars;
  /** "namespace/id", which decides `H`. @default '' */
  jobKey?: string;
}
