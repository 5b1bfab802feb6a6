import { dayNumber, daySeconds, weekdayOf } from './civil.date.js';
import type { FieldSet } from './field.set.js';

/** A cron in sets: the one model behind strings, macros and fields objects. */
export interface CronDefinition {
  second: FieldSet;
  minute: FieldSet;
  hour: FieldSet;
  day: FieldSet;
  month: FieldSet;
  weekday: FieldSet;
  /** ISO week; null where the form has no such field. */
  week: FieldSet | null;
  /** null: every year. */
  year: FieldSet | null;
  /** A day matches when either the day or the weekday does, rather than both. */
  either: boolean;
}

/** Second, minute and hour hold no `*`, `?` or `/`: the job means certain times of the day, not a pace. */
export function isFixedTime(cron: CronDefinition): boolean {
  return !cron.second.open && !cron.minute.open && !cron.hour.open;
}

/** The first and the last second of the wall clock that any cron can name. */
export const firstLocal = 0;
export const lastLocal = dayNumber(9999, 12, 31) * daySeconds + daySeconds - 1;

/** The weekday of the first of a month, 0 = Sunday. */
export function firstWeekday(year: number, month: number): number {
  return weekdayOf(dayNumber(year, month, 1));
}
