import type { AuditAction } from '../model/audit.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import type { Policies } from '../model/policies.js';
import type { Attempt, ClaimedRun, Gap, ListedRun, Run, RunOrigin, RunState } from '../model/run.js';
import type { RunProgress } from '../model/run.progress.js';
import type { GapVerdict, Outcome } from '../model/verdict.js';
import type { EpochMs } from '../ports/storage.adapter.js';
import { toDate } from './job.rows.js';
import { usual, usualCounts } from './sql/claimed.run.fragment.js';

/** A row of `claimedColumns`. */
export interface ClaimedRow {
  id: string;
  fence: number;
  attempt: number;
  lost_count: number;
  missed: number;
  origin: RunOrigin;
  job_uid: string | null;
  job_id: string;
  namespace: string;
  app: string | null;
  handler: string;
  queue: string;
  priority: number;
  nominal_at: EpochMs;
  due_at: EpochMs;
  name: string | null;
  time_zone: string;
  payload: JsonValue;
  metadata: JsonObject;
  policies: Partial<Policies>;
}

type OfJob = Pick<ClaimedRow, 'name' | 'time_zone' | 'payload' | 'metadata' | 'policies'>;
interface OfStep {
  flow_step: string;
}
interface OfTraced {
  trace: [parent: string | null, last: string | null];
  of: OfJob | OfStep | null;
}
type Counts = readonly [
  fence: number,
  attempt: number,
  lostCount: number,
  missed: number,
  openedAt?: EpochMs | null,
];

/** A row of a claim: the time, told by one of its rows, and `takenColumns`, in their order. */
export type TakenRow = readonly [
  now: EpochMs | null,
  id: string,
  origin: RunOrigin | null,
  namespace: string | null,
  queue: string | null,
  priority: number | null,
  timeZone: string | null,
  counts: Counts | null,
  rank: number | null,
  jobUid: string | null,
  jobId: string,
  handler: string,
  dueAt: EpochMs,
  nominalAt: EpochMs | null,
  noApp: true | null,
  name: string | null,
  payload: JsonValue,
  metadata: JsonObject,
  policies: Partial<Policies>,
  ofJob: OfJob | OfStep | OfTraced | null,
];

/** A row of `runColumns`. */
export interface RunRow {
  id: string;
  job_id: string;
  namespace: string;
  handler: string;
  queue: string;
  priority: number;
  origin: RunOrigin;
  nominal_at: EpochMs;
  due_at: EpochMs | null;
  state: RunState;
  attempt: number;
  fence: number;
  lost_count: number;
  worker: string | null;
  started_at: EpochMs | null;
  last_error: string | null;
  last_fingerprint: string | null;
  finished_at: EpochMs | null;
  retry_of: string | null;
}

export interface ListedRunRow extends RunRow {
  requested_by: string | null;
  requested_action: AuditAction | null;
  note: string | null;
  /** Null: it has told nothing, and so are the next three. */
  fraction: number | null;
  details: JsonObject | null;
  told_by: number | null;
  told_at: EpochMs | null;
}

export interface AttemptRow {
  run_id: string;
  job_id: string;
  namespace: string;
  handler: string;
  queue: string;
  origin: RunOrigin;
  nominal_at: EpochMs;
  attempt: number;
  fence: number;
  worker: string | null;
  outcome: Outcome;
  final: boolean;
  started_at: EpochMs | null;
  finished_at: EpochMs;
  error: string | null;
  error_fingerprint: string | null;
  result: JsonValue;
  retry_of: string | null;
}

export interface GapRow {
  id: string;
  job_id: string;
  namespace: string;
  from_at: EpochMs;
  until_at: EpochMs | null;
  verdict: GapVerdict;
  count: number;
  reason: string;
}

export function toClaimedRun(row: ClaimedRow, worker: string): ClaimedRun {
  const { id, fence, attempt, missed, origin, namespace, app, handler, queue, priority } = row;
  return {
    id,
    worker,
    fence,
    attempt,
    lostCount: row.lost_count,
    jobUid: row.job_uid,
    jobId: row.job_id,
    jobName: row.name,
    namespace,
    app,
    handler,
    queue,
    priority,
    origin,
    payload: row.payload,
    metadata: row.metadata,
    policies: row.policies,
    timeZone: row.time_zone,
    nominalAt: row.nominal_at,
    dueAt: row.due_at,
    missed,
  };
}

