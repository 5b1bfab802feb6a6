import { changedBy } from '../model/job.changes.js';
import type { JobDefinition, JobSource } from '../model/job.js';
import type { RunOrigin } from '../model/run.js';
import { isOnce } from '../model/trigger.js';
import type { ConflictPolicy, EpochMs, InsertResult, JobPatch, NewJob } from '../ports/storage.adapter.js';
import { replacementOf } from '../ports/definitions.js';
import { waitsForJobs } from '../ports/waits.js';
import { owedUntil } from '../triggers/owed.js';
import {
  endGap,
  recordOwed,
  recordPassedOver,
  reindexCursor,
  removeCursor,
  setCursor,
  tellAhead,
} from './cursors.js';
import { onlyRun, toJob } from './rows.to.views.js';
import { moveWaits } from './run.waits.js';
import { insertWaitingJobs } from './waiting.jobs.js';
import { bearRun, cancelWaiting, carry, detach, reindexRun, release, tellFlows, waitUntil } from './runs.js';
import { keyOf, type JobRow, type MemoryTables, type RunRow } from './tables.js';

/** The reason of gaps. */
const rescheduled = 'schedule changed';

/** One item after the other, so the second of two with the same id finds it taken. */
export function insertJobs(
  tables: MemoryTables,
  now: EpochMs,
  jobs: readonly NewJob[],
  onConflict: ConflictPolicy,
): InsertResult[] {
  if (jobs.some(waitsForJobs)) return insertWaitingJobs(tables, now, jobs, onConflict, insertJob);
  return jobs.map((given) => {
    const existing = tables.jobs.get(keyOf(given));
    if (!existing) return { status: 'created', job: toJob(tables, insertJob(tables, now, given)) };
    if (onConflict === 'raise') return { status: 'conflict' };
    if (onConflict === 'ignore') return { status: 'existing', job: toJob(tables, existing) };
    replace(tables, now, existing, given);
    return { status: 'replaced', job: toJob(tables, existing) };
  });
}

/** A declared job stays its code's: what is given lies over the declaration. */
function replace(tables: MemoryTables, now: EpochMs, job: JobRow, wanted: NewJob): void {
  const { job: given, nextAt } = replacementOf(wanted, job, now);
  if (job.source === 'code') {
    const { definition, changed: changes } = job;
    job.changed = changedBy({ definition, changes }, given, { at: now, by: null });
  } else {
    job.definitionHash = given.definitionHash;
    job.app = given.app;
  }
  redefine(tables, now, job, given, nextAt);
}

/** What a verdict gives birth to, unless its id is taken. */
export function bearCallback(tables: MemoryTables, now: EpochMs, given: NewJob | null | undefined): void {
  if (given && !tables.jobs.has(keyOf(given))) insertJob(tables, now, given, 0, 'callback');
}

export function insertJob(
  tables: MemoryTables,
  now: EpochMs,
  given: NewJob,
  generation = 0,
  origin: RunOrigin = 'at',
): JobRow {
  const job = tables.own('jobs', newJobRow(tables, now, given, generation));
  tables.jobs.set(keyOf(given), job);
  tables.jobsByUid.set(job.uid, job);
  begin(tables, now, job, given.nextAt, origin);
  if (given.trace !== undefined && job.kind === 'one-off') carry(onlyRun(job), given.trace);
  return job;
}

/** One that nobody finds yet. */
export function newJobRow(tables: MemoryTables, now: EpochMs, given: NewJob, generation = 0): JobRow {
  return {
    uid: `job-${tables.nextNumber()}`,
    kind: kindOf(given.source, given),
    definition: definitionOf(given),
    definitionHash: given.definitionHash,
    source: given.source,
    app: given.app,
    generation,
    createdAt: now,
    updatedAt: now,
    revision: 1,
    changed: null,
    pause: null,
    orphanedAt: null,
    orphanedReason: null,
    previousIds: [],
    cursorAt: null,
    fired: 0,
    firedUntil: null,
    openGap: null,
    runs: new Set(),
    deadLetters: new Set(),
    statistics: {
      runCount: 0,
      errorCount: 0,
      consecutiveFailures: 0,
      lastRunAt: null,
      lastVerdict: null,
      lastError: null,
    },
  };
}

export function updateJob(tables: MemoryTables, now: EpochMs, job: JobRow, patch: JobPatch): void {
  const { nextAt, app, changed, ...given } = patch;
  if (app !== undefined && job.source !== 'code') job.app = app;
  if (changed !== undefined && job.source === 'code') job.changed = structuredClone(changed);
  const changes = Object.entries(given).filter(([, value]) => value !== undefined);
  redefine(tables, now, job, { ...job.definition, ...Object.fromEntries(changes) }, nextAt);
}

