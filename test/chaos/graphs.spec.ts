import { test } from 'vitest';
import { playGraphs } from './graphs.run.js';
import { expectPlayed } from './played.js';

test('random workflows end as a model says under kill -9 and SIGSTOP, no step before its parents', async () => {
  await expectPlayed('graphs', (played) =>
    playGraphs({ ...played, graphs: 25, steps: 40, seed: 11, stepMs: 200 }),
  );
}, 300_000);
