import { dayNumber, isoWeekOf, monthLength, weekdayOf } from './civil.date.js';
import type { CronDefinition } from './cron.definition.js';
import type { FieldSet, NthWeekday } from './field.set.js';

const cacheSize = 32;

/**
 * Which days of a month match, as a bit mask: bit 0 is the first. Masks of the months last asked for are kept, since a
 * search asks for the same month again and again.
 */
export class DayRule {
  private readonly days: number;
  /** The plain weekdays of a month by the weekday of its first. */
  private readonly weekdayMasks: readonly number[];
  private readonly weeks: Uint8Array | null;
  private readonly special: boolean;
  private readonly keys = new Int32Array(cacheSize);
  private readonly masks = new Int32Array(cacheSize);

  constructor(private readonly cron: CronDefinition) {
    const { day, weekday, week } = cron;
    this.days = plainDays(day);
    this.weekdayMasks = weekday.unrestricted ? everyDay : plainWeekdays(weekday);
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
    mask &= allDays >>> (31 - length);
    if (this.weeks && mask) {
      for (let day = 0; day < length; day++) {
        if ((mask >>> day) & 1 && !this.weeks[isoWeekOf(firstDay + day)]) mask &= ~(1 << day);
      }
    }
    return mask;
  }
}

const allDays = 0x7fffffff;
const everyDay = Array<number>(7).fill(allDays);

function plainDays(day: FieldSet): number {
  if (day.unrestricted) return allDays;
  let mask = 0;
  for (let value = 1; value <= 31; value++) if (day.values[value]) mask |= 1 << (value - 1);
  return mask;
}

function plainWeekdays({ values }: FieldSet): number[] {
  let fromSunday = 0;
  for (let day = 0; day < 31; day++) if (values[day % 7]) fromSunday |= 1 << day;
  // A month that begins on another weekday sees the same pattern from there on; five weeks are 35 bits, hence the wrap.
  const masks = [fromSunday];
  for (let first = 1; first < 7; first++) {
    const before = masks[first - 1]!;
    masks.push((before >>> 1) | (values[(first + 30) % 7] ? 1 << 30 : 0));
  }
  return masks;
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
