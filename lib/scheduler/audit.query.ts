import { randomUUID } from 'node:crypto';
import { AuditNotSupportedError } from '../model/errors.js';
import { auditActions, type AuditEntry } from '../model/audit.js';
import type { Page } from '../model/job.js';
import type { InstantInput } from '../model/trigger.js';
import { toAuditEntry, type AuditFilter, type JobStore, type PageRequest } from '../ports/storage.adapter.js';
import { parseAt } from '../triggers/instant.js';
import { bounded } from './audited.details.js';
import type { AuditedCall } from './audited.store.js';
import { assertJobId, lookUp, namespaceOf } from './job.identity.js';
import { each, pageKeys } from './job.query.js';
import { knownOptions, lineOfText, managerHint, oneOf } from './option.checks.js';

/** Which entries; all that is given must fit. @publicApi */
export interface AuditQuery extends Omit<AuditFilter, 'from' | 'until'> {
  /** From this instant on. Text without an offset is in the module's `timeZone`. */
  from?: InstantInput;
  /** Before this instant. */
  until?: InstantInput;
}

export const auditQueryKeys = [
  'namespace',
  'jobId',
  'runId',
  'actor',
  'action',
  'requestKey',
  'from',
  'until',
] satisfies (keyof AuditQuery)[];

/** The filter of a query of the record of who has asked, validated. */
export function auditFilter(query: Readonly<AuditQuery & PageRequest>, timeZone: string): AuditFilter {
  knownOptions(query, [...auditQueryKeys, ...pageKeys], 'getAudit()', managerHint);
  const { namespace, jobId, runId, actor, action, requestKey, from, until } = query;
  return {
    ...(namespace === undefined ? {} : { namespace: namespaceOf(namespace) }),
    ...(jobId === undefined ? {} : { jobId: assertJobId(jobId, lookUp) }),
    ...(runId === undefined ? {} : { runId: lineOfText(runId, 'runId') }),
    ...(actor === undefined ? {} : { actor: lineOfText(actor, 'actor') }),
    ...(action === undefined ? {} : { action: each(action, (item) => oneOf(item, 'action', auditActions)) }),
    ...(requestKey === undefined ? {} : { requestKey: lineOfText(requestKey, 'requestKey') }),
    ...(from === undefined ? {} : { from: parseAt(from, timeZone, 'from') }),
    ...(until === undefined ? {} : { until: parseAt(until, timeZone, 'until') }),
  };
}

/** Throws AuditNotSupportedError. */
export async function readAudit(
  filter: AuditFilter,
  page: PageRequest,
  jobs: JobStore,
  kind: string,
): Promise<Page<AuditEntry>> {
  const found = await jobs.queryAudit?.(filter, page);
  if (found === undefined) throw new AuditNotSupportedError(kind);
  return { items: found.items.map(toAuditEntry), cursor: found.cursor };
}

/** A change of many is one entry, with its filter. */
export function manyCall(filter: unknown): () => AuditedCall {
  return () => {
    const { namespace } = (filter ?? {}) as { namespace?: unknown };
    return {
      as: { retryRun: 'retryFailed', discardRun: 'discardFailed' },
      details: { filter: bounded(filter) },
      namespace: typeof namespace === 'string' ? namespace : null,
      batch: randomUUID(),
    };
  };
}
