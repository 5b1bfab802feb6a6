import { resolvePolicies, type KeepMs } from '../model/policies.js';
import type { ClaimedRun, RunOrigin } from '../model/run.js';
import { isFailure, type Outcome, type RunVerdict } from '../model/verdict.js';
import type { JsonValue } from '../model/json.js';
import { storedFingerprint } from '../ports/fingerprint.js';
import type { CancelledRun } from '../ports/run.ends.js';
import { maxFlowResult, type EpochMs, type Hold, type StepEnd } from '../ports/storage.adapter.js';
import { endFixedDelay } from './cursors.js';
import type { Place } from './due.index.js';
import { toClaimedRun } from './rows.to.views.js';
import { keyOf, type JobRow, type LedgerRow, type MemoryTables, type RunRow } from './tables.js';

/** Gives birth to a run that waits for its time. */
export function bearRun(
  tables: MemoryTables,
  job: JobRow,
  birth: { origin: RunOrigin; nominalAt: EpochMs; dueAt: EpochMs; missed?: number },
  blockedBy: Iterable<RunRow> = [],
): RunRow {
  const { handler, queue } = job.definition;
  const run = tables.own<RunRow>('runs', {
    missed: 0,
    ...birth,
    id: String(tables.nextNumber()),
    job,
    detached: false,
    held: false,
    deferredUntil: null,
    lifted: 0,
    blockedBy: new Set(blockedBy),
    inQueue: false,
    attempt: 0,
    fence: 0,
    lostCount: 0,
    worker: null,
    startedAt: null,
    claimedAs: { handler, queue },
    cancelRequested: false,
    open: null,
    awaitingFence: null,
    signalledFence: null,
    verdict: null,
    finishedAt: null,
    retryOf: null,
    keptUntil: null,
    lastError: null,
    lastFingerprint: null,
    step: null,
    waitsFor: null,
    awaitedBy: [],
  });
  tables.runs.set(run.id, run);
  job.runs.add(run);
  if (run.blockedBy.size === 0) tables.waiting.set(run, placeOf(run), run.dueAt);
  return run;
}

/** It is asked for in this trace; undefined: in none. */
export function carry(run: RunRow, trace: string | undefined): void {
  if (trace !== undefined) run.trace = { parent: trace, last: run.trace?.last ?? null };
}

/** Where it waits: by its priority, lifted while it is overdue. */
export function placeOf({ job, lifted }: RunRow): Place {
  const { definition } = job;
  return { ...definition, app: job.app, priority: Math.max(definition.priority - lifted, 0) };
}

/** Makes a run wait for `dueAt`, or be held where its job was paused since it was born. */
export function waitUntil(tables: MemoryTables, run: RunRow, dueAt: EpochMs): void {
  letGo(tables, run);
  run.dueAt = dueAt;
  run.lifted = 0;
  if (run.held) hold(tables, run);
  else release(tables, run);
}

export function hold(tables: MemoryTables, run: RunRow): void {
  run.held = true;
  tables.waiting.delete(run);
}

/** Ends the hold of a pause, or moves a run that waits. */
export function release(tables: MemoryTables, run: RunRow): void {
  run.held = false;
  if (run.worker !== null || run.blockedBy.size > 0 || run.open?.deadline === null) return;
  // Only a signal makes it due, or the ends of others.
  if (run.dueAt === Infinity) return;
  tables.waiting.set(run, placeOf(run), run.dueAt);
  tables.wake({ kind: 'due', at: run.dueAt, what: 'run' });
}

/** Keeps the indexed place in step with a changed definition. */
export function reindexRun(tables: MemoryTables, run: RunRow): void {
  if (tables.waiting.has(run)) tables.waiting.set(run, placeOf(run), run.dueAt);
}

/** Hands a run to a worker. */
export function claimRun(tables: MemoryTables, now: EpochMs, run: RunRow, workerId: string): ClaimedRun {
  const { handler, queue } = run.job.definition;
  tables.waiting.delete(run);
  run.worker = workerId;
  run.startedAt = Math.max(now, run.dueAt);
  if (run.open === null) {
    run.claimedAs = { handler, queue };
    run.attempt++;
  }
  run.fence++;
  const held = tables.held.get(workerId);
  if (held) held.add(run);
  else tables.held.set(workerId, new Set([run]));
  return toClaimedRun(run);
}

/** Nobody wants another attempt: whatever brings the run back ends it. */
export function isUnwanted(run: RunRow): boolean {
  return run.detached || run.cancelRequested;
}

/** Once it was handed to a worker it is never handed to another; one that is open is not executed. */
export function mustNotRunTwice({ job, open }: RunRow): boolean {
  return open === null && resolvePolicies(job.definition.policies).recovery === 'abandon';
}

/** Whether this is the present owner's. */
export function isHeldWith(
  run: RunRow | undefined,
  { worker, fence }: Hold,
): run is RunRow & { worker: string } {
  return run !== undefined && run.worker !== null && run.worker === worker && run.fence === fence;
}

