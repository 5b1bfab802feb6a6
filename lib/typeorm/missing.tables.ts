import { StorageError } from '../model/errors.js';
import type { FoundTable } from './missing.rights.js';
import { messageOf, sqlStateOf } from './sql.errors.js';
import { defaultPartition } from './sql/ledger.day.fragment.js';
import { relationNames } from './sql/find.tables.sql.js';
import { allTables, type TableNames } from './sql/table.names.js';

const orDoctor =
  'Where that is refused, as rows or another table are in the way, chronis doctor gives the statements.';

/** Throws StorageError where tables are gone that the version in `meta` says are there: no start brings back what was in them. */
export function refuseGone(tables: readonly FoundTable[], version: number, t: TableNames): void {
  const missing = tables.filter(({ isGone }) => isGone);
  const gone = missing.map(({ relation }) => relation);
  if (gone.length === 0) return;
  const { name, create } = defaultPartition(t);
  if (missing.every((table) => table.name === name)) {
    throw new StorageError(
      `The schema "${t.schemaText}" is at version ${version}, but the default partition of its ledger is gone: ${gone.join(', ')}. Make an empty one by hand: ${create.join('; ')}; ${orDoctor} What was in it, rows of days without a partition of their own, only a backup brings back.`,
    );
  }
  const all = allTables.map((name) => t[name]).join(', ');
  throw new StorageError(
    `The schema "${t.schemaText}" is at version ${version}, but these of its tables are gone: ${gone.join(', ')}. Restore them from a backup. Or, where jobs that were made at run time may be lost, drop the others too (drop table if exists ${all} cascade) and start with migrate: 'auto'.`,
  );
}

/** Throws StorageError where the ledger has another default partition than that of its name, or none: runs that end on a day without a partition would get no verdict, and would be executed again. */
export function refuseApart(tables: readonly FoundTable[], t: TableNames): void {
  const apart = tables.find(({ isApart }) => isApart);
  if (apart === undefined) return;
  const { attach } = defaultPartition(t);
  throw new StorageError(
    `${apart.relation} is not the default partition of the ledger ${t.attempt}: runs that end on a day without a partition would get no verdict, and would be executed again. Attach it by hand: ${attach}; ${orDoctor}`,
  );
}

/** Throws StorageError where nothing says that Chronis was here, and yet there are relations with the names of its tables. */
export function refuseTaken(tables: readonly FoundTable[], t: TableNames): void {
  const gone = new Set(tables.flatMap(({ isGone, name }) => (isGone ? name : [])));
  const taken = relationNames(t).filter((name) => !gone.has(name));
  if (taken.length === 0) return;
  const names = taken.map((name) => t.qualified(name.slice(t.prefix.length))).join(', ');
  const meta = taken.includes(`${t.prefix}meta`) ? 'has no version' : 'is not there';
  throw new StorageError(
    `These are there already, and are not of Chronis, as ${t.meta} ${meta}: ${names}. ${waysOut(t)} If they were of Chronis once, restore ${t.meta} from a backup, or by the statements that chronis doctor gives.`,
  );
}

/** An error that says how names get out of each other's way, where ours are taken; else `error` itself. */
export function withNames(error: unknown, t: TableNames): unknown {
  // Duplicate table (or index, view, sequence), duplicate object.
  if (!['42P07', '42710'].includes(sqlStateOf(error) ?? '')) return error;
  const { cause } = error as StorageError;
  return new StorageError(
    `The tables cannot be made in the schema "${t.schemaText}": ${messageOf(cause)}. ${waysOut(t)}`,
    { cause },
  );
}

/** The same where `meta` could not be read because it is something else. */
export function withMeta(error: unknown, t: TableNames): unknown {
  // Undefined column, wrong object type.
  if (!['42703', '42809'].includes(sqlStateOf(error) ?? '')) return error;
  const { cause } = error as StorageError;
  return new StorageError(`${t.meta} is not of Chronis: ${messageOf(cause)}. ${waysOut(t)}`, { cause });
}

function waysOut({ schemaText, prefix }: TableNames): string {
  const schema =
    schemaText === 'chronis' ? 'another schema' : "a schema of its own, such as schema: 'chronis'";
  return `Give Chronis ${schema}, or names that are free, such as tablePrefix: '${prefix}chronis_'.`;
}
