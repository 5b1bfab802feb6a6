import { test } from 'vitest';
import { playFunctions } from './functions.run.js';
import { expectPlayed } from './played.js';

test('durable functions come to their end under kill -9 and SIGSTOP, and write nothing twice', async () => {
  await expectPlayed('functions', (played) =>
    playFunctions({ ...played, functions: 120, seed: 7, stepMs: 100 }),
  );
}, 300_000);
