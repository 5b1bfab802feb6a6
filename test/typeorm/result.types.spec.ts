import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StorageAdapter } from '../../lib/index.js';
import { prepareStatements } from '../../lib/typeorm/statements.js';
import { tableNames } from '../../lib/typeorm/sql/table.names.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const client = new pg.Client(databaseUrl());
const schema = freshSchema('types');
let storage: StorageAdapter;

beforeAll(async () => {
  storage = newStorage({ schema, notify: false });
  await Promise.all([storage.init(), client.connect()]);
});
afterAll(async () => {
  await storage.close();
  await client.query(`drop schema "${schema}" cascade`);
  await client.end();
});

interface Field {
  name: string;
  dataTypeID: number;
}

/** The columns of a statement, which is not carried out. */
function columnsOf(text: string): Promise<Field[]> {
  return new Promise((resolve, reject) => {
    let fields: Field[] = [];
    let failure: Error | null = null;
    client.query({
      submit(connection: pg.Connection) {
        connection.parse({ name: '', text, types: [] }, true);
        connection.describe({ type: 'S', name: '' }, true);
        connection.sync();
      },
      handleRowDescription: (message: { fields: Field[] }) => (fields = message.fields),
      handleError: (error: Error) => (failure = error),
      handleReadyForQuery: () => (failure === null ? resolve(fields) : reject(failure)),
    } as unknown as pg.Submittable);
  });
}

/** What depends on settings of the session: real, double precision, their lists; date, time, timestamp, timestamptz, timetz, interval, money, bytea, xml. */
const bySettings = new Set([700, 701, 1021, 1022, 1082, 1083, 1114, 1184, 1266, 1186, 790, 17, 142]);

/** By name, with the reason. */
const allowed: Readonly<Record<string, string>> = {};

test('no statement lets a type out whose text depends on settings of the session', async () => {
  const found: string[] = [];
  for (const [name, text] of Object.entries(prepareStatements(tableNames(schema, '', true)))) {
    const columns = await columnsOf(text).catch((cause: unknown) => {
      throw new Error(`${name}: ${(cause as Error).message}`, { cause });
    });
    for (const column of columns) if (bySettings.has(column.dataTypeID)) found.push(`${name}.${column.name}`);
  }
  expect(found.filter((each) => !(each in allowed))).toEqual([]);
});

test('a float8 that is let out is found', async () => {
  expect(await columnsOf('select $1::float8 as time')).toMatchObject([{ name: 'time', dataTypeID: 701 }]);
});
