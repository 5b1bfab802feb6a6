import { daySeconds } from './civil.date.js';
import { ZoneClock } from './zone.clock.js';

/**
 * A stretch of time with one offset. All in seconds; local time = instant + offset. A stretch may be cut in two without
 * a change; the changes before and after it are known wherever they are within two days of it.
 */
export interface OffsetSegment {
  /** First second of the stretch. */
  start: number;
  /** First second after it. */
  end: number;
  offset: number;
  /** When this offset began, at or before `start`; -Infinity: long ago. */
  changedAt: number;
  /** The offset before `changedAt`. */
  before: number;
  /** When this offset ends, at or after `end`; Infinity: not soon. */
  changesAt: number;
  /** The offset from `changesAt` on. */
  after: number;
}

/** 12 days, looked at every 6 days: no zone changed twice within 7 days since 1970. Short, since a search often needs one change a year. */
const chunkSeconds = 2 ** 20;
const stepSeconds = 2 ** 19;
const marginSeconds = 2 * 86_400;
const maxChunks = 2_048;
/** Changes happen at full quarters of an hour of UTC, nearly all of them. */
const quarter = 900;
const forEver = 1e13;

const zones = new Map<string, ZoneOffsets>();

/**
 * The offsets of one zone, kept in segments: an answer costs two comparisons, while asking the zone data costs a
 * microsecond or more.
 */
export class ZoneOffsets {
  private last: OffsetSegment;
  private readonly clock: ZoneClock;
  private readonly chunks = new Map<number, OffsetSegment[]>();
  /** Of the last change found, in seconds of the UTC day. */
  private changeTime = 0;

  /** `name` must have passed `assertTimeZone`. */
  static of(name: string): ZoneOffsets {
    let offsets = zones.get(name);
    if (!offsets) zones.set(name, (offsets = new ZoneOffsets(name)));
    return offsets;
  }

  private constructor(name: string) {
    this.clock = new ZoneClock(name);
    const [start, end] = this.clock.isUtc ? [-forEver, forEver] : [0, 0];
    this.last = { start, end, offset: 0, changedAt: -Infinity, before: 0, changesAt: Infinity, after: 0 };
  }

  /** The segment that holds an instant, in epoch seconds. */
  segmentAt(second: number): OffsetSegment {
    const last = this.last;
    return second >= last.start && second < last.end ? last : this.find(second);
  }

  private find(second: number): OffsetSegment {
    if (!Number.isFinite(second)) throw new RangeError(`No offset at ${second}`);
    const index = Math.floor(second / chunkSeconds);
    let segments = this.chunks.get(index);
    if (!segments) {
      if (this.chunks.size >= maxChunks) this.chunks.clear();
      this.chunks.set(index, (segments = this.survey(index * chunkSeconds)));
    }
    let found = segments[0]!;
    for (const segment of segments) if (segment.start <= second) found = segment;
    this.last = found;
    return found;
  }

  /** The segments of one chunk. Its surroundings are looked at as well, so that no segment forgets a change nearby. */
  private survey(from: number): OffsetSegment[] {
    const until = from + chunkSeconds;
    const changes: { at: number; offset: number }[] = [];
    const end = until + marginSeconds;
    let at = from - marginSeconds;
    const first = this.offsetAt(at);
    let offset = first;
    while (at < end) {
      const next = Math.min(at + stepSeconds, end);
      if (this.offsetAt(next) === offset) {
        at = next;
      } else {
        at = this.changeBetween(at, next, offset);
        offset = this.offsetAt(at);
        changes.push({ at, offset });
      }
    }
    const segments: OffsetSegment[] = [];
    for (let index = -1; index < changes.length; index++) {
      const [change, next] = [changes[index], changes[index + 1]];
      const own = change?.offset ?? first;
      const segment = {
        start: Math.max(change?.at ?? from, from),
        end: Math.min(next?.at ?? until, until),
        offset: own,
        changedAt: change?.at ?? -Infinity,
        before: change ? (changes[index - 1]?.offset ?? first) : own,
        changesAt: next?.at ?? Infinity,
        after: next?.offset ?? own,
      };
      if (segment.start < segment.end) segments.push(segment);
    }
    return segments;
  }

  /** The first second at which the offset is not `offset` any more. */
  private changeBetween(from: number, to: number, offset: number): number {
    let low = from;
    let high = to;
    // Nearly always at the time of day of the change before.
    for (
      let at = this.changeTime + Math.ceil((from - this.changeTime + 1) / daySeconds) * daySeconds;
      at < to;
      at += daySeconds
    ) {
      if (this.offsetAt(at) === offset) {
        low = at;
      } else {
        high = at;
        if (this.offsetAt(at - 1) === offset) return at;
        break;
      }
    }
    while (high - low > 1) {
      let middle = Math.floor((low + high) / 2);
      if (high - low > 2 * quarter) middle -= middle % quarter;
      else if (high % quarter === 0 && high - low > 2) middle = high - 1;
      if (this.offsetAt(middle) === offset) low = middle;
      else high = middle;
    }
    this.changeTime = high % daySeconds;
    return high;
  }

  private offsetAt(second: number): number {
    return this.clock.offsetAt(second);
  }
}
