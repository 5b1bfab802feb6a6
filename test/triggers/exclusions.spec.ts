import { describe, expect, test } from 'vitest';
import {
  nextOccurrences,
  previousOccurrences,
  type Calendars,
  type Exclusion,
  type TriggerInput,
} from '../../lib/index.js';

const from = '2026-01-01T00:00:00Z';

function days(exclude: Exclusion[], more: Partial<TriggerInput> = {}, calendars?: Calendars): string[] {
  const trigger = { type: 'cron', expression: '0 12 * * *', exclude, ...more } as TriggerInput;
  return nextOccurrences(trigger, { from, count: 5, calendars }).map((date) =>
    date.toISOString().slice(0, 10),
  );
}

describe('exclusions', () => {
  test('leave out dates', () => {
    expect(days([{ dates: ['2026-01-02', '2026-01-04', '2026-01-04'] }])).toEqual([
      '2026-01-01', '2026-01-03', '2026-01-05', '2026-01-06', '2026-01-07',
    ]); // prettier-ignore
  });

  test('leave out weekdays by name and by number from Sunday', () => {
    const weekend = ['2026-01-01', '2026-01-02', '2026-01-05', '2026-01-06', '2026-01-07'];
    expect(days([{ weekdays: ['SAT', 'sun'] }])).toEqual(weekend);
    expect(days([{ weekdays: [6, 0] }])).toEqual(weekend);
    expect(days([{ weekdays: [6, 7] }])).toEqual(weekend);
  });

  test('leave out ranges of dates with both ends', () => {
    const found = days([
      { from: '2026-01-02', to: '2026-12-30' },
      { from: '2026-12-20', to: '2026-12-31' },
    ]);
    expect(found).toEqual(['2026-01-01', '2027-01-01', '2027-01-02', '2027-01-03', '2027-01-04']);
  });

  test('leave out the days of a named calendar, which may have several rules', () => {
    const calendars: Calendars = { holidays: [{ dates: ['2026-01-01'] }, { weekdays: ['FRI'] }] };
    expect(days([{ calendar: 'holidays' }], {}, calendars)).toEqual([
      '2026-01-03', '2026-01-04', '2026-01-05', '2026-01-06', '2026-01-07',
    ]); // prettier-ignore
  });

  test('follow the calendar as it is now, not as it was at the first question', () => {
    const exclude = [{ calendar: 'holidays' }];
    expect(days(exclude, {}, { holidays: [{ dates: ['2026-01-01'] }] })[0]).toBe('2026-01-02');
    expect(days(exclude, {}, { holidays: [{ dates: ['2026-01-02'] }] })[0]).toBe('2026-01-01');
  });

  test('judge the date in the zone of the trigger, or in their own', () => {
    // 12:00 UTC is 21:00 in Seoul and the next day in Kiritimati (+14).
    expect(days([{ dates: ['2026-01-02'] }])[1]).toBe('2026-01-03');
    expect(days([{ dates: ['2026-01-02'], timeZone: 'Asia/Seoul' }])[1]).toBe('2026-01-03');
    expect(days([{ dates: ['2026-01-02'], timeZone: 'Pacific/Kiritimati' }])[0]).toBe('2026-01-02');
    expect(days([{ dates: ['2026-01-02'] }], { timeZone: 'Pacific/Kiritimati' } as never)).toEqual([
      // Noon in Kiritimati is 22:00 UTC of the day before.
      '2026-01-02', '2026-01-03', '2026-01-04', '2026-01-05', '2026-01-06',
    ]); // prettier-ignore
  });

  test('give a named calendar the zone of the reference unless its entries have their own', () => {
    const calendars: Calendars = {
      a: [{ dates: ['2026-01-02'] }],
      b: [{ dates: ['2026-01-02'], timeZone: 'UTC' }],
    };
    expect(days([{ calendar: 'a', timeZone: 'Pacific/Kiritimati' }], {}, calendars)[0]).toBe('2026-01-02');
    expect(days([{ calendar: 'b', timeZone: 'Pacific/Kiritimati' }], {}, calendars)[1]).toBe('2026-01-03');
  });

  test('hold for intervals', () => {
    const trigger: TriggerInput = {
      type: 'interval',
      every: '8h',
      anchor: from,
      exclude: [{ dates: ['2026-01-02'] }],
    };
    const found = nextOccurrences(trigger, { from, count: 4 }).map((date) => date.toISOString().slice(0, 13));
    expect(found).toEqual(['2026-01-01T08', '2026-01-01T16', '2026-01-03T00', '2026-01-03T08']);
  });

  test('hold backwards', () => {
    const trigger: TriggerInput = {
      type: 'cron',
      expression: '0 12 * * *',
      exclude: [{ weekdays: ['SAT', 'SUN'] }],
    };
    const found = previousOccurrences(trigger, { from: '2026-01-06T00:00:00Z', count: 3 });
    expect(found.map((date) => date.toISOString().slice(0, 10))).toEqual([
      '2026-01-05',
      '2026-01-02',
      '2026-01-01',
    ]);
  });

  test.each([
    'America/New_York',
    'Asia/Beirut',
    'America/Nuuk',
    'America/Havana',
    'Australia/Lord_Howe',
    'Pacific/Apia',
    'America/St_Johns',
  ])('in %s agree with leaving the dates out one by one', (timeZone) => {
    const dates = [
      '2026-03-08',
      '2026-03-28',
      '2026-03-29',
      '2026-04-05',
      '2026-10-04',
      '2026-10-24',
      '2026-11-01',
    ];
    const exclude: Exclusion[] = [
      { dates },
      { weekdays: [3], timeZone: 'Pacific/Kiritimati' },
      { from: '2026-06-10', to: '2026-06-20' },
    ];
    const dateIn = (zone: string): Intl.DateTimeFormat =>
      new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' });
    const weekdayIn = new Intl.DateTimeFormat('en-US', { timeZone: 'Pacific/Kiritimati', weekday: 'short' });
    const date = dateIn(timeZone);
    const question = { from: '2026-01-01T00:00:00Z', count: 20_000, timeZone };
    for (const expression of ['*/37 * * * *', '30 23,0,2 * * *']) {
      const end = Date.UTC(2027, 0, 1);
      const all = nextOccurrences({ type: 'cron', expression, endAt: end }, question);
      const kept = all.filter((at) => {
        const day = date.format(at);
        return (
          !dates.includes(day) && weekdayIn.format(at) !== 'Wed' && (day < '2026-06-10' || day > '2026-06-20')
        );
      });
      const trigger: TriggerInput = { type: 'cron', expression, endAt: end, exclude };
      expect(nextOccurrences(trigger, question)).toEqual(kept);
      expect(
        previousOccurrences(trigger, { ...question, from: end + 1 }).filter((at) => at > all[0]!).length,
      ).toBeGreaterThan(100);
      const back = previousOccurrences(trigger, { ...question, from: end + 1, count: kept.length });
      expect(back.reverse()).toEqual(kept);
    }
  });

  test('see the day before again where the clocks go back just after midnight', () => {
    // In St. John's 2010-11-07 00:01 became 2010-11-06 23:01 at 02:31Z.
    const around = { from: '2010-11-07T02:30:58Z', count: 4, timeZone: 'America/St_Johns' };
    const every = (date: string): TriggerInput => ({
      type: 'cron',
      expression: '* * * * * *',
      exclude: [{ dates: [date] }],
    });
    const shown = (dates: Date[]): string[] => dates.map((date) => date.toISOString().slice(11, 19));
    expect(shown(nextOccurrences(every('2010-11-06'), around))).toEqual([
      '02:30:59',
      '03:30:00',
      '03:30:01',
      '03:30:02',
    ]);
    expect(shown(nextOccurrences(every('2010-11-07'), around))).toEqual([
      '02:31:00',
      '02:31:01',
      '02:31:02',
      '02:31:03',
    ]);
    const later = { ...around, from: '2010-11-07T03:30:01Z' };
    expect(shown(previousOccurrences(every('2010-11-06'), later))).toEqual([
      '03:30:00',
      '02:30:59',
      '02:30:58',
      '02:30:57',
    ]);
    expect(shown(previousOccurrences(every('2010-11-07'), later))).toEqual([
      '03:29:59',
      '03:29:58',
      '03:29:57',
      '03:29:56',
    ]);
    const earlier = { ...around, from: '2010-11-07T02:31:01Z' };
    expect(shown(previousOccurrences(every('2010-11-07'), earlier))).toEqual([
      '02:31:00',
      '02:29:59',
      '02:29:58',
      '02:29:57',
    ]);
  });

  test('pass over a day that the calendar left out', () => {
    // Samoa had no 2011-12-30; noon there was 22:00Z before and after.
    const exclude: Exclusion[] = [{ dates: ['2011-12-29', '2011-12-31'] }];
    const trigger: TriggerInput = {
      type: 'cron',
      expression: '0 12 * * *',
      exclude,
      timeZone: 'Pacific/Apia',
    };
    const forth = nextOccurrences(trigger, { from: '2011-12-28T00:00:00Z', count: 3 }).map((date) =>
      date.toISOString().slice(0, 13),
    );
    expect(forth).toEqual(['2011-12-28T22', '2011-12-31T22', '2012-01-01T22']);
    const back = previousOccurrences(trigger, { from: '2012-01-02T00:00:00Z', count: 3 }).map((date) =>
      date.toISOString().slice(0, 13),
    );
    expect(back.reverse()).toEqual(forth);
  });
});