/** Hands an open run to whoever gives it its verdict; a worker that is about to let it time out loses it. */
export function takeOpen(tables: MemoryTables, now: EpochMs, run: RunRow, taker: string): ClaimedRun {
  letGo(tables, run);
  return claimRun(tables, now, run, taker);
}

/** Takes a run from its worker: it stays open until it gets a verdict from outside, or the deadline comes. */
export function leaveOpen(tables: MemoryTables, run: RunRow, open: NonNullable<RunRow['open']>): void {
  run.open = open;
  run.fence++;
  waitUntil(tables, run, open.deadline ?? run.dueAt);
}

/** Takes a run from its worker without counting the attempt: due again at its old time, or when it says. */
export function handBack(tables: MemoryTables, run: RunRow, dueAt = run.dueAt): void {
  if (run.open === null) run.attempt--;
  run.fence++;
  waitUntil(tables, run, dueAt);
}

export interface Ending {
  outcome: Outcome;
  startedAt: EpochMs | null;
  finishedAt: EpochMs;
  error?: string | null;
  fingerprint?: string | null;
  result?: JsonValue;
  flowStep?: StepEnd;
}

/** Writes the ledger row of an attempt, and what it means for the job's statistics. */
export function record(tables: MemoryTables, run: RunRow, ending: Ending, final: boolean): void {
  const { id, namespace } = run.job.definition;
  const { outcome, startedAt, finishedAt, error = null, result = null } = ending;
  const fingerprint = storedFingerprint(ending);
  const entry: LedgerRow = {
    sequence: tables.nextNumber(),
    runId: run.id,
    jobId: id,
    namespace,
    ...placedAs(run),
    origin: run.origin,
    nominalAt: new Date(run.nominalAt),
    attempt: run.attempt,
    fence: run.fence,
    worker: run.worker,
    outcome,
    final,
    startedAt: startedAt === null ? null : new Date(startedAt),
    finishedAt: new Date(finishedAt),
    error,
    fingerprint,
    result: run.step !== null && isTooLong(result) ? null : result,
    retryOf: run.retryOf,
  };
  if (keepOf(run) !== 'none') tables.append(tables.ledger, entry);
  if (outcome === 'handed_back' || outcome === 'snoozed' || outcome === 'opened') return;
  const { statistics } = run.job;
  tables.note('jobs', run.job);
  if (startedAt !== null) {
    statistics.runCount++;
    statistics.lastRunAt = startedAt;
  }
  if (isFailure(outcome)) {
    statistics.errorCount++;
    statistics.lastError = error;
    run.lastError = error;
    run.lastFingerprint = fingerprint;
  }
  if (!final) return;
  statistics.lastVerdict = outcome;
  if (outcome === 'succeeded') statistics.consecutiveFailures = 0;
  // One that was retried by hand is the same occurrence.
  else if (isFailure(outcome) && !(run.job.kind === 'recurring' && run.origin === 'retry'))
    statistics.consecutiveFailures++;
}

/** The step has it. */
function isTooLong(result: JsonValue): boolean {
  return result !== null && JSON.stringify(result).length > maxFlowResult;
}

/** What it was claimed as; one that waits is what its job is. */
function placedAs({ worker, claimedAs, job }: RunRow): RunRow['claimedAs'] {
  const { handler, queue } = job.definition;
  return worker === null ? { handler, queue } : claimedAs;
}

/** Writes how an attempt has ended, and makes its run wait for the next one. */
export function tryAgain(tables: MemoryTables, run: RunRow, ending: Ending, retryAt: EpochMs): void {
  record(tables, run, ending, false);
  run.open = null;
  waitUntil(tables, run, retryAt);
}

/**
 * Lets a run that is a flow end so once none of its steps is in anybody's hands: until then it is open, and nobody else ends it. The first who decides it does so; whoever comes later takes away that it is tried again.
 * False: it is no flow, or that is over.
 */
export function leave(
  tables: MemoryTables,
  now: EpochMs,
  run: RunRow,
  { outcome, error = null, fingerprint = null, result = null }: Ending & { outcome: RunVerdict },
  retryAt: EpochMs | null = null,
): boolean {
  const flow = tables.flows.get(run.id);
  if (flow?.verdict !== null) return false;
  const isFirst = flow.ending === null;
  flow.ending ??= { outcome, error, fingerprint, result: structuredClone(result), at: now };
  flow.retryAt = isFirst ? retryAt : null;
  tables.waiting.delete(run);
  run.held = false;
  run.cancelRequested = true;
  leaveOpen(tables, run, { since: run.open?.since ?? now, deadline: null });
  if (isFirst) tellFlows(tables, run, null);
  return true;
}

