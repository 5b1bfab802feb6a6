import { describe, expect, test } from 'vitest';
import { nextOccurrences, type TriggerInput } from '../../lib/index.js';

function times(expression: string, jobKey: string, count: number): Date[] {
  return nextOccurrences({ type: 'cron', expression }, { from: '2026-01-01T00:00:00Z', count, jobKey });
}

const keys = Array.from({ length: 300 }, (_, index) => `default/job-${index}`);

describe('H', () => {
  test('is one time a day, the same every day', () => {
    for (const key of keys.slice(0, 20)) {
      const found = times('H H * * *', key, 10).map((date) => date.toISOString().slice(11));
      expect(new Set(found).size).toBe(1);
    }
  });

  test('is stable for ever', () => {
    expect(times('H H * * *', 'default/report', 1)[0]!.toISOString()).toBe('2026-01-01T09:32:00.000Z');
  });

  test('spreads jobs over the hours and minutes', () => {
    const hours = new Map<number, number>();
    const minutes = new Set<number>();
    for (const key of keys) {
      const at = times('H H * * *', key, 1)[0]!;
      hours.set(at.getUTCHours(), (hours.get(at.getUTCHours()) ?? 0) + 1);
      minutes.add(at.getUTCMinutes());
    }
    expect(hours.size).toBe(24);
    expect(Math.max(...hours.values())).toBeLessThan(30);
    expect(minutes.size).toBeGreaterThan(55);
  });

  test('stays in its range', () => {
    const minutes = keys.map((key) => times('H(10-19) 3 * * *', key, 1)[0]!.getUTCMinutes());
    expect(Math.min(...minutes)).toBe(10);
    expect(Math.max(...minutes)).toBe(19);
  });

  test('with a step keeps the pace from a hashed beginning', () => {
    const beginnings = new Set<number>();
    for (const key of keys) {
      const found = times('H/15 * * * *', key, 8).map((date) => date.getUTCMinutes());
      beginnings.add(Math.min(...found));
      const inOrder = [...new Set(found)].sort((a, b) => a - b);
      expect(inOrder.map((minute) => minute - inOrder[0]!)).toEqual([0, 15, 30, 45]);
    }
    expect(Math.max(...beginnings)).toBe(14);
    expect(beginnings.size).toBe(15);
  });

  test('with a range and a step stays in the range', () => {
    for (const key of keys.slice(0, 50)) {
      const found = [
        ...new Set(times('H(0-29)/10 * * * *', key, 6).map((date) => date.getUTCMinutes())),
      ].sort((a, b) => a - b);
      expect(found).toHaveLength(3);
      expect(found[0]).toBeLessThan(10);
      expect(found.map((minute) => minute - found[0]!)).toEqual([0, 10, 20]);
    }
  });

  test('in the day runs every month', () => {
    for (const key of keys) {
      const found = times('0 0 H * *', key, 24);
      expect(new Set(found.map((date) => date.toISOString().slice(0, 7))).size).toBe(24);
      expect(found[0]!.getUTCDate()).toBeLessThanOrEqual(28);
    }
  });

  test('reaches every weekday and month', () => {
    expect(new Set(keys.map((key) => times('0 0 * * H', key, 1)[0]!.getUTCDay())).size).toBe(7);
    expect(new Set(keys.map((key) => times('0 0 1 H *', key, 1)[0]!.getUTCMonth())).size).toBe(12);
  });

  test('differs from field to field', () => {
    const same = keys.filter((key) => {
      const at = times('H H * * * *', key, 1)[0]!;
      return at.getUTCSeconds() === at.getUTCMinutes();
    });
    expect(same.length).toBeLessThan(20);
  });

  test('is a fixed time, so a change of the clocks neither loses nor doubles it', () => {
    const trigger: TriggerInput = {
      type: 'cron',
      expression: 'H H(1-2) * * *',
      timeZone: 'America/New_York',
    };
    for (const jobKey of keys.slice(0, 50)) {
      for (const from of ['2026-03-01T12:00:00Z', '2026-10-25T12:00:00Z']) {
        const found = nextOccurrences(trigger, { from, count: 14, jobKey });
        const days = found.map((date) => Math.floor((date.getTime() - 5 * 3_600_000) / 86_400_000));
        expect(days.map((at) => at - days[0]!)).toEqual(days.map((_, index) => index));
      }
    }
  });

  test('works in a fields object', () => {
    const found = nextOccurrences(
      { type: 'cron', fields: { hour: 'H', minute: 'H' } },
      { from: '2026-01-01T00:00:00Z', count: 3, jobKey: 'default/report' },
    );
    expect(new Set(found.map((date) => date.toISOString().slice(11))).size).toBe(1);
  });
});
