import { expect, test } from 'vitest';
import { compareEngines } from './differential.js';

test('random crons agree with croner, and away from changes of the clocks with cron-parser', () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const { disagreements, compared } = compareEngines(500, seed);
  expect(disagreements, `seed ${seed}; repeat: npm run differential -- --runs 500 --seed ${seed}`).toEqual(
    [],
  );
  expect(compared.croner).toBe(500);
  expect(compared['cron-parser']).toBeGreaterThan(100);
});
