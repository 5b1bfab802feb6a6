import { StorageError } from '../model/errors.js';
import type { Database } from './database.js';
import { schemaVersion } from './migration.steps.js';
import { messageOf, sqlStateOf } from './sql.errors.js';
import type { TableNames } from './sql/table.names.js';

/** Of an error: the role lacks a right. */
export const insufficientPrivilege = '42501';

/** What `error` was about: reading what is there, or bringing the tables from this version (0: none) to that of this release. */
type Doing = 'use' | { from: number };

/** What `findTablesSql` has found. */
export type FoundTable = {
  role: string;
  name: string;
  isMeta: boolean;
  /** There is no such relation. */
  isGone: boolean;
  /** As a grant names it. */
  relation: string;
  /** Rights that the role does not have; null: it has all. */
  lacks: string | null;
  /** Row level security hides rows from the role. */
  isHidden: boolean;
  /** It has the name of the default partition of the ledger, and is not that. */
  isApart: boolean;
};

/** Throws StorageError with the fix, where row level security hides rows: what is hidden stands still, and nothing fails. */
export function refuseHidden(tables: readonly FoundTable[]): void {
  const hidden = tables.flatMap(({ isHidden, relation }) => (isHidden ? relation : []));
  if (hidden.length === 0) return;
  const { role } = tables[0]!;
  const off = hidden.map((relation) => `alter table ${relation} disable row level security`);
  throw new StorageError(
    `The role ${role} does not see all rows of ${hidden.join(', ')}: row level security is on for them, and its policies do not let the role do everything with every row. Let it: alter role ${role} bypassrls; or turn it off: ${off.join('; ')}.`,
  );
}

/** Throws StorageError with what is to be granted, where the role lacks a right that some statement needs sooner or later. */
export function refuseLacking(tables: readonly FoundTable[], t: TableNames): void {
  const lacking = new Map<string, string[]>();
  for (const { lacks, relation } of tables) {
    if (lacks === null) continue;
    // One grant is for tables or for sequences.
    const grant = `${lacks} on ${relation.startsWith('sequence ') ? 'sequence' : 'table'}`;
    lacking.set(grant, [...(lacking.get(grant) ?? []), relation.replace(/^sequence /, '')]);
  }
  if (lacking.size === 0) return;
  const { role } = tables[0]!;
  const grants = [...lacking].map(([rights, relations]) => `${rights} ${relations.join(', ')}`);
  throw new StorageError(
    `The role ${role} may not do all that is needed with the tables in the schema "${t.schemaText}": it lacks ${grants.join(' and ')}. Let it: ${grants.map((grant) => `grant ${grant} to ${role}`).join('; ')}.`,
  );
}

/** An error that names the role and the grant, where a right was missing at the start; else `error` itself. */
export async function withGrants(
  error: unknown,
  doing: Doing,
  database: Database,
  t: TableNames,
): Promise<unknown> {
  if (sqlStateOf(error) !== insufficientPrivilege) return error;
  const cause = (error as StorageError).cause;
  const [about] = await database.plain<{ role: string; name: string; exists: boolean }>(
    `select quote_ident(current_user) as role, quote_ident(current_database()) as name,
       exists (select from pg_namespace where nspname = '${t.schemaText}') as exists`,
  );
  const { role, name, exists } = about!;
  const said = messageOf(cause);
  const schema = `in the schema "${t.schemaText}"`;
  if (doing === 'use') {
    return refusal(`use the tables ${schema}: ${said}. Let it: ${grantsOfUse(t, role)}.`);
  }
  if (doing.from > 0) {
    return refusal(
      `bring the tables ${schema} from version ${doing.from} to ${schemaVersion}: ${said}. Apply what migrationSql({ from: ${doing.from} }) returns by their owner, and start with migrate: 'check'.`,
    );
  }
  const grant = exists ? `usage, create on schema ${t.schema}` : `create on database ${name}`;
  return refusal(
    `make the tables ${schema}: ${said}. Let it (grant ${grant} to ${role}), or apply what migrationSql() returns by a role that may, and start with migrate: 'check'.`,
  );

  function refusal(what: string): StorageError {
    return new StorageError(`The role ${role} may not ${what}`, { cause });
  }
}

function grantsOfUse({ schema }: TableNames, role: string): string {
  return `grant usage on schema ${schema} to ${role}; grant select, insert, update, delete on all tables in schema ${schema} to ${role}`;
}
