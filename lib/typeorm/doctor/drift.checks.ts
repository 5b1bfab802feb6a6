import type { TableNames } from '../sql/table.names.js';
import { byHand, bySql, type Check, type Ground } from './check.js';
import type { Finding } from './diagnosis.js';
import { defaultFindings } from './default.check.js';
import { expectedSchema, type ExpectedSchema, type SchemaContent } from './expected.schema.js';
import { ownRelations, ownTables } from './foreign.checks.js';
import { readSchema } from './schema.reading.js';

/** Whether the tables are still as the migrations have made them. Only to be asked of the version of this release. */
export const driftChecks: readonly Check[] = [
  {
    name: 'columns',
    look: async ({ session, t }) => {
      const found = await readSchema((...asked) => session.rows(...asked), t);
      return [...columnFindings(found, t), ...defaultFindings(found, t)];
    },
  },
  {
    name: 'indexes',
    look: async ({ session, t }) => [
      ...indexFindings(await readSchema((...asked) => session.rows(...asked), t), t),
      ...invalidFindings(await session.rows<{ name: string }>(invalidSql, [t.schemaText]), t),
    ],
  },
  {
    name: 'persistence',
    look: async ({ session, t }: Ground) =>
      unloggedFindings(await session.rows<{ table: string }>(unloggedSql, [t.schemaText, ownTables(t)])),
  },
  {
    name: 'inheritance',
    look: async ({ session, t }: Ground) =>
      inheritedFindings(await session.rows<Heir>(heirsSql, [t.schemaText, ownTables(t)])),
  },
];

export function columnFindings(found: SchemaContent, t: TableNames): Finding[] {
  const findings: Finding[] = [];
  const expected = expectedSchema(t);
  for (const [table, wanted] of expected.columns) {
    const there = found.columns.get(table);
    // A table that is gone has a finding of its own.
    if (there === undefined) continue;
    const byName = new Map(there.map((column) => [nameOf(column), column]));
    for (const column of wanted) {
      const name = nameOf(column);
      const actual = byName.get(name);
      byName.delete(name);
      if (actual === column) continue;
      const place = `${t.qualified(table)}.${name}`;
      findings.push(
        actual === undefined
          ? {
              code: 'doctor.missing-column',
              severity: 'error',
              sentence: `The column ${place} is gone: statements that name it fail.`,
              evidence: { table: t.qualified(table), column: name, expected: column },
              repair: byHand(
                `Restore it from a backup; where what was in it may be lost: alter table ${t.qualified(table)} add column ${column};`,
              ),
            }
          : {
              code: 'doctor.column-drift',
              severity: 'error',
              sentence: `The column ${place} is not as Chronis has made it.`,
              evidence: { table: t.qualified(table), expected: column, actual },
              repair: byHand(`Change it back: it was "${column}".`),
            },
      );
    }
    findings.push(...unfilled(found, expected, t, table));
    for (const column of byName.values()) {
      // One that is filled in by itself, or may be empty, is in nobody's way.
      if (!column.endsWith(' not null') || found.filled.get(table)?.has(nameOf(column))) continue;
      findings.push({
        code: 'doctor.column-drift',
        severity: 'warning',
        sentence: `Somebody has added the column ${t.qualified(table)}.${nameOf(column)}, which must not be null: without a default no row can be written.`,
        evidence: { table: t.qualified(table), actual: column },
        repair: byHand('Take it away, or let it be null: the tables are those of Chronis.'),
      });
    }
  }
  return findings;
}

/** What was filled in by itself, and is not any more. How does not matter: a later version may do it otherwise than the first. */
function unfilled(found: SchemaContent, expected: ExpectedSchema, t: TableNames, table: string): Finding[] {
  const actual = found.filled.get(table);
  const there = new Set(found.columns.get(table)!.map(nameOf));
  const { filled, filling: fillings } = expected;
  return [...(filled.get(table) ?? [])]
    .filter(([name]) => there.has(name) && actual?.has(name) !== true)
    .map(([name, filling]) => ({
      code: 'doctor.column-drift',
      severity: 'error',
      sentence: `The column ${t.qualified(table)}.${name} is not filled in by itself any more (${filling}): rows that leave it out are refused, or lack it.`,
      evidence: {
        table: t.qualified(table),
        column: name,
        expected: filling,
        actual: null,
      },
      repair: bySql(refilling(t.qualified(table), name, fillings.get(`${table}.${name}`)!)),
    }));
}

