import { afterAll, beforeAll, expect, test } from 'vitest';
import { PostgresLawBench } from '../support/postgres.subject.js';
import { runRandomWaits, type SeenWaits } from '../support/random.waits.js';

const bench = new PostgresLawBench();
beforeAll(() => bench.open());
afterAll(() => bench.close());

test('jobs that wait for each other come to what a model of them says in PostgreSQL too', async () => {
  const first = Math.floor(Math.random() * 2 ** 31);
  const seen: SeenWaits = new Map();
  for (const seed of [1, 2, 3, first, first + 1]) {
    const subject = await bench.storageSubject();
    await runRandomWaits(subject, seed, seen);
    await subject.close();
  }
  expect(['claimed', 'retried', 'discarded', 'run now'].filter((kind) => !seen.has(kind))).toEqual([]);
});
