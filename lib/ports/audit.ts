import type { AuditAction, AuditEntry, AuditRequest } from '../model/audit.js';
import type { JsonValue } from '../model/json.js';
import { toScope, type ScopeRef } from '../model/pause.js';

/** What is to be put on record of an action. */
export interface NewAudit {
  action: AuditAction;
  actor: string;
  note: string | null;
  requestId: string | null;
  namespace: string | null;
  jobId: string | null;
  runId: string | null;
  scope: ScopeRef | null;
  details: JsonValue;
  count: number;
  /** Of an action in several steps: the steps with the same text are one entry, with all they count; null: it is one step. */
  batch: string | null;
  /** Of what is done once; null: it is done however often it is asked for. */
  request: AuditRequest | null;
}

/** What is done once: see `StorageAdapter.audited`. */
export interface RequestMark {
  actor: string;
  key: string;
}

/** So long the mark of a request is kept at least, in ms, whatever `Retention.auditMs` says. */
export const requestsKeptMs = 86_400_000;

/** An entry as storages have it. */
export interface StoredAudit extends Omit<AuditEntry, 'scope'> {
  scope: ScopeRef | null;
}

/** As users see it. */
export function toAuditEntry({ scope, ...entry }: StoredAudit): AuditEntry {
  return { ...entry, scope: scope && toScope(scope) };
}

/** Which entries; all that is given must fit. */
export interface AuditFilter {
  namespace?: string;
  jobId?: string;
  runId?: string;
  actor?: string;
  action?: AuditAction | AuditAction[];
  /** The one that was asked for with this key. */
  requestKey?: string;
  /** From this instant on. */
  from?: Date;
  /** Before this instant. */
  until?: Date;
}

/** What an action puts on record, by what it came to; nothing: it came to nothing. Must not touch anything: it may be asked several times. */
export type AuditNote = (result: unknown) => readonly NewAudit[];

/** The methods of a JobStore that change something: those of which `audited` puts on record what they do. */
export const auditedMethods = [
  'insertJobs',
  'updateJob',
  'deleteJob',
  'pauseJob',
  'resumeJob',
  'cancelRun',
  'cancelJob',
  'changeJobs',
  'runNow',
  'backfill',
  'pauseScope',
  'resumeScope',
  'retryRuns',
  'discardRuns',
  'settleOpen',
  'sendRunSignal',
] as const;

/** Those of its `flows`; where the store is part of a transaction of its caller it has none of these. */
export const auditedFlowMethods = ['pauseFlow', 'resumeFlow', 'retryFlow', 'pruneFlows'] as const;
/** Those of its `definitions`. */
export const auditedDefinitionMethods = ['putDefinitions', 'deleteDefinition', 'pruneDefinitions'] as const;
