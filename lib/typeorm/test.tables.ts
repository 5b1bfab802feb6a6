import { TestTablesError } from '../model/errors.js';
import type { Database } from './database.js';
import { emptyTablesSql } from './sql/empty.tables.sql.js';
import { readMakerSql } from './sql/read.maker.sql.js';
import type { TableNames } from './sql/table.names.js';

/** What `made_by` says of tables that an adapter with the clock of a test has made. */
const maker = 'tests';

/** Marks tables that are being made. */
export function markSql(t: TableNames): string {
  return `insert into ${t.meta} (key, value) values ('made_by', '${maker}')`;
}

/** An application has no business on tables that the next test empties. Throws TestTablesError. */
export function refuseTestTables(t: TableNames, meta: ReadonlyMap<unknown, unknown>): void {
  if (meta.get('made_by') !== maker) return;
  throw new TestTablesError(
    `The tables in the schema "${t.schemaText}" were made by tests, which empty them. Give the application a schema of its own, or drop this one: drop schema "${t.schemaText}" cascade;`,
  );
}

/** Empties the tables if tests have made them. Throws TestTablesError, and changes nothing, when somebody else has and they are in use. */
export async function emptyTestTables(database: Database, t: TableNames): Promise<void> {
  const [found] = await database.plain<{
    maker: string | null;
    jobs: number;
    runs: number;
    recorded: boolean;
  }>(readMakerSql(t));
  if (found.maker === maker) return void (await database.plain(emptyTablesSql(t)));
  const { jobs, runs, recorded } = found;
  if (jobs + runs === 0 && !recorded) return;
  throw new TestTablesError(
    `The tables in the schema "${t.schemaText}" were not made by a test, so they are not emptied (jobs: ${jobs}, runs: ${runs}). Give the tests a schema of their own, such as "test_orders".`,
  );
}
