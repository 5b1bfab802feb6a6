import { beforeAll, describe, expect, test } from 'vitest';
import type { Report } from './chaos.checker.js';
import { play, seed, type Played } from './short.form.js';

describe('four processes under faults for twelve seconds', () => {
  const kinds = ['kill', 'freeze', 'term', 'terminate', 'restart', 'silence'];
  let played: Played;
  let report: Report;

  beforeAll(async () => {
    played = await play(kinds, ['--seconds', '12', '--no-changes', '--every', '1200,1800']);
    report = played.worlds.steady!;
  }, 240_000);

  test('every instant has one verdict, no effect is doubled, nothing stale is accepted', () => {
    const { said, status } = played;
    expect({ seed, found: report.found, violations: report.violations }, said).toEqual({
      seed,
      found: {},
      violations: 0,
    });
    expect(status).toBe(0);
    expect(Object.values(report.checks)).toEqual(Object.values(report.checks).map(() => 0));
    expect(Object.keys(report.checks)).toContain('instants without a verdict');
  });

  test('the run was worth it: work was done, each kind of fault happened, attempts were lost', () => {
    const { figures, verdicts, attempts, faults } = report;
    expect(figures['due instants']).toBeGreaterThan(150);
    expect(figures['one-offs']).toBeGreaterThan(100);
    expect(figures['verdicts']).toBe(figures['runs']);
    expect(verdicts['succeeded']).toBeGreaterThan(250);
    expect(attempts['lost']).toBeGreaterThan(0);
    expect(Object.keys(faults)).toEqual(kinds.toSorted());
  });

  test('in a transaction there are as many effects as occurrences that succeeded', () => {
    expect(report.figures['transaction effects']).toBe(report.figures['succeeded in a transaction']);
    expect(report.doubles['transaction']).toBeUndefined();
  });
});
