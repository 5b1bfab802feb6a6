import { describe, expect, test } from 'vitest';
import { findViolations } from './history.checker.js';
import { playScenario } from './scenario.js';

describe('simulated clusters', () => {
  // Twice all kinds in turn; `npm run simulate` plays as many as are wanted.
  const seeds = Array.from({ length: 12 }, (_, i) => i + 1);

  test.each(seeds)('keep the promises through crashes, freezes and cuts (seed %i)', async (seed) => {
    expect(await findViolations(await playScenario(seed))).toEqual([]);
  });

  test.each([1, 2, 3])('keep innocent runs apart from poison (seed %i)', async (seed) => {
    expect(await findViolations(await playScenario(seed, undefined, 'poison'))).toEqual([]);
  });

  test.each([1, 2, 3, 4, 5, 6])('give open runs one verdict each (seed %i)', async (seed) => {
    const outcome = await playScenario(seed, undefined, 'open');
    expect(await findViolations(outcome)).toEqual([]);
    expect(outcome.outsiders!.given.filter(({ acknowledged }) => acknowledged).length).toBeGreaterThan(0);
  });

  test.each([1, 2, 3, 4])('run a durable step until it has ended, and not again (seed %i)', async (seed) => {
    const outcome = await playScenario(seed, undefined, 'steps');
    expect(await findViolations(outcome)).toEqual([]);
    const { begun, resolved, slept } = outcome.steps!.count;
    expect(Math.min(begun, slept, resolved)).toBeGreaterThan(0);
  });

  test.each([2, 3, 4])(
    'have the jobs of the release that should be in force (seed %i)',
    async (seed) => {
      expect(await findViolations(await playScenario(seed, undefined, 'deploys'))).toEqual([]);
    },
    60_000,
  );

  test.each(['stormy', 'deploys'] as const)(
    'the same seed plays the same history (%s)',
    async (kind) => {
      const history = async () => {
        const { executions, faults, storage } = await playScenario(3, undefined, kind);
        const { items } = await storage.queryAttempts({}, { limit: 1_000 });
        // Worker ids are random by design; `error` may name one.
        const rows = items.map((row) => ({ ...row, worker: null, error: null }));
        return JSON.stringify({ executions: [...executions], faults, rows });
      };
      expect(await history()).toBe(await history());
    },
    60_000,
  );
});
