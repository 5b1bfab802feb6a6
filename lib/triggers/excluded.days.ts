import { daySeconds, weekdayOf } from './civil.date.js';
import { readWallTime } from './wall.time.js';
import type { OffsetSegment, ZoneOffsets } from './zone.offsets.js';

/** Both ends belong to it; in days since 1970-01-01. */
export interface DayRange {
  first: number;
  last: number;
}

const everyWeekday = 0b1111111;

/** Days of one zone on which nothing fires. */
export class ExcludedDays {
  /** Ascending and apart from each other. */
  private readonly ranges: readonly DayRange[];

  constructor(
    private readonly zone: ZoneOffsets,
    ranges: readonly DayRange[],
    /** Bit 0 is Sunday. */
    readonly weekdays: number,
  ) {
    this.ranges = merged(ranges);
  }

  get rangeCount(): number {
    return this.ranges.length;
  }

  excludes(at: number): boolean {
    return this.covers(this.dayAt(at));
  }

  /** Whether it is known that nothing of so short a time, less than a day, is excluded. */
  spares(from: number, until: number): boolean {
    const isOfOneOffset = this.segmentAt(from).offset === this.segmentAt(until).offset;
    return isOfOneOffset && !this.excludes(from) && !this.excludes(until);
  }

  /** The first instant after `at` on a day that is not excluded; Infinity: there is none. */
  endAfter(at: number): number {
    const day = this.clearDay(this.dayAt(at), 1);
    if (day === Infinity) return Infinity;
    // Where the clocks go back just after midnight, the day before comes again.
    const ends = [...this.midnightsOf(day), this.segmentAt(at).changesAt * 1000];
    const later = ends.filter((end) => end > at && end !== Infinity);
    return Math.min(...preferred(later, (end) => !this.excludes(end)));
  }

  /** The beginning of the excluded days around `at`; -Infinity: they have none. */
  startBefore(at: number): number {
    const day = this.clearDay(this.dayAt(at), -1);
    if (day === -Infinity) return -Infinity;
    const starts = [...this.midnightsOf(day + 1), this.segmentAt(at).changedAt * 1000];
    const earlier = starts.filter((start) => start <= at && start !== -Infinity);
    return Math.max(...preferred(earlier, (start) => !this.excludes(start - 1)));
  }

  private dayAt(at: number): number {
    return Math.floor((Math.floor(at / 1000) + this.segmentAt(at).offset) / daySeconds);
  }

  private segmentAt(at: number): OffsetSegment {
    return this.zone.segmentAt(Math.floor(at / 1000));
  }

  private covers(day: number): boolean {
    return ((this.weekdays >>> weekdayOf(day)) & 1) === 1 || this.rangeOf(day) !== null;
  }

  private clearDay(from: number, direction: 1 | -1): number {
    if (this.weekdays === everyWeekday) return direction * Infinity;
    let day = from;
    while (this.covers(day)) {
      const range = this.rangeOf(day);
      const edge = range === null ? day : direction > 0 ? range.last : range.first;
      day = edge + direction;
    }
    return day;
  }

  private rangeOf(day: number): DayRange | null {
    let low = 0;
    let high = this.ranges.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const range = this.ranges[middle]!;
      if (range.last < day) low = middle + 1;
      else if (range.first > day) high = middle - 1;
      else return range;
    }
    return null;
  }

  /** When a day begins, which may be twice. */
  private midnightsOf(day: number): number[] {
    const reading = readWallTime(this.zone, day * daySeconds);
    if (reading.kind === 'gap') return [reading.end * 1000];
    return reading.kind === 'overlap' ? [reading.at * 1000, reading.second * 1000] : [reading.at * 1000];
  }
}

/** Those that are clear, or all: a day that the calendar left out has no instant of its own. */
function preferred(edges: number[], isClear: (edge: number) => boolean): number[] {
  const clear = edges.filter(isClear);
  return clear.length > 0 ? clear : edges;
}

function merged(ranges: readonly DayRange[]): DayRange[] {
  const sorted = [...ranges].sort((a, b) => a.first - b.first);
  const apart: DayRange[] = [];
  for (const { first, last } of sorted) {
    const before = apart.at(-1);
    if (before && first <= before.last + 1) before.last = Math.max(before.last, last);
    else apart.push({ first, last });
  }
  return apart;
}
