import { afterAll, beforeAll, describe, test } from 'vitest';
import { lockLaws, runLaw, storageLaws } from '../../lib/testing/index.js';
import { PostgresLawBench } from '../support/postgres.subject.js';

const bench = new PostgresLawBench();
beforeAll(() => bench.open());
afterAll(() => bench.close());

describe('the PostgreSQL storage keeps the laws', () => {
  for (const law of storageLaws()) test(law.name, () => runLaw(law, () => bench.storageSubject()));
});

describe('the PostgreSQL lock keeps the laws', () => {
  for (const law of lockLaws()) test(law.name, () => runLaw(law, () => bench.lockSubject()));
});
