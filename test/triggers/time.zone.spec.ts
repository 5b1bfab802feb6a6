import { describe, expect, test } from 'vitest';
import { assertTimeZone, InvalidScheduleError } from '../../lib/index.js';

function hintFor(zone: string): string | null {
  try {
    assertTimeZone(zone);
  } catch (error) {
    return (error as InvalidScheduleError).hint;
  }
  return 'accepted';
}

describe('assertTimeZone', () => {
  test('gives back every zone that this Node knows by a place', () => {
    const places = Intl.supportedValuesOf('timeZone').filter((zone) => zone.includes('/'));
    for (const zone of places) expect(assertTimeZone(zone)).toBe(zone);
  });

  test.each([
    'UTC',
    'GMT',
    'Etc/UTC',
    'Etc/GMT+9',
    'Asia/Kolkata',
    'Asia/Calcutta',
    'US/Eastern',
    'Europe/Kyiv',
    'Japan',
    'NZ-CHAT',
  ])('gives back %s', (zone) => expect(assertTimeZone(zone)).toBe(zone));

  test.each([
    ['asia/seoul', 'Asia/Seoul'],
    ['AMERICA/NEW_YORK', 'America/New_York'],
    ['utc', 'UTC'],
    ['etc/gmt+5', 'Etc/GMT+5'],
    ['us/eastern', 'US/Eastern'],
  ])('gives %s its usual capitals', (zone, name) => expect(assertTimeZone(zone)).toBe(name));

  test.each([
    ['Asia/Soul', 'Asia/Seoul'],
    ['America/New York', 'America/New_York'],
    ['America/NewYork', 'America/New_York'],
    ['Europe/Berln', 'Europe/Berlin'],
    ['Seoul', 'Asia/Seoul'],
    ['Europe/New_York', 'America/New_York'],
    ['Asia/Tokio', 'Asia/Tokyo'],
    ['KST', 'Asia/Seoul'],
    ['EST', 'America/New_York'],
    ['Asia/Seoul ', 'Asia/Seoul'],
  ])('suggests for %s', (zone, meant) => expect(hintFor(zone)).toContain(`"${meant}"`));

  test('says why a fixed offset and the zone of the process are refused', () => {
    expect(hintFor('UTC+9')).toMatch(/fixed offset/);
    expect(hintFor('+09:00')).toMatch(/fixed offset/);
    expect(hintFor('local')).toMatch(/replicas/);
    expect(hintFor('system')).toMatch(/replicas/);
  });
});
