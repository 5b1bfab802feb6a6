import type { Page } from '../model/job.js';
import { RequestRepeatedError } from '../model/errors.js';
import type { JsonValue } from '../model/json.js';
import type { ScopeRef } from '../model/pause.js';
import {
  toAuditEntry,
  type AuditFilter,
  type EpochMs,
  type NewAudit,
  type PageRequest,
  type RequestMark,
  type StoredAudit,
} from '../ports/storage.adapter.js';
import { Conditions } from './conditions.js';
import type { Queries } from './database.js';
import { toPage } from './paging.js';
import { queryAuditSql } from './sql/query.audit.sql.js';
import type { TableNames } from './sql/table.names.js';
import { at } from './sql/time.fragment.js';
import type { Run, StatementScope } from './statement.runner.js';

interface AuditRow extends Pick<StoredAudit, 'id' | 'action' | 'actor' | 'note' | 'namespace' | 'count'> {
  at: EpochMs;
  request_id: string | null;
  job_id: string | null;
  run_id: string | null;
  scope_kind: ScopeRef['kind'] | null;
  scope_name: string | null;
  details: JsonValue;
  request_key: string | null;
  request: Omit<NonNullable<StoredAudit['request']>, 'key'>;
}

export async function recordAudit(run: Run, entries: readonly NewAudit[]): Promise<void> {
  if (entries.length === 0) return;
  const column = (of: (entry: NewAudit) => unknown): unknown[] => entries.map(of);
  await run(
    'recordAudit',
    column(({ action }) => action),
    column(({ actor }) => actor),
    column(({ note }) => note),
    column(({ requestId }) => requestId),
    column(({ namespace }) => namespace),
    column(({ jobId }) => jobId),
    column(({ runId }) => runId),
    column(({ scope }) => scope && scope.kind),
    column(({ scope }) => scope && scope.name),
    column(({ details }) => details && JSON.stringify(details)),
    column(({ count }) => count),
    column(({ batch }) => batch),
    column(({ request }) => request && request.key),
    column(({ request }) => request && JSON.stringify({ digest: request.digest, answer: request.answer })),
  );
}

/** Who comes later waits here until the first is committed, or rolled back. Throws RequestRepeatedError: it was done. */
export async function refuseRepeated(
  { run, queries }: StatementScope,
  t: TableNames,
  { actor, key }: RequestMark,
): Promise<void> {
  await run('lockRequest', JSON.stringify([actor, key]));
  // A statement of its own: it sees what was committed while the other one waited.
  const [done] = (await queryAudit(queries, t, { actor, requestKey: key }, { limit: 1 })).items;
  if (done !== undefined) throw new RequestRepeatedError(toAuditEntry(done));
}

export async function queryAudit(
  queries: Queries,
  t: TableNames,
  { namespace, jobId, runId, actor, action, requestKey, from, until }: AuditFilter,
  { limit = 100, cursor }: PageRequest,
): Promise<Page<StoredAudit>> {
  const conditions = new Conditions(limit + 1);
  conditions.among('v.namespace', namespace);
  conditions.among('v.job_id', jobId);
  if (runId !== undefined) conditions.run('v.run_id', runId);
  conditions.among('v.actor', actor);
  conditions.among('v.action', action);
  conditions.among('v.request_key', requestKey);
  if (from) conditions.add(`v.at >= ${at('?::float8')}`, from.getTime());
  if (until) conditions.add(`v.at < ${at('?::float8')}`, until.getTime());
  conditions.after(cursor, ['instant', 'id'], `(v.at, v.id) < (${at('?::float8')}, ?::bigint)`);
  const rows = await queries.run<AuditRow>(queryAuditSql(t, conditions.text), conditions.values);
  return toPage(rows, limit, toEntry, (row) => [row.at, row.id]);
}

function toEntry(row: AuditRow): StoredAudit {
  const { id, action, actor, note, namespace, details, count, scope_kind: kind, scope_name: name } = row;
  const { request_key: key, request } = row;
  return {
    ...{ id, at: new Date(row.at), action, actor, note, requestId: row.request_id },
    ...{ namespace, jobId: row.job_id, runId: row.run_id },
    scope: kind === null ? null : { kind, name: name! },
    details,
    count,
    ...(key !== null && { request: { key, ...request } }),
  };
}
