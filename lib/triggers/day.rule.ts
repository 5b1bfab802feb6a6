import { dayNumber, isoWeekOf, monthLength, weekdayOf } from './civil.date.js';
import type { CronDefinition } from './cron.definition.js';
import type { FieldSet, NthWeekday } from './field.set.js';

const cacheSize = 128;

/**
 * Which days of a month match, as a bit mask: bit 0 is the first. Masks of the months last asked for are kept, since a
 * search asks for the same month again and again.
 */
export class DayRule {
  private readonly days: number;
  /** The plain weekdays of a month by the weekday of its first. */
  private readonly weekdayMasks: Int32Array;
  private readonly weeks: Uint8Array | null;
  private readonly special: boolean;
  private readonly keys = new Int32Array(cacheSize).fill(-1);
  private readonly masks = new Int32Array(cacheSize);

  constructor(private readonly cron: CronDefinition) {
    const { day, weekday, week } = cron;
    this.days = day.list().reduce((mask, value) => mask | (1 << (value - 1)), 0);
    this.weekdayMasks = Int32Array.from({ length: 7 }, (_, first) => plainWeekdays(weekday, first));
    this.weeks = week && !week.unrestricted ? week.values : null;
    this.special =
      day.fromLast !== 0 || day.nearest !== 0 || day.lastWorkday || day.nth.length + weekday.nth.length > 0;
  }

  maskOf(year: number, month: number): number {
    const key = year * 16 + month;
    const slot = (year * 12 + month) % cacheSize;
    if (this.keys[slot] === key) return this.masks[slot]!;
    this.keys[slot] = key;
    return (this.masks[slot] = this.compute(year, month));
  }

  private compute(year: number, month: number): number {
    const length = monthLength(year, month);
    const firstDay = dayNumber(year, month, 1);
    const first = weekdayOf(firstDay);
    let days = this.days;
    let weekdays = this.weekdayMasks[first]!;
    if (this.special) {
      days |= specialDays(this.cron.day, first, length);
      for (const nth of this.cron.weekday.nth) weekdays |= nthWeekday(nth, first, length);
    }
    let mask = this.cron.either ? days | weekdays : days & weekdays;
    mask &= 0x7fffffff >>> (31 - length);
    if (this.weeks && mask) {
      for (let day = 0; day < length; day++) {
        if ((mask >>> day) & 1 && !this.weeks[isoWeekOf(firstDay + day)]) mask &= ~(1 << day);
      }
    }
    return mask;
  }
}

function plainWeekdays(weekday: FieldSet, first: number): number {
  let mask = 0;
  for (let day = 0; day < 31; day++) if (weekday.values[(first + day) % 7]) mask |= 1 << day;
  return mask;
}

function specialDays(set: FieldSet, first: number, length: number): number {
  let mask = 0;
  for (let before = 0; before < length; before++) {
    if ((set.fromLast >>> before) & 1) mask |= 1 << (length - 1 - before);
  }
  for (let day = 1; day <= length; day++) {
    if ((set.nearest >>> day) & 1) mask |= 1 << (nearestWorkday(day, first, length) - 1);
  }
  if (set.lastWorkday) mask |= 1 << (nearestWorkday(length, first, length) - 1);
  for (const nth of set.nth) mask |= nthWeekday(nth, first, length);
  return mask;
}

/** The Monday to Friday that is nearest to a day without leaving its month. */
function nearestWorkday(day: number, first: number, length: number): number {
  const weekday = (first + day - 1) % 7;
  if (weekday === 6) return day > 1 ? day - 1 : day + 2;
  if (weekday === 0) return day < length ? day + 1 : day - 2;
  return day;
}

function nthWeekday({ weekday, nth }: NthWeekday, first: number, length: number): number {
  const earliest = 1 + ((weekday - first + 7) % 7);
  const day = nth === 0 ? earliest + 7 * Math.floor((length - earliest) / 7) : earliest + 7 * (nth - 1);
  return day <= length ? 1 << (day - 1) : 0;
}