/** Numbers go on behind those that are there. */
function refilling(table: string, column: string, filling: string): string {
  if (!filling.endsWith('as identity')) return `alter table ${table} alter column ${column} set ${filling};`;
  const sequence = `pg_get_serial_sequence('${table.replaceAll("'", "''")}', '${column}')`;
  return `alter table ${table} alter column ${column} add ${filling}; select setval(${sequence}, (select greatest(coalesce(max(${column}), 0), 1) from ${table}));`;
}

function nameOf(column: string): string {
  return column.slice(0, column.indexOf(' '));
}

export function indexFindings(found: SchemaContent, t: TableNames): Finding[] {
  const findings: Finding[] = [];
  const { indexes, making } = expectedSchema(t);
  for (const [name, { table, isUnique, shape }] of indexes) {
    if (!found.columns.has(table)) continue;
    const actual = found.indexes.get(name);
    if (actual !== undefined && actual.shape === shape && actual.isUnique === isUnique) continue;
    const index = t.index(name);
    const evidence = { index, table: t.qualified(table), expected: shape, actual: actual?.shape ?? null };
    const repair = beside(making.get(name)!, table);
    findings.push(
      actual === undefined
        ? {
            code: 'doctor.missing-index',
            severity: isUnique ? 'error' : 'warning',
            sentence: `The index ${index} of ${t.qualified(table)} is gone: ${isUnique ? 'what must be there once may be there twice, and statements that rely on it fail' : 'statements that go by it read the whole table'}.`,
            evidence,
            repair: bySql(repair),
          }
        : {
            code: 'doctor.index-drift',
            severity: 'warning',
            sentence: `The index ${index} of ${t.qualified(table)} is not as Chronis has made it.`,
            evidence,
            repair: bySql(`drop index ${t.schema}.${index}; ${repair}`),
          },
    );
  }
  return findings;
}

/** Made while others write. A partitioned table has its indexes made at once with those of its parts, which cannot be done so. */
function beside(statement: string, table: string): string {
  return `${table === 'attempt' ? statement : statement.replace(/^create (unique )?index /, 'create $1index concurrently ')};`;
}

/** Those of partitions too. A partitioned one is not valid while a part lacks its own. */
const invalidSql = `
select i.relname as name from pg_index x join pg_class i on i.oid = x.indexrelid join pg_namespace n on n.oid = i.relnamespace
where n.nspname = $1 and not (x.indisvalid and x.indisready) order by 1`;

export function invalidFindings(found: readonly { name: string }[], t: TableNames): Finding[] {
  return found
    .filter(({ name }) => name.startsWith(t.prefix))
    .map(({ name }) => ({
      code: 'doctor.invalid-index',
      severity: 'error',
      sentence: `The index "${name}" is not valid, as its making was cut off: it is written, and nobody reads it.`,
      evidence: { index: name },
      repair: bySql(`reindex index concurrently ${t.schema}."${name}";`),
    }));
}

const unloggedSql = `
select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as "table" from (${ownRelations}) c join pg_namespace n on n.oid = c.relnamespace
where c.relpersistence = 'u' order by 1`;

export function unloggedFindings(found: readonly { table: string }[]): Finding[] {
  return found.map(({ table }) => ({
    code: 'doctor.unlogged-table',
    severity: 'error',
    sentence: `The table ${table} is unlogged: a crash of the server empties it, and standbys have nothing of it.`,
    evidence: { table },
    repair: bySql(`alter table ${table} set logged;`),
  }));
}

interface Heir {
  table: string;
  heir: string;
}

/** Partitions are those of the ledger. */
const heirsSql = `
select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as "table", quote_ident(m.nspname) || '.' || quote_ident(h.relname) as heir
from pg_inherits i join pg_class c on c.oid = i.inhparent join pg_namespace n on n.oid = c.relnamespace
  join pg_class h on h.oid = i.inhrelid join pg_namespace m on m.oid = h.relnamespace
where n.nspname = $1 and c.relname = any ($2::text[]) and c.relkind = 'r' order by 1, 2`;

export function inheritedFindings(found: readonly Heir[]): Finding[] {
  return found.map(({ table, heir }) => ({
    code: 'doctor.inherited-table',
    severity: 'error',
    sentence: `The table ${heir} inherits from ${table}: its rows count as rows of Chronis, nothing keeps them from being there twice, and a claim may change them in place of others.`,
    evidence: { table, heir },
    repair: bySql(`alter table ${heir} no inherit ${table};`),
  }));
}