/** `app`: of the worker. */
export function fromTakenRow(row: TakenRow, worker: string, app: string): ClaimedRun {
  // By index: the protocol of iterators takes longer.
  const { 1: id, 2: origin, 3: namespace, 4: queue, 5: priority, 6: timeZone } = row;
  const { 7: counts, 9: jobUid, 10: jobId, 11: handler, 12: dueAt, 13: nominalAt, 14: noApp } = row;
  const { 15: name, 16: payload, 17: metadata, 18: policies, 19: given } = row;
  const traced = given !== null && isTraced(given) ? given : null;
  const of = ofWhat(given);
  const ofJob = of === null || isOfStep(of) ? null : of;
  const { 0: fence, 1: attempt, 2: lostCount, 3: missed, 4: openedAt = null }: Counts = counts ?? usualCounts;
  const run: ClaimedRun = {
    id,
    worker,
    fence,
    attempt,
    lostCount,
    jobUid,
    jobId,
    jobName: ofJob === null ? name : ofJob.name,
    namespace: namespace ?? usual.namespace,
    app: noApp ? null : app,
    handler,
    queue: queue ?? usual.queue,
    priority: priority ?? usual.priority,
    origin: origin ?? usual.origin,
    payload: ofJob === null ? payload : ofJob.payload,
    metadata: ofJob === null ? metadata : ofJob.metadata,
    policies: ofJob === null ? policies : ofJob.policies,
    timeZone: (ofJob === null ? timeZone : ofJob.time_zone) ?? usual.time_zone,
    nominalAt: nominalAt ?? dueAt,
    dueAt,
    missed,
  };
  if (openedAt !== null) run.openedAt = openedAt;
  if (traced !== null) run.trace = { parent: traced.trace[0], last: traced.trace[1] };
  return run;
}

const noSteps: ReadonlyMap<string, string> = new Map();
const isNoStep = ({ 19: given }: TakenRow): boolean => {
  const of = ofWhat(given);
  return of === null || !isOfStep(of);
};

/** The steps of workflows that runs are, by the ids of these. */
export function stepsOf(rows: readonly TakenRow[]): ReadonlyMap<string, string> {
  if (rows.every(isNoStep)) return noSteps;
  const steps = new Map<string, string>();
  for (const { 1: id, 19: given } of rows) {
    const of = ofWhat(given);
    if (of !== null && isOfStep(of)) steps.set(id, of.flow_step);
  }
  return steps;
}

function ofWhat(given: TakenRow[19]): OfJob | OfStep | null {
  return given !== null && isTraced(given) ? given.of : given;
}

function isTraced(given: OfJob | OfStep | OfTraced): given is OfTraced {
  return 'trace' in given;
}

function isOfStep(of: OfJob | OfStep): of is OfStep {
  return 'flow_step' in of;
}

/** By priority, then due time. */
export function inOrderOfClaims(a: TakenRow, b: TakenRow): number {
  return rankOf(a) - rankOf(b) || dueAtOf(a) - dueAtOf(b);
}

const dueAtOf = ({ 12: dueAt }: TakenRow): EpochMs => dueAt;
const rankOf = ({ 5: priority, 8: rank }: TakenRow): number => rank ?? priority ?? usual.priority;

export function toRun(row: RunRow): Run {
  const { id, namespace, handler, queue, priority, origin, state, attempt, fence, worker } = row;
  return {
    id,
    jobId: row.job_id,
    namespace,
    handler,
    queue,
    priority,
    origin,
    nominalAt: new Date(row.nominal_at),
    dueAt: toDate(row.due_at),
    state,
    attempt,
    fence,
    lostCount: row.lost_count,
    worker,
    startedAt: toDate(row.started_at),
    lastError: row.last_error,
    lastFingerprint: row.last_fingerprint,
    finishedAt: toDate(row.finished_at),
    retryOf: row.retry_of,
  };
}

export function toListedRun(row: ListedRunRow): ListedRun {
  return {
    ...toRun(row),
    requestedBy: row.requested_by,
    requestedAction: row.requested_action,
    note: row.note,
    progress: toProgress(row),
  };
}

function toProgress({ fraction, details, told_by: attempt, told_at: at }: ListedRunRow): RunProgress | null {
  if (fraction === null) return null;
  return { fraction, details, attempt: attempt!, at: new Date(at!) };
}

export function toAttempt(row: AttemptRow): Attempt {
  const { namespace, handler, queue, origin, attempt, fence, worker, outcome, final, error, result } = row;
  return {
    runId: row.run_id,
    jobId: row.job_id,
    namespace,
    handler,
    queue,
    origin,
    nominalAt: new Date(row.nominal_at),
    attempt,
    fence,
    worker,
    outcome,
    final,
    startedAt: toDate(row.started_at),
    finishedAt: new Date(row.finished_at),
    error,
    fingerprint: row.error_fingerprint,
    result,
    retryOf: row.retry_of,
  };
}

export function toGap(row: GapRow): Gap {
  const { namespace, verdict, count, reason } = row;
  const range = { from: new Date(row.from_at), until: toDate(row.until_at) };
  return { jobId: row.job_id, namespace, ...range, verdict, count, reason };
}
