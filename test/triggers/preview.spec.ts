import { describe, expect, test } from 'vitest';
import { preview, type TriggerInput } from '../../lib/index.js';

function shown(trigger: TriggerInput, from: string, count: number, timeZone = 'America/New_York'): string[] {
  return preview(trigger, { from, count, timeZone }).occurrences.map(({ wallTime, offset, remarks }) =>
    `${wallTime} ${offset} ${remarks.map(({ code }) => code).join(' ')}`.trim(),
  );
}

describe('a preview', () => {
  test('has instants with wall time and offset, and a sentence', () => {
    const found = preview(
      { type: 'cron', expression: '15 9 * * 1-5' },
      { from: '2026-01-01T00:00:00Z', timeZone: 'Asia/Seoul' },
    );
    expect(found).toMatchObject({
      sentence: 'At 09:15 in Asia/Seoul, Monday to Friday',
      timeZone: 'Asia/Seoul',
      remarks: [],
    });
    expect(found.occurrences).toHaveLength(5);
    expect(found.occurrences[0]).toEqual({
      at: new Date('2026-01-01T00:15:00Z'),
      wallTime: '2026-01-01 09:15:00',
      offset: '+09:00',
      startsAt: new Date('2026-01-01T00:15:00Z'),
      excluded: 0,
      remarks: [],
    });
  });

  test('names the wall time that does not exist', () => {
    const trigger: TriggerInput = { type: 'cron', expression: '30 2 * * *' };
    expect(shown(trigger, '2026-03-07 12:00', 2)).toEqual([
      '2026-03-08 03:00:00 -04:00 dst-gap',
      '2026-03-09 02:30:00 -04:00',
    ]);
    expect(shown({ ...trigger, dst: { gap: 'shift' } }, '2026-03-07 12:00', 1)).toEqual([
      '2026-03-08 03:30:00 -04:00 dst-gap',
    ]);
    expect(shown({ ...trigger, dst: { gap: 'skip' } }, '2026-03-07 12:00', 1)).toEqual([
      '2026-03-09 02:30:00 -04:00',
    ]);
    const [moved] = preview(trigger, { from: '2026-03-07 12:00', timeZone: 'America/New_York' }).occurrences;
    expect(moved!.remarks[0]!.text).toBe(
      '02:30 does not exist on 2026-03-08: the clocks go forward over it.',
    );
  });

  test('marks both passes of a wall time that exists twice', () => {
    expect(shown({ type: 'cron', expression: '*/30 1 * * *' }, '2026-11-01 00:30', 5)).toEqual([
      '2026-11-01 01:00:00 -04:00 dst-overlap',
      '2026-11-01 01:30:00 -04:00 dst-overlap',
      '2026-11-01 01:00:00 -05:00 dst-overlap',
      '2026-11-01 01:30:00 -05:00 dst-overlap',
      '2026-11-02 01:00:00 -05:00',
    ]);
    expect(shown({ type: 'cron', expression: '30 1 * * *' }, '2026-11-01 00:30', 2)).toEqual([
      '2026-11-01 01:30:00 -04:00 dst-overlap',
      '2026-11-02 01:30:00 -05:00',
    ]);
  });

  test('marks an interval by the calendar, and leaves exact ones alone', () => {
    const daily: TriggerInput = { type: 'interval', every: '1d', calendar: true, anchor: '2026-03-07 02:30' };
    expect(shown(daily, '2026-03-07 12:00', 2)).toEqual([
      '2026-03-08 03:00:00 -04:00 dst-gap',
      '2026-03-09 02:30:00 -04:00',
    ]);
    const [moved] = preview(daily, { from: '2026-03-07 12:00', timeZone: 'America/New_York' }).occurrences;
    expect(moved!.remarks[0]!.text).toMatch(/^02:30 does not exist on 2026-03-08/);
    const autumn: TriggerInput = { ...daily, anchor: '2026-10-31 01:30' };
    expect(shown(autumn, '2026-10-31 12:00', 1)).toEqual(['2026-11-01 01:30:00 -04:00 dst-overlap']);
    expect(
      shown({ type: 'interval', every: '30m', anchor: '2026-11-01 00:30' }, '2026-11-01 00:30', 2),
    ).toEqual(['2026-11-01 01:00:00 -04:00', '2026-11-01 01:30:00 -04:00']);
  });

  test('shows excluded instants in one entry for each stretch, beyond the count', () => {
    const trigger: TriggerInput = {
      type: 'cron',
      expression: '0 */6 * * *',
      exclude: [{ dates: ['2026-01-02'] }],
    };
    const { occurrences } = preview(trigger, { from: '2026-01-01T12:00:00Z', count: 2 });
    expect(occurrences.map(({ wallTime, excluded }) => [wallTime, excluded])).toEqual([
      ['2026-01-01 18:00:00', 0],
      ['2026-01-02 00:00:00', 4],
      ['2026-01-03 00:00:00', 0],
    ]);
    expect(occurrences[1]!.remarks).toEqual([
      { code: 'excluded', text: 'Excluded: 4 instants up to 2026-01-02 18:00:00.' },
    ]);
  });

  test('says when an instant starts with its jitter', () => {
    const trigger: TriggerInput = { type: 'cron', expression: '0 9 * * *', jitter: '10m' };
    const { occurrences } = preview(trigger, { from: '2026-01-01T00:00:00Z', jobKey: 'default/a', count: 3 });
    for (const { at, startsAt, remarks } of occurrences) {
      expect(at.toISOString()).toMatch(/T09:00:00/);
      const delay = startsAt.getTime() - at.getTime();
      expect(delay).toBeGreaterThan(0);
      expect(delay).toBeLessThanOrEqual(600_000);
      expect(remarks.map(({ code }) => code)).toEqual(['jitter']);
    }
  });

  test('says when there are no more', () => {
    const found = preview(
      { type: 'at', at: '2026-01-01 09:00' },
      { from: '2025-01-01T00:00:00Z', timeZone: 'Asia/Seoul' },
    );
    expect(found.occurrences.map(({ wallTime }) => wallTime)).toEqual(['2026-01-01 09:00:00']);
    expect(found.remarks.map(({ code }) => code)).toEqual(['ends']);
  });
});

