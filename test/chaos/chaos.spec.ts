import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compiledTests } from '../support/compiled.js';
import type { Report } from './chaos.checker.js';

const folder = mkdtempSync(join(tmpdir(), 'chronis-chaos-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The short form of `npm run chaos`. The slack is for a machine that runs other tests at the same time. */
describe('four processes under faults for twelve seconds', () => {
  const seed = 7;
  let status: number | null;
  let said: string;
  let report: Report;

  beforeAll(() => {
    const json = join(folder, 'out.json');
    const kinds = 'kill,freeze,term,terminate,restart,silence';
    const numbers = [
      '--seconds',
      '12',
      '--workers',
      '4',
      '--seed',
      `${seed}`,
      '--lease',
      '2000',
      '--slack',
      '4000',
    ];
    const main = join(compiledTests(), 'test/chaos/main.js');
    const run = spawnSync(
      process.execPath,
      [main, ...numbers, '--no-changes', '--every', '1200,1800', '--faults', kinds, '--json', json],
      { encoding: 'utf8' },
    );
    ({ status } = run);
    said = run.stdout + run.stderr;
    ({ steady: report } = (JSON.parse(readFileSync(json, 'utf8')) as { worlds: { steady: Report } }).worlds);
  }, 150_000);

  test('every instant has one verdict, no effect is doubled, nothing stale is accepted', () => {
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
    expect(Object.keys(faults)).toEqual(['freeze', 'kill', 'restart', 'silence', 'term', 'terminate']);
  });

  test('in a transaction there are as many effects as occurrences that succeeded', () => {
    expect(report.figures['transaction effects']).toBe(report.figures['succeeded in a transaction']);
    expect(report.doubles['transaction']).toBeUndefined();
  });
});
