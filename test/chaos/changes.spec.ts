import { beforeAll, describe, expect, test } from 'vitest';
import type { Report } from './chaos.checker.js';
import { play, seed, type Played } from './short.form.js';
import { missingFaults } from './worlds.js';

/** The faults that need nothing else, with changes of jobs beside them; those of poolers where these are installed. */
describe('four processes whose jobs are changed under locks, poison and hostile settings', () => {
  const kinds = ['poison', 'lock-rows', 'lock-dead', 'lock-table', 'read-only', 'role-setting', 'swallow'];
  const all = missingFaults(['pooler']).size > 0 ? kinds : [...kinds, 'pooler'];
  let played: Played;
  let report: Report;

  beforeAll(async () => {
    played = await play(all, ['--seconds', '10', '--every', '900,1300']);
    report = played.worlds.steady!;
  }, 600_000); // Only what hangs gets there.

  test('nothing is forgotten, doubled, kept or given up', () => {
    const { status, said } = played;
    expect({ seed, found: report.found }, said).toEqual({ seed, found: {} });
    expect(status).toBe(0);
  });

  test('the run was worth it', () => {
    const { figures, faults } = report;
    expect(figures['verdicts']).toBe(figures['runs']);
    const done = Object.keys(faults).filter((kind) => all.includes(kind));
    expect(done.length).toBeGreaterThan(all.length / 2);
  });
});
