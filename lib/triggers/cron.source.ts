import type { DstPolicy } from '../model/trigger.js';
import { firstLocal, lastLocal } from './cron.definition.js';
import type { OccurrenceSource } from './occurrence.source.js';
import type { WallSchedule } from './wall.schedule.js';
import type { OffsetSegment, ZoneOffsets } from './zone.offsets.js';

/** What a change of the clocks did to an instant: the pass of a wall time that exists twice, or the one that does not exist. */
export type Touch = { pass: 'first' | 'second' } | { missing: number };

/** Clocks that go forward by more than this correct the calendar; nothing runs for what they leave out. */
export const longestGap = 3 * 3600;
/** More than any offset, and than any two of them differ. */
const around = 2 * 86_400;
/**
 * Of dates without an occurrence in one search. The weekdays of the dates repeat after 28 years, so a schedule that meets only gaps
 * for longer does so for as long as the zone keeps its rules.
 */
const mostMisses = 30;
/** From one offset to the next: at most three for each date. */
const maxSteps = 3 * mostMisses + 10;

/**
 * The wall times of a cron as instants of a zone.
 *
 * Walks the stretches of one offset. Within a stretch wall times and instants go in step, so only the changes need
 * rules: instants are added for wall times in a gap (`run`: one at its end; `shift`: the same minutes later) and left
 * out in one of the two passes of an overlap (`first`: the second pass; `second`: the first).
 */
export class CronSource implements OccurrenceSource {
  constructor(
    readonly wall: WallSchedule,
    readonly zone: ZoneOffsets,
    readonly dst: Required<DstPolicy>,
  ) {}

  nextFrom(at: number): number | null {
    let from = Math.max(Math.ceil(at / 1000), firstLocal - around);
    if (from > lastLocal + around) return null;
    for (let steps = 0, misses = 0; steps < maxSteps && misses < mostMisses; steps++) {
      const segment = this.zone.segmentAt(from);
      const repeatedUntil = this.repeatedUntil(segment);
      if (from < repeatedUntil) {
        from = repeatedUntil;
        continue;
      }
      const plain = this.wall.nextFrom(from + segment.offset) - segment.offset;
      const added = from < segment.changedAt + longestGap ? this.addedFrom(segment, from) : Infinity;
      const found = plain < added ? plain : added;
      if (found < segment.end) {
        if (found < this.repeatedFrom(segment)) return found * 1000;
        from = segment.changesAt;
      } else if (segment.changesAt - from > around && found - around > segment.end) {
        // Nothing matches up to there, so no change on the way can add or repeat anything.
        if (found === Infinity) return null;
        from = found - around;
        misses++;
      } else {
        from = segment.end;
      }
    }
    return null;
  }

  previousFrom(at: number): number | null {
    let until = Math.min(Math.floor(at / 1000), lastLocal + around);
    if (until < firstLocal - around) return null;
    for (let steps = 0, misses = 0; steps < maxSteps && misses < mostMisses; steps++) {
      const segment = this.zone.segmentAt(until);
      const repeatedFrom = this.repeatedFrom(segment);
      if (until >= repeatedFrom) {
        until = repeatedFrom - 1;
        continue;
      }
      const least = Math.max(segment.start, this.repeatedUntil(segment));
      const plain = this.wall.previousFrom(until + segment.offset) - segment.offset;
      const added = this.addedUpTo(segment, until);
      const found = Math.max(plain >= least ? plain : -Infinity, added);
      if (found >= segment.start) return found * 1000;
      if (until - segment.changedAt > around && plain + around < segment.start) {
        if (plain === -Infinity) return null;
        until = plain + around;
        misses++;
      } else {
        until = segment.start - 1;
      }
    }
    return null;
  }

  /** All instants of the hour of local time that begins with this one; null: it is not the first of its hour, or a change of the clocks is near. */
  hourFrom(at: number): { count: number; last: number } | null {
    const second = at / 1000;
    const { offset, before, after, changedAt, changesAt } = this.zone.segmentAt(second);
    const { first, last, count } = this.wall.ofAnHour;
    const start = second - first;
    if ((start + offset) % 3600 !== 0) return null;
    const isNear =
      start < changedAt + Math.abs(offset - before) || start + 3600 > changesAt - Math.abs(after - offset);
    return isNear ? null : { count, last: (start + last) * 1000 };
  }

  /** What a change of the clocks did to an instant of this schedule; null: nothing. */
  touchOf(at: number): Touch | null {
    const second = Math.floor(at / 1000);
    const segment = this.zone.segmentAt(second);
    if (this.addedFrom(segment, second) === second) {
      return { missing: this.wall.nextFrom(second + segment.before) };
    }
    if (second < segment.changedAt + segment.before - segment.offset) return { pass: 'second' };
    return second >= segment.changesAt - (segment.offset - segment.after) ? { pass: 'first' } : null;
  }

  /** The end of the second pass that a segment begins with, where that pass is left out. */
  private repeatedUntil(segment: OffsetSegment): number {
    const twice = segment.before - segment.offset;
    return twice > 0 && this.dst.overlap === 'first' ? segment.changedAt + twice : -Infinity;
  }

  /** The beginning of the first pass that a segment ends with, where that pass is left out. */
  private repeatedFrom(segment: OffsetSegment): number {
    const twice = segment.offset - segment.after;
    return twice > 0 && this.dst.overlap === 'second' ? segment.changesAt - twice : Infinity;
  }

  /** The first instant from `from` that a gap before the segment adds to it. */
  private addedFrom(segment: OffsetSegment, from: number): number {
    const { changedAt, before, offset } = segment;
    const end = changedAt + this.addedLength(segment);
    if (from >= end) return Infinity;
    if (this.dst.gap === 'shift') {
      const shifted = this.wall.nextFrom(from + before) - before;
      return shifted < end ? shifted : Infinity;
    }
    return from <= changedAt && this.wall.nextFrom(changedAt + before) < changedAt + offset
      ? changedAt
      : Infinity;
  }

  private addedUpTo(segment: OffsetSegment, until: number): number {
    const { changedAt, before, offset } = segment;
    const length = this.addedLength(segment);
    if (length <= 0) return -Infinity;
    if (this.dst.gap === 'shift') {
      const last = Math.min(until, changedAt + length - 1);
      const shifted = this.wall.previousFrom(last + before) - before;
      return shifted >= changedAt ? shifted : -Infinity;
    }
    return this.wall.nextFrom(changedAt + before) < changedAt + offset ? changedAt : -Infinity;
  }

  /** The length of the gap before a segment, if anything is added for it. */
  private addedLength({ before, offset }: OffsetSegment): number {
    const length = offset - before;
    return this.dst.gap === 'skip' || length > longestGap ? 0 : length;
  }
}
