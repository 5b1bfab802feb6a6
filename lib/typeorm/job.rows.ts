import { toJobChanges, type StoredChanges } from '../model/job.changes.js';
import type { Job, JobDefinition, JobSource, JobState, Pause, PausedBy } from '../model/job.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import type { Policies } from '../model/policies.js';
import { isOnce, type Trigger } from '../model/trigger.js';
import type { RunVerdict } from '../model/verdict.js';
import type { EpochMs } from '../ports/storage.adapter.js';

/** The columns that make a definition, as statements return them. */
export interface DefinitionRow {
  namespace: string;
  id: string;
  name: string | null;
  handler: string;
  queue: string;
  priority: number;
  trigger: Trigger;
  time_zone: string;
  payload: JsonValue;
  metadata: JsonObject;
  policies: Partial<Policies>;
}

/** A row of the job view. */
export interface JobRow extends DefinitionRow {
  source: JobSource;
  app: string | null;
  state: JobState;
  paused_at: EpochMs | null;
  paused_reason: string | null;
  paused_by: string | null;
  /** Infinity: it has no end, and that it stands for long was told. */
  paused_until: EpochMs | null;
  /** What has paused it; `paused_by` is who. */
  paused_what: PausedBy | null;
  orphaned_at: EpochMs | null;
  changed: StoredChanges | null;
  next_run_at: EpochMs | null;
  waits_for: string[] | null;
  run_count: number;
  error_count: number;
  consecutive_failures: number;
  last_run_at: EpochMs | null;
  last_verdict: RunVerdict | null;
  last_error: string | null;
  created_at: EpochMs;
  updated_at: EpochMs;
  revision: number;
}

export function toDefinition(row: DefinitionRow): JobDefinition {
  const { namespace, id, name, handler, queue, priority, trigger, time_zone, payload, metadata, policies } =
    row;
  const identity = { namespace, id, name, handler, queue, priority };
  return { ...identity, trigger, timeZone: time_zone, payload, metadata, policies };
}

export function toJob(row: JobRow): Job {
  return {
    ...toDefinition(row),
    source: row.source,
    app: row.app,
    state: row.state,
    paused: row.paused_at === null ? null : toPause({ ...row, paused_at: row.paused_at }),
    pausedBy: row.paused_what,
    orphanedAt: toDate(row.orphaned_at),
    changed: toJobChanges(row.changed),
    nextRunAt: toDate(row.next_run_at),
    waitsFor: row.waits_for,
    runCount: row.run_count,
    errorCount: row.error_count,
    consecutiveFailures: row.consecutive_failures,
    lastRunAt: toDate(row.last_run_at),
    lastVerdict: row.last_verdict,
    lastError: row.last_error,
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
    revision: row.revision,
  };
}

/** Of a row that is paused. */
export function toPause(row: Pick<JobRow, 'paused_reason' | 'paused_by'> & PausedRow): Pause {
  const { paused_at, paused_reason, paused_by, paused_until } = row;
  const until = paused_until === Infinity ? null : paused_until;
  return { reason: paused_reason, by: paused_by, at: new Date(paused_at), until: toDate(until) };
}

interface PausedRow {
  paused_at: EpochMs;
  paused_until: EpochMs | null;
}

export function toDate(at: EpochMs | null): Date | null {
  return at === null ? null : new Date(at);
}

/** Declared one-offs are jobs with a cursor of one instant: see `NewJob`. */
export function isOneOff(source: JobSource, trigger: Trigger): boolean {
  return isOnce(trigger) && source !== 'code';
}

/**
 * The values of a definition in the order in which statements take them, from `name` on. `was`: what is stored, where it is changed; what stays of the payload and the metadata is null then, as their texts may have numbers that
 * JavaScript cannot hold.
 */
export function definitionValues(job: JobDefinition, was?: JobDefinition): unknown[] {
  const { name, handler, queue, priority, trigger, timeZone, policies } = job;
  const text = (key: 'payload' | 'metadata'): string | null =>
    was !== undefined && job[key] !== null && job[key] === was[key] ? null : JSON.stringify(job[key]);
  const documents = [text('payload'), text('metadata'), JSON.stringify(policies)];
  return [name, handler, queue, priority, JSON.stringify(trigger), timeZone, ...documents];
}
