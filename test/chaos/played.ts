import { join } from 'node:path';
import pg from 'pg';
import { expect } from 'vitest';
import { compiledTests } from '../support/compiled.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

/** What the short forms have in common: workers that are killed and frozen in turns, and how long all may take. */
interface Played {
  url: string;
  schema: string;
  workerFile: string;
  workers: number;
  leaseMs: number;
  everyMs: number;
  withinMs: number;
  tell: (line: string) => void;
}

/** Plays a short form in tables of its own, and expects that it was harmed and has violated nothing. `topic`: that of its worker, `TOPIC.worker.ts`. */
export async function expectPlayed(
  topic: string,
  play: (played: Played) => Promise<{ violations: string[]; figures: Record<string, number> }>,
): Promise<void> {
  const schema = freshSchema(topic);
  const said: string[] = [];
  const { violations, figures } = await play({
    url: databaseUrl(),
    schema,
    workerFile: join(compiledTests(), `test/chaos/${topic}.worker.js`),
    workers: 3,
    leaseMs: 1_500,
    everyMs: 1_000,
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
}
