import { beforeAll, describe, expect, test } from 'vitest';
import type { Report } from './chaos.checker.js';
import { play, seed, type Played } from './short.form.js';
import { missingFaults } from './worlds.js';

const foundIn = (worlds: Record<string, Report>) =>
  Object.fromEntries(Object.entries(worlds).map(([name, { found }]) => [name, found]));

/** The faults that need nothing else, with changes of jobs beside them; those of poolers and clocks where these are installed. */
describe('four processes whose jobs are changed under locks, poison and hostile settings', () => {
  const kinds = ['poison', 'lock-rows', 'lock-dead', 'lock-table', 'read-only', 'role-setting', 'swallow'];
  const installed = ['pooler', 'clock'];
  const missing = missingFaults(installed);
  const all = [...kinds, ...installed.filter((kind) => !missing.has(kind))];
  let played: Played;

  beforeAll(async () => {
    played = await play(all, ['--seconds', `${missing.has('clock') ? 10 : 13}`, '--every', '900,1300']);
  }, 600_000); // Only what hangs gets there.

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
