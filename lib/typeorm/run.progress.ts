import type { NewRunProgress, RunProgressStorage } from '../ports/storage.adapter.js';
import { columns } from './rows.js';
import type { StatementScope } from './statement.runner.js';

/** How far runs are, in PostgreSQL: a row for each that has said so, written anew each time. */
export class TypeOrmRunProgress implements RunProgressStorage {
  constructor(private readonly statements: StatementScope) {}

  async report(reports: readonly NewRunProgress[]): Promise<string[]> {
    const rows = reports.map(({ details, ...report }) => ({
      ...report,
      json: details === null ? null : JSON.stringify(details),
    }));
    const values = columns(rows, [
      ...(['runId', 'fence', 'worker', 'attempt'] as const),
      ...(['at', 'fraction', 'json'] as const),
    ]);
    const taken = await this.statements.run<{ id: string }>('reportRunProgress', ...values);
    return taken.map(({ id }) => id);
  }
}
