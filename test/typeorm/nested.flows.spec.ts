import { afterAll, beforeAll, describe, test } from 'vitest';
import { memorySubject } from '../support/memory.subject.js';
import { compareNestedFlows } from '../support/nested.flows.js';
import { PostgresLawBench } from '../support/postgres.subject.js';

// CHRONIS_NESTED_FLOWS=200 does more of them, CHRONIS_NESTED_SEED=17 begins there.
const rounds = Number(process.env.CHRONIS_NESTED_FLOWS ?? 8);
const first = Number(process.env.CHRONIS_NESTED_SEED ?? 1);
const turns = 70;
const roundMs = 30_000;

describe('workflows within workflows come to the same in memory and in PostgreSQL', () => {
  const bench = new PostgresLawBench();
  beforeAll(() => bench.open());
  afterAll(() => bench.close());

  test.each(Array.from({ length: rounds }, (_, nth) => first + nth))(
    'whatever is done to them: seed %i',
    async (seed) => {
      await compareNestedFlows([memorySubject(), await bench.storageSubject()], seed, turns);
    },
    roundMs,
  );
});
