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
  }, 600_000); // Only what hangs gets there.

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

  // How much of both there is goes by the machine.
  test('the run was worth it: work was done, most kinds of fault happened, attempts were lost', () => {
    const { figures, verdicts, attempts, faults } = report;
    expect(figures['due instants'], played.said).toBeGreaterThan(50);
    expect(figures['one-offs'], played.said).toBeGreaterThan(50);
    expect(figures['verdicts']).toBe(figures['runs']);
    expect(verdicts['succeeded'], played.said).toBeGreaterThan(figures['one-offs']!);
    expect(attempts['lost'], played.said).toBeGreaterThan(0);
    const done = Object.keys(faults).filter((kind) => kinds.includes(kind));
    expect(done.length, played.said).toBeGreaterThan(kinds.length / 2);
  });

  test('in a transaction there are as many effects as occurrences that succeeded', () => {
    expect(report.figures['transaction effects']).toBe(report.figures['succeeded in a transaction']);
    expect(report.doubles['transaction']).toBeUndefined();
  });
});
