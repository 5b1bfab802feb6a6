import { runRequests, type AuditAction } from '../model/audit.js';
import { RequestRepeatedError } from '../model/errors.js';
import type { Page } from '../model/job.js';
import type { RunRequest } from '../model/run.js';
import {
  requestsKeptMs,
  toAuditEntry,
  type AuditFilter,
  type EpochMs,
  type NewAudit,
  type PageRequest,
  type RequestMark,
  type StoredAudit,
} from '../ports/storage.adapter.js';
import { is } from './filtering.js';
import { pageOf } from './paging.js';
import type { AuditRow, MemoryTables } from './tables.js';

export function recordAudit(tables: MemoryTables, now: EpochMs, entries: readonly NewAudit[]): void {
  for (const entry of entries) {
    const begun = entry.batch === null ? undefined : begunBy(tables, entry.batch);
    if (begun === undefined) {
      const id = String(tables.nextNumber());
      tables.audit.set(id, structuredClone({ ...entry, id, at: now }));
    } else {
      tables.audit.set(begun.id, { ...begun, count: begun.count + entry.count });
    }
  }
  if (tables.audit.size <= tables.recordLimit * 1.1) return;
  const excess = tables.audit.size - tables.recordLimit;
  for (const row of [...tables.audit.values()].slice(0, excess))
    if (!isMark(row, now)) tables.audit.delete(row.id);
}

/** Throws RequestRepeatedError: it was done. */
export function refuseRepeated(tables: MemoryTables, { actor, key }: RequestMark): void {
  for (const row of tables.audit.values())
    if (row.request?.key === key && row.actor === actor)
      throw new RequestRepeatedError(toAuditEntry(toEntry(row)));
}

export function queryAudit(tables: MemoryTables, filter: AuditFilter, page: PageRequest): Page<StoredAudit> {
  const from = filter.from?.getTime() ?? -Infinity;
  const until = filter.until?.getTime() ?? Infinity;
  const rows = [...tables.audit.values()].filter(
    (row) =>
      is(row.namespace ?? '', filter.namespace) &&
      is(row.jobId ?? '', filter.jobId) &&
      is(row.runId ?? '', filter.runId) &&
      is(row.actor, filter.actor) &&
      is(row.action, filter.action) &&
      is(row.request?.key ?? '', filter.requestKey) &&
      row.at >= from &&
      row.at < until,
  );
  return pageOf(rows, page, ({ at, id }) => [-at, -Number(id)], toEntry);
}

export const noRequest: RunRequest = { requestedBy: null, requestedAction: null, note: null };

/** Who has asked last for something about each run. */
export function requestsOf(tables: MemoryTables): ReadonlyMap<string, RunRequest> {
  const requests = new Map<string, RunRequest>();
  for (const { runId, action, actor, note } of tables.audit.values()) {
    if (runId === null || !isRunRequest(action)) continue;
    requests.set(runId, { requestedBy: actor, requestedAction: action, note });
  }
  return requests;
}

/** How many went. */
export function pruneAudit(tables: MemoryTables, horizon: EpochMs, now: EpochMs): number {
  let gone = 0;
  for (const row of tables.audit.values())
    if (row.at < horizon && !isMark(row, now) && tables.audit.delete(row.id)) gone++;
  return gone;
}

/** Whether it may be asked for again. */
function isMark({ request, at }: AuditRow, now: EpochMs): boolean {
  return request !== null && at >= now - requestsKeptMs;
}

/** It is one of the last: others have at most recorded a little meanwhile. */
function begunBy(tables: MemoryTables, batch: string): AuditRow | undefined {
  return [...tables.audit.values()].findLast((row) => row.batch === batch);
}

function toEntry(row: AuditRow): StoredAudit {
  const { batch: _, request, ...entry } = row;
  return { ...entry, at: new Date(row.at), ...(request && { request: structuredClone(request) }) };
}

function isRunRequest(action: AuditAction): boolean {
  return (runRequests as readonly AuditAction[]).includes(action);
}
