import type {
  BulkActionStorage,
  BulkProgress,
  EpochMs,
  NewBulkAction,
  StoredBulkAction,
} from '../ports/storage.adapter.js';
import type { StatementScope } from './statement.runner.js';

interface Row extends Omit<StoredBulkAction, 'createdAt' | 'endedAt' | 'abortRequested'> {
  created_at: EpochMs;
  ended_at: EpochMs | null;
  abort_requested: boolean;
}

/** Changes of many in PostgreSQL. */
export class TypeOrmBulkActions implements BulkActionStorage {
  constructor(private readonly statements: StatementScope) {}

  async begin(
    { id, tenant, action, filter, expected, asked, actor, owner }: NewBulkAction,
    leaseMs: number,
  ): Promise<{ begun: boolean; action: StoredBulkAction }> {
    const values = [id, tenant, action, JSON.stringify(filter), expected, asked, actor, owner, leaseMs];
    for (;;) {
      const [row] = await this.statements.run<Row>('beginBulkAction', ...values);
      if (row !== undefined) return { begun: true, action: toStored(row) };
      const there = await this.get(id);
      // Else it was forgotten just now.
      if (there !== null) return { begun: false, action: there };
    }
  }

  async report(
    id: string,
    owner: string,
    { state, matched, changed, failed, problem }: BulkProgress,
    leaseMs: number,
  ): Promise<StoredBulkAction | null> {
    const found = [JSON.stringify(failed), problem === null ? null : JSON.stringify(problem)];
    return this.one('reportBulkAction', id, owner, state, matched, changed, ...found, leaseMs);
  }

  async requestAbort(id: string): Promise<StoredBulkAction | null> {
    return (await this.one('abortBulkAction', id)) ?? this.get(id);
  }

  get(id: string): Promise<StoredBulkAction | null> {
    return this.one('readBulkAction', id);
  }

  async list(tenant: string | null, limit: number): Promise<StoredBulkAction[]> {
    return (await this.statements.run<Row>('listBulkActions', tenant, limit)).map(toStored);
  }

  private async one(
    ...[statement, ...values]: Parameters<StatementScope['run']>
  ): Promise<StoredBulkAction | null> {
    const [row] = await this.statements.run<Row>(statement, ...values);
    return row === undefined ? null : toStored(row);
  }
}

function toStored({ created_at, ended_at, abort_requested, ...row }: Row): StoredBulkAction {
  return {
    ...row,
    abortRequested: abort_requested,
    createdAt: created_at,
    endedAt: ended_at,
  };
}
