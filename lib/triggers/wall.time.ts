import { ZoneOffsets } from './zone.offsets.js';

/** How a wall time reads as instants; all in epoch seconds. */
export type WallReading =
  | { kind: 'once'; at: number }
  /** It exists twice. */
  | { kind: 'overlap'; at: number; second: number }
  /** It does not exist: the clocks went forward over it at `end`. `later` is the same wall minutes after the gap. */
  | { kind: 'gap'; end: number; later: number; length: number };

/** More than any offset, and than any two of them differ. */
const aroundSeconds = 27 * 3600;

/** Reads a wall time (seconds of a zoneless clock since 1970) in a zone. */
export function readWallTime(zone: ZoneOffsets, local: number): WallReading {
  const found: number[] = [];
  let gap: WallReading | null = null;
  for (let segment = zone.segmentAt(local - aroundSeconds); ; segment = zone.segmentAt(segment.end)) {
    const at = local - segment.offset;
    if (at >= segment.start && at < segment.end) found.push(at);
    const length = segment.offset - segment.before;
    const missing = local - (segment.changedAt + segment.before);
    if (missing >= 0 && missing < length) {
      gap = { kind: 'gap', end: segment.changedAt, later: local - segment.before, length };
    }
    if (segment.end > local + aroundSeconds) break;
  }
  if (found.length === 0 && gap) return gap;
  const [at, second] = found;
  if (at === undefined) throw new Error(`No reading of the wall time ${local}`);
  return second === undefined ? { kind: 'once', at } : { kind: 'overlap', at, second };
}
