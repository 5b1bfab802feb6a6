import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { compiledTests } from '../support/compiled.js';
import { databaseUrl, freshSchema } from '../support/schema.js';
import { playGraphs } from './graphs.run.js';

test('random workflows end as a model says under kill -9 and SIGSTOP, no step before its parents', async () => {
  const schema = freshSchema('graphs');
  const said: string[] = [];
  const { violations, figures } = await playGraphs({
    url: databaseUrl(),
    schema,
    workerFile: join(compiledTests(), 'test/chaos/graphs.worker.js'),
    graphs: 25,
    steps: 40,
    workers: 3,
    seed: 11,
    leaseMs: 1_500,
    everyMs: 1_000,
    stepMs: 200,
    withinMs: 200_000,
    tell: (line) => said.push(line),
  });
  const client = new pg.Client(databaseUrl());
  await client.connect();
  await client.query(`drop schema "${schema}" cascade`);
  await client.end();
  expect(violations, said.join('\n')).toEqual([]);
  // It was worth it.
  expect(figures['kills']).toBeGreaterThan(0);
  expect(figures['attempts lost']).toBeGreaterThan(0);
}, 300_000);
