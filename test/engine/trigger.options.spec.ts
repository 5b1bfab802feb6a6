import { describe, expect, test } from 'vitest';
import { InvalidScheduleError } from '../../lib/model/errors.js';
import type { TriggerInput } from '../../lib/model/trigger.js';
import { defineJob } from '../../lib/scheduler/job.definition.js';
import { beginSchedule } from '../../lib/scheduler/job.definition.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig } from '../support/engine.js';

const hour = 3_600_000;
const day = 24 * hour;
const begin = Date.UTC(2026, 0, 1);
const dayAt = (nth: number): string => new Date(begin + nth * day).toISOString();
const anchor = dayAt(0);

const kinds: Record<string, TriggerInput> = {
  cron: { type: 'cron', expression: '0 0 * * *' },
  'cron by fields': { type: 'cron', fields: { hour: 0, minute: 0 } },
  'interval at a fixed rate': { type: 'interval', every: '1d', anchor },
  'interval with a fixed delay': { type: 'interval', every: '1d', anchor, mode: 'fixed-delay' },
  'interval by the calendar': { type: 'interval', every: '1d', anchor, calendar: true },
};

/** The days on which a job ran within eight, of a handler that takes no time, and those on record as gaps. */
async function daysOf(trigger: TriggerInput): Promise<{ ran: number[]; gaps: string[]; lateMs: number[] }> {
  const clock = new ManualClock(begin - hour);
  const times = { leaseMs: 2 * day, pollMs: hour, janitorMs: day };
  const rig = new EngineRig({ clock, options: times });
  const ran: number[] = [];
  const lateMs: number[] = [];
  rig.handle('work', ({ nominalAt }) => {
    ran.push((nominalAt.getTime() - begin) / day);
    lateMs.push(clock.now() - nominalAt.getTime());
  });
  await rig.engine.start();
  const defaults = { timeZone: 'UTC', payloadLimit: 1_000, calendars: {} };
  const definition = defineJob({ id: 'job', handler: 'work', trigger, options: {} }, defaults, clock.now());
  await rig.add({ ...definition, ...beginSchedule(definition, clock.now(), {}) });
  for (let hours = 0; hours < 8 * 24; hours++) await clock.advanceBy(hour);
  const gaps = (await rig.storage.queryGaps({}, {})).items.map(
    ({ verdict, from, count }) => `${verdict} ${(from.getTime() - begin) / day} ${count}`,
  );
  await rig.stop(60_000);
  return { ran, gaps: gaps.toReversed(), lateMs };
}

describe.each(Object.entries(kinds))('each option of a trigger holds for a %s:', (kind, trigger) => {
  const isDelayed = kind === 'interval with a fixed delay';
  const options: [option: string, given: object, ran: number[], gaps?: string[]][] = [
    ['none', {}, [0, 1, 2, 3, 4, 5, 6, 7]],
    ['startAt', { startAt: dayAt(3) }, [3, 4, 5, 6, 7]],
    ['endAt', { endAt: dayAt(2) }, [0, 1, 2]],
    ['endAt between two instants', { endAt: dayAt(2.5) }, [0, 1, 2]],
    ['maxRuns', { maxRuns: 2 }, [0, 1]],
    ['exclude of a day', { exclude: [{ dates: ['2026-01-03'] }] }, [0, 1, 3, 4, 5, 6, 7], ['excluded 2 1']],
    // 3 January is a Saturday.
    [
      'exclude of weekdays',
      { exclude: [{ weekdays: ['sat', 'sun'] }] },
      [0, 1, 4, 5, 6, 7],
      [isDelayed ? 'excluded 2 1' : 'excluded 2 2'],
    ],
    [
      'exclude of the rest, with endAt',
      { endAt: dayAt(3), exclude: [{ from: '2026-01-03', to: '2027-01-01' }] },
      [0, 1],
    ],
    [
      'exclude in a zone of its own',
      { exclude: [{ dates: ['2026-01-03'], timeZone: 'America/New_York' }] },
      [0, 1, 2, 4, 5, 6, 7],
      ['excluded 3 1'],
    ],
  ];

  test.each(options)('%s', async (option, given, days, gaps) => {
    const { ran, gaps: found } = await daysOf({ ...trigger, ...given } as TriggerInput);
    expect(ran).toEqual(days);
    if (option !== 'exclude of the rest, with endAt') expect(found).toEqual(gaps ?? []);
  });

  test('jitter', async () => {
    const { ran, lateMs } = await daysOf({ ...trigger, jitter: '30m' } as TriggerInput);
    expect(ran).toHaveLength(8);
    expect(new Set(lateMs).size).toBeGreaterThan(4);
    for (const late of lateMs) expect(late).toBeLessThanOrEqual(hour / 2);
  });

  test('dst, which only a cron has', () => {
    const given = { ...trigger, dst: { gap: 'skip' } } as TriggerInput;
    const defined = (): unknown =>
      defineJob(
        { id: 'job', handler: 'work', trigger: given, options: {} },
        { timeZone: 'UTC', payloadLimit: 1_000, calendars: {} },
        begin,
      );
    if (trigger.type === 'cron') expect(defined()).toMatchObject({ trigger: { dst: { gap: 'skip' } } });
    else expect(defined).toThrow(InvalidScheduleError);
  });
});

test.each([
  ['startAt', dayAt(0)],
  ['endAt', dayAt(0)],
  ['maxRuns', 1],
  ['jitter', 1_000],
  ['exclude', [{ weekdays: ['sat'] }]],
  ['dst', { gap: 'skip' }],
  ['anchor', dayAt(0)],
])('%s, which recurring triggers have, is refused for what runs once, and by hand', (option, value) => {
  const defaults = { timeZone: 'UTC', payloadLimit: 1_000, calendars: {} };
  for (const trigger of [{ type: 'at', at: dayAt(1) }, { type: 'manual' }]) {
    const given = { ...trigger, [option]: value } as unknown as TriggerInput;
    expect(() =>
      defineJob({ id: 'job', handler: 'work', trigger: given, options: {} }, defaults, begin),
    ).toThrow(InvalidScheduleError);
  }
});
