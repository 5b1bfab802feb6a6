// Copied as watering.spec.ts into the throwaway apps, for the runner of each.
import 'reflect-metadata';
import { ChronisTesting, type ChronisTestingOptions } from 'nestjs-chronis/testing';
import { typeOrmStorage } from 'nestjs-chronis/typeorm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Valve, WateringModule } from './watering.js';

const { DATABASE_URL: url = '', SCHEMA: schema = 'watering' } = process.env;
const storages: [string, ChronisTestingOptions['storage']][] = [
  ['memory', undefined],
  ['PostgreSQL', (clock) => typeOrmStorage({ url, schema, clock })],
];

describe.each(storages)('the watering on %s', (_name, storage) => {
  let chronis: ChronisTesting;
  beforeEach(async () => {
    const startAt = '2026-03-01T00:00:00Z';
    chronis = await ChronisTesting.create({ imports: [WateringModule], startAt, storage });
  });
  afterEach(() => chronis.close());

  test('comes each morning, and a second time where there was no pressure', async () => {
    const beans = { handler: 'water', payload: { bed: 'beans' }, maxRetries: 1 };
    await chronis.scheduler.createDateJob({ id: 'beans', in: '1h', ...beans });

    const executions = await chronis.advanceBy('2d');

    const inOrder = executions.map(({ jobId, outcome }) => `${jobId} ${outcome}`);
    expect(inOrder).toEqual(['beans failed', 'beans succeeded', 'morning succeeded', 'morning succeeded']);
    const outcomes = (await chronis.ledger('beans')).map(({ outcome }) => outcome);
    expect(outcomes).toEqual(['failed', 'succeeded']);
    expect(chronis.app.get(Valve).opened).toEqual(['beans', 'roses', 'roses']);
  });

  test('begins anew in each test', async () => {
    const executions = await chronis.advanceBy('1d');

    expect(executions.map(({ jobId }) => jobId)).toEqual(['morning']);
    expect(await chronis.ledger()).toHaveLength(1);
  });
});
