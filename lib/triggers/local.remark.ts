import type { InstantRemark } from './clock.remarks.js';
import { parseAt } from './instant.js';
import { touchRemark } from './preview.js';
import { readWallTime } from './wall.time.js';
import { ZoneOffsets } from './zone.offsets.js';

const namedZone = /\[!?([^\]!]+)\]$/;
const offset = /(?:[Zz]|[+-]\d{2}:?\d{2})$/;

/** What a change of the clocks does to a time that was given as `parseAt` takes it: local ones may not exist, or twice. None where it is no local one. Throws like `parseAt`. */
export function localRemarks(input: unknown, timeZone: string): InstantRemark[] {
  if (typeof input !== 'string') return [];
  const zone = namedZone.exec(input)?.[1] ?? timeZone;
  const wallTime = input.replace(namedZone, '');
  if (offset.test(wallTime)) return [];
  const local = Math.floor(parseAt(wallTime, 'UTC').getTime() / 1_000);
  const reading = readWallTime(ZoneOffsets.of(zone), local);
  if (reading.kind === 'once') return [];
  const isGap = reading.kind === 'gap';
  const at = (isGap ? reading.later : reading.at) * 1_000;
  return [{ at: new Date(at), ...touchRemark(isGap ? { missing: local } : { pass: 'first' }, at, zone) }];
}