/** Gives a job another definition and, where `nextAt` is given, another time: what it owes until then is missed. What is not claimed yet uses it at once. */
export function redefine(
  tables: MemoryTables,
  now: EpochMs,
  job: JobRow,
  given: JobDefinition,
  nextAt: EpochMs | null | undefined,
  owes: EpochMs = owedUntil(now, nextAt ?? null),
): void {
  const kind = kindOf(job.source, given);
  const anew = kind !== job.kind || (kind === 'one-off' && nextAt !== undefined && !waits(onlyRun(job)));
  const before = kind === 'one-off' && job.kind === 'one-off' ? onlyRun(job) : null;
  if (anew) clear(tables, now, job, 'job replaced');
  else if (nextAt !== undefined) giveUpSchedule(tables, job, owes, rescheduled);
  tables.jobs.delete(keyOf(job.definition));
  job.kind = kind;
  job.definition = definitionOf(given);
  tables.jobs.set(keyOf(given), job);
  touch(job, now);
  if (anew) {
    begin(tables, now, job, nextAt ?? null);
    if (before?.verdict != null) moveWaits(tables, before, onlyRun(job));
    return;
  }
  reindexCursor(tables, job);
  for (const run of job.runs) reindexRun(tables, run);
  if (nextAt === undefined) return;
  if (kind === 'recurring') recordPassedOver(tables, now, job, nextAt, rescheduled);
  moveTo(tables, now, job, nextAt);
}

export function touch(job: JobRow, now: EpochMs): void {
  job.updatedAt = now;
  job.revision++;
}

/** Ends what waits, lets go of what is running: its attempt is its last. What is open goes on where the job does. */
export function clear(
  tables: MemoryTables,
  now: EpochMs,
  job: JobRow,
  reason: 'job replaced' | 'job deleted',
): void {
  giveUpSchedule(tables, job, now, reason);
  removeCursor(tables, job);
  tellAhead(tables, now, job);
  job.firedUntil = null;
  for (const run of job.runs) {
    const { worker, verdict } = run;
    detach(run);
    if (verdict !== null) {
      tables.runs.delete(run.id);
      if (reason === 'job deleted') tellFlows(tables, run, null);
    }
    if (verdict !== null) continue;
    if (run.open !== null && reason === 'job replaced') release(tables, run);
    else if (worker === null) cancelWaiting(tables, now, run);
  }
  for (const run of job.deadLetters) tables.runs.delete(run.id);
  job.deadLetters.clear();
}

/** No due instant is without a verdict: what the job owes until then by its schedule, or by that which stands still, is missed. */
function giveUpSchedule(tables: MemoryTables, job: JobRow, until: EpochMs, reason: string): void {
  recordOwed(tables, job, until, reason);
  endGap(tables, job, until);
}

/** Gives a job that has nothing of its own yet its first time. */
export function begin(
  tables: MemoryTables,
  now: EpochMs,
  job: JobRow,
  nextAt: EpochMs | null,
  origin: RunOrigin = 'at',
): void {
  if (job.kind === 'recurring') return moveTo(tables, now, job, nextAt);
  // A one-off without a time is due, unless it waits for others.
  const dueAt = nextAt ?? (waitsForJobs(job.definition) ? Infinity : now);
  const run = bearRun(tables, job, { origin, nominalAt: nextAt ?? now, dueAt });
  run.held = job.pause !== null;
  tables.waiting.delete(run);
  waitUntil(tables, run, dueAt);
}

function moveTo(tables: MemoryTables, now: EpochMs, job: JobRow, nextAt: EpochMs | null): void {
  if (job.kind === 'recurring') {
    job.fired = 0;
    tellAhead(tables, now, job);
    setCursor(tables, job, nextAt);
    if (nextAt !== null) tables.wake({ kind: 'due', at: nextAt, what: 'cursor' });
  } else if (nextAt !== null) {
    const run = onlyRun(job);
    run.nominalAt = nextAt;
    waitUntil(tables, run, nextAt);
  }
}

function waits(run: RunRow): boolean {
  return run.verdict === null && run.worker === null && run.open === null;
}

/** Declared one-offs are jobs with a cursor of one instant: see `NewJob`. */
function kindOf(source: JobSource, { trigger }: JobDefinition): JobRow['kind'] {
  return isOnce(trigger) && source !== 'code' ? 'one-off' : 'recurring';
}

/** Just the definition, and a copy: what callers hold may change. */
function definitionOf(given: JobDefinition): JobDefinition {
  const { id, namespace, name, handler, queue, priority } = given;
  const { trigger, timeZone, payload, metadata, policies } = given;
  const identity = { id, namespace, name, handler, queue, priority };
  return structuredClone({ ...identity, trigger, timeZone, payload, metadata, policies });
}
