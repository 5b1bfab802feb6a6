import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compiledTests } from '../support/compiled.js';
import { databaseUrl, freshSchema } from '../support/schema.js';
import type { ClientReport } from './api.report.js';

const seed = Number(process.env.CHRONIS_TEST_SEED ?? Math.floor(Math.random() * 1e9));
const processes = 4;
const env = {
  ...process.env,
  RUNS: process.env.CHRONIS_MODEL_RUNS ?? '4',
  ROUNDS: process.env.CHRONIS_MODEL_ROUNDS ?? '100',
};

describe(`random calls of four processes on one PostgreSQL, seed ${seed},`, () => {
  const schema = freshSchema('api');
  const client = new pg.Client(databaseUrl());
  let reports: ClientReport[];

  beforeAll(async () => {
    const file = join(compiledTests(), 'test/cluster/api.client.js');
    await client.connect();
    reports = await Promise.all(Array.from({ length: processes }, (_, nth) => report(file, nth)));
  }, 120_000);

  afterAll(async () => {
    await client.query(`drop schema if exists "${schema}" cascade`);
    await client.end();
  });

  async function report(file: string, nth: number): Promise<ClientReport> {
    const own = { DATABASE_URL: databaseUrl(), SCHEMA: schema, NAME: `client-${nth}`, SEED: `${seed + nth}` };
    const child = fork(file, { env: { ...env, ...own }, execArgv: [] });
    const died = once(child, 'exit').then(([code]) => {
      throw new Error(`The process ${nth} ended with ${code} and without a report.`);
    });
    const [message] = await Promise.race([once(child, 'message'), died]);
    return message as ClientReport;
  }

  const sum = (counts: (report: ClientReport) => Record<string, number>): Map<string, number> => {
    const sums = new Map<string, number>();
    for (const [key, count] of reports.flatMap((given) => Object.entries(counts(given)))) {
      sums.set(key, (sums.get(key) ?? 0) + count);
    }
    return sums;
  };

  test('are answered as the model says, where a process is alone with its jobs', () => {
    expect(reports.flatMap(({ differences }) => differences)).toEqual([]);
  });

  test('create a shared job once for each time that it was not there', async () => {
    const [created, deleted] = [sum((given) => given.created), sum((given) => given.deleted)];
    const { rows } = await client.query<{ id: string }>(
      `select id from "${schema}".job where namespace = 'shared'`,
    );
    const present = new Set(rows.map(({ id }) => id));
    for (const id of ['x', 'y', 'z']) {
      const [births, deaths] = [created.get(id) ?? 0, deleted.get(id) ?? 0];
      expect(births, id).toBeGreaterThan(0);
      expect(births - deaths, `${id}: created ${births} times, deleted ${deaths} times`).toBe(
        present.has(id) ? 1 : 0,
      );
    }
  });

  test('accept one change for each revision', () => {
    const accepted = sum((given) => given.revisions);
    expect(accepted.size).toBeGreaterThan(0);
    expect([...accepted].filter(([, times]) => times > 1)).toEqual([]);
  });

  test('give each run that was asked for one verdict', async () => {
    const asked = reports.flatMap(({ runIds }) => runIds);
    expect(new Set(asked).size).toBe(asked.length);
    const { rows } = await client.query<{ id: string; verdicts: number; open: boolean }>(
      `select asked.id, (select count(*)::int from "${schema}".attempt a where a.run_id = asked.id::bigint and a.final) as verdicts,
        exists (select from "${schema}".run r where r.id = asked.id::bigint and r.verdict is null) as open
       from unnest($1::text[]) asked (id)`,
      [asked],
    );
    // The last ones may have been asked for when all engines had stopped.
    const wrong = rows.filter(({ verdicts, open }) => verdicts !== (open ? 0 : 1));
    expect(wrong).toEqual([]);
    expect(rows.filter(({ verdicts }) => verdicts === 1).length).toBeGreaterThan(0);
  });
});
