import { expect, test } from 'vitest';
import { planResume } from '../../lib/scheduler/resume.plan.js';

const noon = Date.UTC(2026, 0, 1, 12);
const second = 1_000;

test.each(['interval', 'cron'] as const)(
  'the pause of a schedule (%s) is on record to its end, also where its instants are too many to be counted',
  (type) => {
    const trigger =
      type === 'cron'
        ? ({ type, expression: '* * * * * *', timeZone: 'UTC' } as const)
        : ({ type, every: second, anchor: '2026-01-01T12:00:00Z' } as const);
    const resumed = (now: number) =>
      planResume('default', { trigger, id: 'often', pausedFrom: noon }, now, {});
    expect(resumed(noon + 10.5 * second)).toEqual({
      nextAt: noon + 11 * second,
      gap: { from: noon, until: noon + 10 * second, verdict: 'paused', count: 11, reason: 'pause' },
    });
    expect(resumed(noon + 150_000.5 * second)).toEqual({
      nextAt: noon + 150_001 * second,
      gap: { from: noon, until: noon + 150_000 * second, verdict: 'paused', count: 100_001, reason: 'pause' },
    });
  },
);
