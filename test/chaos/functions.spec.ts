import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { compiledTests } from '../support/compiled.js';
import { databaseUrl, freshSchema } from '../support/schema.js';
import { playFunctions } from './functions.run.js';

test('durable functions come to their end under kill -9 and SIGSTOP, and write nothing twice', async () => {
  const schema = freshSchema('functions');
  const said: string[] = [];
  const { violations, figures } = await playFunctions({
    url: databaseUrl(),
    schema,
    workerFile: join(compiledTests(), 'test/chaos/functions.worker.js'),
    functions: 60,
    workers: 3,
    seed: 7,
    leaseMs: 1_500,
    everyMs: 1_000,
    stepMs: 100,
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
