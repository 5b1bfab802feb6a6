import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compiledTests } from '../support/compiled.js';
import type { Report } from './chaos.checker.js';
import { missingFaults } from './worlds.js';

const folder = mkdtempSync(join(tmpdir(), 'chronis-chaos-'));
afterAll(() => rmSync(folder, { recursive: true }));

const seed = 7;

/** Short forms of `npm run chaos`. The slack is for a machine that runs other tests at the same time. */
function play(name: string, kinds: readonly string[], given: readonly string[]) {
  const json = join(folder, `${name}.json`);
  const main = join(compiledTests(), 'test/chaos/main.js');
  const common = [
    '--workers',
    '4',
    '--seed',
    `${seed}`,
    '--lease',
    '2000',
    '--slack',
    '4000',
    '--json',
    json,
  ];
  const run = spawnSync(process.execPath, [main, ...common, ...given, '--faults', kinds.join(',')], {
    encoding: 'utf8',
  });
  const said = run.stdout + run.stderr;
  const { worlds } = JSON.parse(readFileSync(json, 'utf8')) as { worlds: Record<string, Report> };
  return { status: run.status, said, worlds };
}

const foundIn = (worlds: Record<string, Report>) =>
  Object.fromEntries(Object.entries(worlds).map(([name, { found }]) => [name, found]));

describe('four processes under faults for twelve seconds', () => {
  const kinds = ['kill', 'freeze', 'term', 'terminate', 'restart', 'silence'];
  let played: ReturnType<typeof play>;
  let report: Report;

  beforeAll(() => {
    played = play('faults', kinds, ['--seconds', '12', '--no-changes', '--every', '1200,1800']);
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

/** The faults that need nothing else, with changes of jobs beside them; those of poolers and clocks where these are installed. */
describe('four processes whose jobs are changed under locks, poison and hostile settings', () => {
  const kinds = ['poison', 'lock-rows', 'lock-dead', 'lock-table', 'read-only', 'role-setting', 'swallow'];
  const installed = ['pooler', 'clock'];
  const missing = missingFaults(installed);
  const all = [...kinds, ...installed.filter((kind) => !missing.has(kind))];
  let played: ReturnType<typeof play>;

  beforeAll(() => {
    played = play('changes', all, ['--seconds', `${missing.has('clock') ? 10 : 13}`, '--every', '900,1300']);
  }, 240_000);

  test('nothing is forgotten, doubled, kept or given up', () => {
    const { worlds, status, said } = played;
    expect({ seed, found: foundIn(worlds) }, said).toEqual({
      seed,
      found: Object.fromEntries(Object.keys(worlds).map((name) => [name, {}])),
    });
    expect(status).toBe(0);
  });

  test('the run was worth it', () => {
    const { worlds } = played;
    expect(Object.keys(worlds)).toEqual(missing.has('clock') ? ['steady'] : ['steady', 'clock']);
    for (const { figures } of Object.values(worlds)) expect(figures['verdicts']).toBe(figures['runs']);
    const done = Object.values(worlds).flatMap(({ faults }) => Object.keys(faults));
    expect(done.filter((kind) => all.includes(kind)).length).toBeGreaterThan(all.length / 2);
  });
});
