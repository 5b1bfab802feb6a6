import { afterAll, beforeAll, expect, test } from 'vitest';
import { PostgresLawBench } from '../support/postgres.subject.js';
import { runRandomFlow, type Seen } from '../support/random.flows.js';

const bench = new PostgresLawBench();
beforeAll(() => bench.open());
afterAll(() => bench.close());

async function check(seeds: readonly number[], seen: Seen): Promise<void> {
  for (const seed of seeds) {
    const subject = await bench.storageSubject();
    await runRandomFlow(subject, seed, {}, seen);
    await subject.close();
  }
}

test('random graphs come to what a model of them says in PostgreSQL too, whatever becomes of their steps', async () => {
  const seen: Seen = new Map();
  // Maps that were released before their lists had ended, and lists from several parents.
  await check([17, 36, 59], seen);
  expect(['claimed', 'retried'].filter((kind) => !seen.has(kind))).toEqual([]);
});

test('random graphs of seeds that nobody has tried yet', async () => {
  const first = Math.floor(Math.random() * 2 ** 31);
  await check([first, first + 1, first + 2], new Map());
});
