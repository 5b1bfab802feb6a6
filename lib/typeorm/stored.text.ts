import type { JobRef } from '../model/job.js';
import type { StoredText } from '../ports/storage.adapter.js';
import { isRunId } from './run.id.js';
import { jobTextSql, paramsTextSql, resultTextSql, stepTextSql } from './sql/stored.text.sql.js';
import type { TableNames } from './sql/table.names.js';
import type { StatementScope } from './statement.runner.js';

/** Results may have 1 MiB each, and an answer has to be there before a deadline. */
const stepsOfPage = 16;

/** JSON in PostgreSQL, as it was written. */
export class TypeOrmStoredText implements StoredText {
  constructor(
    private readonly statements: StatementScope,
    private readonly tables: TableNames,
  ) {}

  async job({ namespace, id }: JobRef): ReturnType<StoredText['job']> {
    type Row = NonNullable<Awaited<ReturnType<StoredText['job']>>>;
    const [row] = await this.read<Row>(jobTextSql(this.tables), namespace, id);
    return row ?? null;
  }

  async results(runId: string, limit: number): ReturnType<StoredText['results']> {
    return isRunId(runId) ? this.read(resultTextSql(this.tables), runId, limit) : [];
  }

  async stepResults(runId: string): ReturnType<StoredText['stepResults']> {
    if (!isRunId(runId)) return [];
    const found: { name: string; result: string }[] = [];
    for (let after: string | null = null; ;) {
      const rows: typeof found = await this.read(stepTextSql(this.tables), runId, after, stepsOfPage);
      found.push(...rows);
      if (rows.length < stepsOfPage) return found;
      after = rows.at(-1)!.name;
    }
  }

  async params(runId: string): Promise<string | null> {
    if (!isRunId(runId)) return null;
    const [row] = await this.read<{ params: string }>(paramsTextSql(this.tables), runId);
    return row?.params ?? null;
  }

  private read<Row>(sql: string, ...values: readonly unknown[]): Promise<Row[]> {
    return this.statements.queries.run<Row>(sql, values as unknown[]);
  }
}
