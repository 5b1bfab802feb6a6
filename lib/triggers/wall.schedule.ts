import { dayNumber, dayOf, daySeconds, monthOf, packedDate, yearOf } from './civil.date.js';
import { firstLocal, firstWeekday, lastLocal, type CronDefinition } from './cron.definition.js';
import { DayRule } from './day.rule.js';
import { noValue as none, Steps } from './steps.js';

/**
 * The wall times of a cron, knowing no zone: seconds of a clock that shows every second once. Each field is a table that
 * gives the next or the previous matching value, so that nothing is searched second by second.
 */
export class WallSchedule {
  private readonly second: Steps;
  private readonly minute: Steps;
  private readonly hour: Steps;
  private readonly month: Steps;
  /** Ascending; null: all of them. */
  private readonly years: readonly number[] | null;
  private readonly days: DayRule;
  /** What each hour that matches has, in seconds from its beginning. */
  readonly ofAnHour: { first: number; last: number; count: number };

  constructor(cron: CronDefinition) {
    this.second = Steps.of(cron.second);
    this.minute = Steps.of(cron.minute);
    this.hour = Steps.of(cron.hour);
    this.month = Steps.of(cron.month);
    this.years = cron.year === null || cron.year.unrestricted ? null : cron.year.list();
    this.days = new DayRule(cron);
    const { minute, second } = this;
    this.ofAnHour = {
      first: minute.first * 60 + second.first,
      last: minute.last * 60 + second.last,
      count: minute.count * second.count,
    };
  }

  /** The first matching wall time that is not before `local`; Infinity: there is none. */
  nextFrom(local: number): number {
    if (local > lastLocal) return Infinity;
    if (local < firstLocal) local = firstLocal;
    const day = Math.floor(local / daySeconds);
    const time = this.timeFrom(local - day * daySeconds);
    const matching = this.dayFrom(time < 0 ? day + 1 : day);
    if (matching === Infinity) return Infinity;
    return matching * daySeconds + (matching === day && time >= 0 ? time : this.firstTime);
  }

  /** The last matching wall time that is not after `local`; -Infinity: there is none. */
  previousFrom(local: number): number {
    if (local < firstLocal) return -Infinity;
    if (local > lastLocal) local = lastLocal;
    const day = Math.floor(local / daySeconds);
    const time = this.timeUpTo(local - day * daySeconds);
    const matching = this.dayUpTo(time < 0 ? day - 1 : day);
    if (matching === -Infinity) return -Infinity;
    return matching * daySeconds + (matching === day && time >= 0 ? time : this.lastTime);
  }

  /**
   * Whether any date ever matches that is not on one of the left out weekdays (bit 0 is Sunday). The calendar repeats
   * after 400 years.
   */
  everMatches(leftOut = 0): boolean {
    const { years } = this;
    for (let index = 0; index < (years?.length ?? 400); index++) {
      const year = years?.[index] ?? 2000 + index;
      for (let month = this.month.first; month !== none; month = this.month.next[month + 1]!) {
        const mask = this.days.maskOf(year, month);
        if (mask !== 0 && (leftOut === 0 || hasOther(mask, firstWeekday(year, month), leftOut))) return true;
      }
    }
    return false;
  }

  private get firstTime(): number {
    return this.hour.first * 3600 + this.minute.first * 60 + this.second.first;
  }

  private get lastTime(): number {
    return this.hour.last * 3600 + this.minute.last * 60 + this.second.last;
  }

  private timeFrom(time: number): number {
    const hour = (time / 3600) | 0;
    const minute = ((time / 60) | 0) % 60;
    if (this.hour.next[hour] === hour) {
      if (this.minute.next[minute] === minute) {
        const second = this.second.next[time % 60]!;
        if (second !== none) return hour * 3600 + minute * 60 + second;
      }
      const later = this.minute.next[minute + 1]!;
      if (later !== none) return hour * 3600 + later * 60 + this.second.first;
    }
    const later = this.hour.next[hour + 1]!;
    return later === none ? -1 : later * 3600 + this.minute.first * 60 + this.second.first;
  }

  private timeUpTo(time: number): number {
    const hour = (time / 3600) | 0;
    const minute = ((time / 60) | 0) % 60;
    if (this.hour.previous[hour + 1] === hour) {
      if (this.minute.previous[minute + 1] === minute) {
        const second = this.second.previous[(time % 60) + 1]!;
        if (second !== none) return hour * 3600 + minute * 60 + second;
      }
      const earlier = this.minute.previous[minute]!;
      if (earlier !== none) return hour * 3600 + earlier * 60 + this.second.last;
    }
    const earlier = this.hour.previous[hour]!;
    return earlier === none ? -1 : earlier * 3600 + this.minute.last * 60 + this.second.last;
  }

  private dayFrom(from: number): number {
    const date = packedDate(from);
    let year = yearOf(date);
    let month = monthOf(date);
    let skipped = dayOf(date) - 1;
    if (this.nextYear(year) !== year) {
      year = this.nextYear(year);
      month = 0;
    }
    if (this.month.next[month] !== month) skipped = 0;
    month = this.month.next[month]!;
    for (;;) {
      if (month === none) {
        year = this.nextYear(year + 1);
        month = this.month.first;
      }
      if (year === Infinity) return Infinity;
      const mask = (this.days.maskOf(year, month) >>> skipped) << skipped;
      if (mask !== 0) return dayNumber(year, month, 32 - Math.clz32(mask & -mask));
      skipped = 0;
      month = this.month.next[month + 1]!;
    }
  }

  private dayUpTo(until: number): number {
    if (until < 0) return -Infinity;
    const date = packedDate(until);
    let year = yearOf(date);
    let month = monthOf(date);
    let kept = dayOf(date);
    if (this.previousYear(year) !== year) {
      year = this.previousYear(year);
      month = 13;
    }
    if (month === 13 || this.month.previous[month + 1] !== month) kept = 31;
    month = this.month.previous[month === 13 ? 13 : month + 1]!;
    for (;;) {
      if (month === none) {
        year = this.previousYear(year - 1);
        month = this.month.last;
      }
      if (year === -Infinity) return -Infinity;
      const mask = this.days.maskOf(year, month) & (0x7fffffff >>> (31 - kept));
      if (mask !== 0) return dayNumber(year, month, 32 - Math.clz32(mask));
      kept = 31;
      month = this.month.previous[month]!;
    }
  }

  private nextYear(year: number): number {
    if (year > 9999) return Infinity;
    return this.years === null ? year : (this.years[lowerBound(this.years, year)] ?? Infinity);
  }

  private previousYear(year: number): number {
    if (year < 1970) return -Infinity;
    return this.years === null ? year : (this.years[lowerBound(this.years, year + 1) - 1] ?? -Infinity);
  }
}

/** Whether a month's mask has a day that is on none of the weekdays. */
function hasOther(mask: number, first: number, weekdays: number): boolean {
  for (let day = 0; day < 31; day++) {
    if ((mask >>> day) & 1 && !((weekdays >>> ((first + day) % 7)) & 1)) return true;
  }
  return false;
}

/** The index of the first element that is not below `value`. */
function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
