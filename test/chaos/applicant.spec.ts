import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tableNames } from '../../lib/typeorm/sql/table.names.js';
import { Applicant } from './applicant.js';
import { jobs } from './chaos.options.js';
import { LoneDatabase } from './databases.js';
import { notesSql } from './notes.sql.js';

let database: LoneDatabase;
let client: pg.Client;
let applicant: Applicant;
beforeAll(async () => {
  database = await LoneDatabase.begin();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query(notesSql);
  applicant = await Applicant.begin(database);
});
afterAll(async () => {
  await applicant.end();
  await client.end();
  await database.stop();
});

test('workers are told of what the manager of the chaos test pauses: they give back what they were handed out ahead', async () => {
  const told: (string | undefined)[] = [];
  client.on('notification', ({ payload }) => told.push(payload));
  await client.query(`listen ${tableNames(jobs, '', true).channel}`);
  await applicant.scheduler.pause({ handler: 'managed-0' });
  // What was told before comes with its answer at the latest.
  await client.query('select 1');
  expect(told).toEqual(['change']);
});
