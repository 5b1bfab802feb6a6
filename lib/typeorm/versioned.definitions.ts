import type { Definition, DefinitionRef } from '../model/definition.js';
import type { Page } from '../model/job.js';
import type {
  DefinitionFilter,
  DefinitionStorage,
  EpochMs,
  NewDefinition,
  PageRequest,
  PutDefinition,
} from '../ports/storage.adapter.js';
import { Conditions } from './conditions.js';
import { toDate } from './job.rows.js';
import { toPage } from './paging.js';
import { isLatest, queryDefinitionsSql } from './sql/query.definitions.sql.js';
import type { TableNames } from './sql/table.names.js';
import type { Run, StatementScope } from './statement.runner.js';

/** A row of `definitionColumns`. */
interface DefinitionRow extends Pick<
  Definition,
  'namespace' | 'name' | 'version' | 'kind' | 'app' | 'source' | 'spec' | 'hash'
> {
  params_schema: Definition['paramsSchema'];
  created_ms: EpochMs;
  created_by: string | null;
  deleted_ms: EpochMs | null;
}

/** Definitions in PostgreSQL, each call by itself or all within one transaction: the scope decides. */
export class TypeOrmDefinitions implements DefinitionStorage {
  constructor(
    private readonly statements: StatementScope,
    private readonly tables: TableNames,
  ) {}

  putDefinitions(definitions: readonly NewDefinition[]): Promise<PutDefinition[]> {
    return this.statements.change(({ run }) => putDefinitions(run, definitions));
  }

  async getDefinition(
    { namespace, name }: DefinitionRef,
    version: number | null,
  ): Promise<Definition | null> {
    const [row] = await this.statements.run<DefinitionRow>('getDefinition', namespace, name, version);
    return row === undefined ? null : toDefinition(row);
  }

  async queryDefinitions(
    { namespace, name, kind, app, latest = false, deleted = false }: DefinitionFilter,
    { limit = 100, cursor }: PageRequest,
  ): Promise<Page<Definition>> {
    const conditions = new Conditions(limit + 1);
    conditions.among('v.namespace', namespace);
    conditions.among('v.name', name);
    conditions.among('v.kind', kind);
    conditions.among('v.app', app);
    if (latest) conditions.add(isLatest(this.tables));
    else if (!deleted) conditions.add('v.deleted_at is null');
    conditions.after(cursor, ['text', 'text', 'count'], '(v.namespace, v.name, v.version) > (?, ?, ?::int)');
    const sql = queryDefinitionsSql(this.tables, conditions.text);
    const rows = await this.statements.queries.run<DefinitionRow>(sql, conditions.values);
    return toPage(rows, limit, toDefinition, (row) => [row.namespace, row.name, row.version]);
  }

  async deleteDefinition({ namespace, name }: DefinitionRef, version: number | null): Promise<number> {
    const [row] = await this.statements.run<{ count: number }>('deleteDefinition', namespace, name, version);
    return row!.count;
  }

  async pruneDefinitions(deletedBefore: EpochMs, limit: number, archived = false): Promise<number> {
    const values = [deletedBefore, archived, limit, [], true];
    const [row] = await this.statements.run<{ count: number }>('forgetDefinitions', ...values);
    return row!.count;
  }
}

async function putDefinitions(run: Run, definitions: readonly NewDefinition[]): Promise<PutDefinition[]> {
  const results: (PutDefinition | undefined)[] = definitions.map(() => undefined);
  for (;;) {
    const batch = firstOfEach(
      definitions,
      [...definitions.keys()].filter((index) => results[index] === undefined),
    );
    if (batch.length === 0) return results as PutDefinition[];
    const given = batch.map((index) => definitions[index]!);
    const rows = await run<DefinitionRow & Pick<PutDefinition, 'status'> & { nth: number }>(
      'putDefinitions',
      ...columnsOf(given),
    );
    for (const { nth, status, ...row } of rows)
      results[batch[nth - 1]!] = { status, definition: toDefinition(row) };
  }
}

function columnsOf(given: readonly NewDefinition[]): unknown[][] {
  const column = (of: (each: NewDefinition) => unknown): unknown[] => given.map(of);
  return [
    column(({ namespace }) => namespace),
    column(({ name }) => name),
    column(({ version }) => version),
    column(({ kind }) => kind),
    column(({ app }) => app),
    column(({ source }) => source),
    column(({ spec }) => JSON.stringify(spec)),
    column(({ paramsSchema }) => paramsSchema && JSON.stringify(paramsSchema)),
    column(({ hash }) => hash),
    column(({ createdBy }) => createdBy),
    column(({ sameAs }) => sameAs === 'any'),
  ];
}

/** Those of the indexes whose names none before them has. */
function firstOfEach(definitions: readonly NewDefinition[], indexes: readonly number[]): number[] {
  const seen = new Set<string>();
  return indexes.filter((index) => {
    const { namespace, name } = definitions[index]!;
    const key = JSON.stringify([namespace, name]);
    const isFirst = !seen.has(key);
    seen.add(key);
    return isFirst;
  });
}

function toDefinition(row: DefinitionRow): Definition {
  const { namespace, name, version, kind, app, source, spec, hash } = row;
  return {
    namespace,
    name,
    version,
    kind,
    app,
    source,
    spec,
    paramsSchema: row.params_schema,
    hash,
    createdAt: new Date(row.created_ms),
    createdBy: row.created_by,
    deletedAt: toDate(row.deleted_ms),
  };
}
