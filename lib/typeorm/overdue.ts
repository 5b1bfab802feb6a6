import type { OverdueJob } from '../model/overdue.js';
import type { EpochMs, OverdueJobs, OverdueNews, OverdueStore } from '../ports/storage.adapter.js';
import type { StatementScope } from './statement.runner.js';

interface Row {
  namespace: string;
  /** null: of no job, it says whether any is looked at. */
  job_id: string | null;
  due_at: EpochMs;
  late_after_ms: number;
  watched: boolean;
}

/** Overdue jobs in PostgreSQL. */
export class TypeOrmOverdue implements OverdueStore {
  constructor(private readonly statements: StatementScope) {}

  async queryOverdue(limit: number, namespace?: string): Promise<OverdueJobs> {
    const rows = await this.statements.run<Row>('queryOverdue', limit, namespace ?? null);
    return { watched: isWatched(rows), jobs: toOverdueJobs(rows) };
  }

  async noteOverdue(limit: number): Promise<OverdueNews> {
    const rows = await this.statements.run<Row & { kind: string }>('noteOverdue', limit);
    const of = (kind: string): OverdueJob[] => toOverdueJobs(rows.filter((row) => row.kind === kind));
    return { watched: isWatched(rows), begun: of('begun'), ended: of('ended') };
  }
}

function isWatched(rows: readonly Row[]): boolean {
  return rows.some(({ watched }) => watched);
}

function toOverdueJobs(rows: readonly Row[]): OverdueJob[] {
  return rows.flatMap(({ namespace, job_id: id, due_at: dueAt, late_after_ms: lateAfterMs }) =>
    id === null ? [] : [{ namespace, id, dueAt: new Date(dueAt), lateAfterMs }],
  );
}