describe('remarks on a trigger', () => {
  function codes(trigger: TriggerInput): string[] {
    return preview(trigger, { from: '2026-01-01T00:00:00Z', count: 1 }).remarks.map(({ code }) => code);
  }

  test.each([
    ['5 9 */2 * MON', ['day-or-weekday']],
    ['5 9 1-31 * MON', ['day-or-weekday']],
    ['5 9 13 * */2', ['day-or-weekday']],
    ['5 9 13 * 0-6', ['day-or-weekday']],
    ['5 9 13 * MON', []],
    ['5 9 */2 * *', []],
    ['5 9 * * */2', []],
    ['0 9 * * *', ['hot-minute']],
    ['0 * * * *', ['hot-minute']],
    ['@daily', ['hot-minute']],
    ['H 9 * * *', []],
    ['15 0 9 * * *', []],
    ['*/15 * * * *', []],
  ])('%s: %j', (expression, expected) => {
    expect(codes({ type: 'cron', expression })).toEqual(expected);
  });

  test('a weekday by its number in a fields object counts from Monday', () => {
    expect(codes({ type: 'cron', fields: { dayOfWeek: 0, minute: 5 } })).toEqual(['weekday-number']);
    expect(codes({ type: 'cron', fields: { dayOfWeek: '1-5', minute: 5 } })).toEqual(['weekday-number']);
    expect(codes({ type: 'cron', fields: { dayOfWeek: 'mon', minute: 5 } })).toEqual([]);
    expect(codes({ type: 'cron', expression: '5 9 * * 1' })).toEqual([]);
  });

  test('an interval depends on its creation, or on its runs', () => {
    expect(codes({ type: 'interval', every: '5m' })).toEqual(['no-anchor']);
    expect(codes({ type: 'interval', every: '5m', anchor: 0 })).toEqual([]);
    expect(codes({ type: 'interval', every: '5m', anchor: 0, mode: 'fixed-delay' })).toEqual(['fixed-delay']);
  });
});
