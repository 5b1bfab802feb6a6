import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NewJob } from '../../lib/index.js';
import { jobColumns, tracedJobColumns } from '../../lib/typeorm/job.columns.js';
import { tableNames } from '../../lib/typeorm/sql/table.names.js';
import { prepareStatements, type StatementName } from '../../lib/typeorm/statements.js';
import { everyMs, newJob } from '../support/engine.js';
import { planModes, planOf } from '../support/plan.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const count = 400;
const schema = freshSchema('insert_plans');
const statements = prepareStatements(tableNames(schema, '', true));
const client = new pg.Client(databaseUrl());

const alike = (nth: number): Partial<NewJob> => ({ payload: { nth } });
const traced = (nth: number): Partial<NewJob> => ({ ...alike(nth), trace: `00-${nth}` });
const different = (nth: number): Partial<NewJob> => ({ ...alike(nth), metadata: { nth }, queue: `q-${nth}` });

function jobs(kind: 'one-offs' | 'recurring', given: (nth: number) => Partial<NewJob>): NewJob[] {
  return Array.from({ length: count }, (_, nth) =>
    newJob(1_700_000_000_000, { ...(kind === 'recurring' && everyMs(0, 60_000)), ...given(nth) }),
  );
}

/** With the text of arrays made here, as it is part of a statement. */
function valuesOf(created: NewJob[], ...others: unknown[]): unknown[] {
  return asText([...jobColumns(created), ...others]);
}

function asText(values: unknown[]): unknown[] {
  const text = (item: string | number | null): string =>
    item === null ? 'NULL' : JSON.stringify(String(item));
  return [null, ...values].map((value) =>
    Array.isArray(value) ? `{${(value as (string | number | null)[]).map(text).join(',')}}` : value,
  );
}

beforeAll(async () => {
  const storage = newStorage({ schema });
  await storage.init();
  await storage.close();
  await client.connect();
});

afterAll(async () => {
  await client.query(`drop schema "${schema}" cascade`);
  await client.end();
});

const delays = `{${Array<string>(count).fill('NULL').join(',')}}`;
const cases = planModes.flatMap((mode) => [
  ['insertOneOffs', 'alike', mode, valuesOf(jobs('one-offs', alike), 'at')] as const,
  ['insertOneOffs', 'different', mode, valuesOf(jobs('one-offs', different), 'at')] as const,
  ['insertTracedOneOffs', 'traced', mode, asText(tracedJobColumns(jobs('one-offs', traced), 'at'))] as const,
  ['insertNewOneOffs', 'different', mode, valuesOf(jobs('one-offs', different), 'at')] as const,
  ['insertRecurring', 'alike', mode, valuesOf(jobs('recurring', alike), delays, 0)] as const,
  ['insertRecurring', 'different', mode, valuesOf(jobs('recurring', different), delays, 0)] as const,
]);

test.each(cases)('%s of many jobs that are %s compares none with all others: %s plan', async (...given) => {
  const [name, , mode, values] = given;
  const plan = await planOf(client, statements[name satisfies StatementName], values, mode);
  // What is paused is a row or two.
  expect([...plan.indexes, ...plan.scanned].filter((name) => name !== 'pause')).toEqual([]);
  expect(plan.compared).toBeLessThanOrEqual(count);
});
