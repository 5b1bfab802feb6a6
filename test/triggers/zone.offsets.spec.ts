import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readWallTime } from '../../lib/triggers/wall.time.js';
import { ZoneOffsets } from '../../lib/triggers/zone.offsets.js';
import { IntlZone } from './intl.zone.js';

const intl = new Map<string, IntlZone>();
function zoneOf(name: string): IntlZone {
  let zone = intl.get(name);
  if (!zone) intl.set(name, (zone = new IntlZone(name)));
  return zone;
}

const zone = fc.constantFrom(...Intl.supportedValuesOf('timeZone'), 'UTC');
const minute = fc.integer({ min: Date.UTC(1973, 0, 1) / 60_000, max: Date.UTC(2080, 0, 1) / 60_000 });

describe('cached offsets', () => {
  test('agree with Intl for any zone and minute', () => {
    fc.assert(
      fc.property(zone, minute, (name, at) => {
        const segment = ZoneOffsets.of(name).segmentAt(at * 60);
        expect(segment.start).toBeLessThanOrEqual(at * 60);
        expect(segment.end).toBeGreaterThan(at * 60);
        expect(segment.offset).toBe(zoneOf(name).offsetMinutes(at) * 60);
      }),
      { numRuns: 1_500 },
    );
  });

  test('know the changes around them', () => {
    fc.assert(
      fc.property(zone, minute, (name, at) => {
        const { changedAt, before, changesAt, after, offset } = ZoneOffsets.of(name).segmentAt(at * 60);
        if (Number.isFinite(changedAt)) {
          expect(zoneOf(name).offsetMinutes(Math.ceil(changedAt / 60) - 1) * 60).toBe(before);
          expect(before).not.toBe(offset);
        }
        if (Number.isFinite(changesAt)) {
          expect(zoneOf(name).offsetMinutes(Math.ceil(changesAt / 60)) * 60).toBe(after);
          expect(after).not.toBe(offset);
        }
      }),
      { numRuns: 1_500 },
    );
  });

  test('read every wall time back', () => {
    fc.assert(
      fc.property(zone, minute, (name, at) => {
        const offsets = ZoneOffsets.of(name);
        const local = at * 60 + offsets.segmentAt(at * 60).offset;
        const reading = readWallTime(offsets, local);
        const readings =
          reading.kind === 'gap' ? [] : reading.kind === 'once' ? [reading.at] : [reading.at, reading.second];
        expect(readings).toContain(at * 60);
      }),
      { numRuns: 1_500 },
    );
  });

  test('refuse a question about no instant, which would spoil the cache', () => {
    for (const at of [Number.NaN, Infinity, -Infinity]) {
      expect(() => ZoneOffsets.of('Asia/Seoul').segmentAt(at)).toThrow(RangeError);
    }
    expect(ZoneOffsets.of('Asia/Seoul').segmentAt(0).offset).toBe(9 * 3_600);
  });
});