/** Ends a run for good. False: it is a flow, and ends with that, see `leave`. */
export function finish(
  tables: MemoryTables,
  now: EpochMs,
  run: RunRow,
  ending: Ending & { outcome: RunVerdict },
): boolean {
  if (leave(tables, now, run, ending)) return false;
  record(tables, run, ending, true);
  letGo(tables, run);
  tables.waiting.delete(run);
  run.open = null;
  const { job } = run;
  run.finishedAt = ending.finishedAt;
  tellFlows(tables, run, ending.outcome, ending);
  if (run.step !== null) {
    tables.runs.delete(run.id);
    return true;
  }
  if (job.kind === 'one-off' && !run.detached) {
    keepOrDrop(tables, now, run, ending.outcome);
    return true;
  }
  job.runs.delete(run);
  if (run.detached || !isFailure(ending.outcome)) tables.runs.delete(run.id);
  else bury(run, ending.outcome);
  unblock(tables, run);
  // A worker's clock that runs ahead must not move the schedule.
  if (!run.detached) endFixedDelay(tables, job, Math.min(ending.finishedAt, now));
  return true;
}

/** What ends with a run of flows, or moves on by it, does so when all else of the call is done. */
export function tellFlows(
  tables: MemoryTables,
  run: RunRow,
  outcome: RunVerdict | null,
  { error = null, result = null, flowStep }: Pick<Ending, 'error' | 'result' | 'flowStep'> = {},
): void {
  if (run.step === null && run.awaitedBy.length === 0 && !tables.flows.has(run.id)) return;
  tables.ended.push({ run, outcome, error, result, flowStep: flowStep ?? null });
}

/** Those that waited for the end of this run only are due; the others wait for what it waited for itself. */
function unblock(tables: MemoryTables, ended: RunRow): void {
  for (const run of ended.job.runs) {
    if (!run.blockedBy.delete(ended)) continue;
    for (const earlier of ended.blockedBy) run.blockedBy.add(earlier);
    tables.note('runs', run);
    if (run.blockedBy.size === 0 && !run.held) release(tables, run);
  }
}

/** Ends a run that no worker has. */
export function cancelWaiting(
  tables: MemoryTables,
  now: EpochMs,
  run: RunRow,
  error: string | null = null,
  hasBegun = run.fence > 0,
): void {
  const since = run.open?.since ?? null;
  endCancelled(tables, now, run, { startedAt: null, finishedAt: now, error }, { since, hasBegun });
}

/** Ends a run that no live worker has, and has that told. */
export function endCancelled(
  tables: MemoryTables,
  now: EpochMs,
  run: RunRow,
  ending: Omit<Ending, 'outcome'>,
  known: Pick<CancelledRun, 'since' | 'hasBegun'>,
): void {
  const { id, origin, attempt, nominalAt } = run;
  const { id: jobId, namespace } = run.job.definition;
  const told = { id, jobId, namespace, ...placedAs(run), origin, attempt, nominalAt, ...known };
  if (finish(tables, now, run, { ...ending, outcome: 'cancelled' }))
    tables.ends.push({ cancelled: { ...told, finishedAt: ending.finishedAt } });
}

/** Ends a run that waits, asks the worker of one that goes on to abort it. */
export function cancel(tables: MemoryTables, now: EpochMs, run: RunRow): void {
  if (run.worker === null) return cancelWaiting(tables, now, run);
  run.cancelRequested = true;
  tables.wake({ kind: 'cancel' });
}

/** Takes a run out of its job's hands: the attempt that goes on is its last, and counts for nothing. */
export function detach(run: RunRow): void {
  run.job.runs.delete(run);
  const statistics = { ...run.job.statistics };
  run.job = { ...run.job, pause: null, runs: new Set(), deadLetters: new Set(), statistics };
  run.detached = true;
  run.held = false;
}

/** Out of the way of everything that goes on, but there to be retried. */
function bury(run: RunRow, verdict: RunVerdict): void {
  run.verdict = verdict;
  run.held = false;
  run.job.deadLetters.add(run);
}

function keepOrDrop(tables: MemoryTables, now: EpochMs, run: RunRow, verdict: RunVerdict): void {
  const keepMs = keepOf(run);
  run.held = false;
  if (!isFailure(verdict) && (keepMs === 0 || keepMs === 'none')) return forget(tables, run.job);
  run.verdict = verdict;
  // What gave up is a dead letter: it stays until somebody discards it.
  run.keptUntil = isFailure(verdict) || typeof keepMs === 'string' ? null : now + keepMs;
}

/** Only one-offs end, so only they have a say. */
function keepOf({ job }: RunRow): KeepMs {
  return job.kind === 'one-off' ? resolvePolicies(job.definition.policies).keepMs : 0;
}

/** Removes a job and what is left of its runs. */
export function forget(tables: MemoryTables, job: JobRow): void {
  for (const run of [...job.runs, ...job.deadLetters]) tables.runs.delete(run.id);
  tables.jobs.delete(keyOf(job.definition));
  tables.jobsByUid.delete(job.uid);
}

function letGo(tables: MemoryTables, run: RunRow): void {
  if (run.worker === null) return;
  const held = tables.held.get(run.worker);
  held?.delete(run);
  if (held?.size === 0) tables.held.delete(run.worker);
  run.worker = null;
  run.startedAt = null;
}
