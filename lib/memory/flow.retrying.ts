import { InvalidOptionError } from '../model/errors.js';
import { staysBlocked, stillRuns, wouldBeLost } from '../ports/retry.refusals.js';
import type { EpochMs } from '../ports/storage.adapter.js';
import { removeDeadLetter } from './dead.letters.js';
import { touch } from './definitions.js';
import { advance, release } from './flow.advancing.js';
import { endIfOver } from './flow.endings.js';
import { allSteps, type FlowRow, type FlowStepRow } from './flow.rows.js';
import {
  addEdge,
  doneOf,
  planRetry,
  planRetryOfBad,
  recount,
  removeStep,
  resetStep,
  runningOf,
  setBack,
  type RetryPlan,
} from './flow.resetting.js';
import { givenUpBy } from './given.up.steps.js';
import { onlyRun } from './rows.to.views.js';
import { moveRunSteps } from './run.steps.js';
import { moveWaits } from './run.waits.js';
import { bearRun, waitUntil } from './runs.js';
import type { JobRow, MemoryTables, RunRow } from './tables.js';

/** See `FlowStorage.retryFlow`. */
export function retryFlow(
  tables: MemoryTables,
  now: EpochMs,
  runId: string,
  names: readonly string[] | null,
  givenUp: readonly string[],
  trace: string | undefined,
): RunRow | null {
  const flow = tables.flows.get(runId);
  if (!flow || flow.verdict === null || flow.verdict === 'succeeded') return null;
  if (flow.stepOf !== null) refusePart(runId, flow.stepOf);
  const done = doneOf(flow);
  const chosen = names === null ? null : [...new Set(names)].map((name) => stepNamed(flow, name));
  // Somebody has given it its verdict, whatever its steps have come to.
  if (tables.runs.get(runId)?.verdict === 'succeeded') return null;
  const job = tables.jobsByUid.get(flow.jobUid);
  if (!job || hasAnotherRun(tables, job, runId) || !isKept(tables, job, runId)) return null;
  const plan = chosen === null ? planRetryOfBad(flow, done) : planRetry(flow, chosen, done);
  const blocked = plan.again.find(({ state }) => state === 'waiting');
  if (blocked) throw staysBlocked(runId, flow.workflow, blocked.definition.name);
  const running = runningOf(tables, flow, plan, givenUpBy(tables, now, givenUp));
  if (running.length > 0) throw stillRuns(runId, flow.verdict, running);
  if (plan.orphaned.length > 0) throw wouldBeLost(runId, flow.verdict, plan.orphaned);
  const run = reopen(tables, now, flow, job);
  if (trace !== undefined) flow.trace = trace;
  goOn(tables, now, flow, plan);
  return run;
}

function stepNamed({ steps, workflow, runId }: FlowRow, name: string): FlowStepRow {
  const step = steps.get(name);
  if (step) return step;
  throw new InvalidOptionError(
    'from',
    `the run ${runId} of the workflow "${workflow}" has no step "${name}".`,
  );
}

function refusePart(runId: string, { flow, definition: { name } }: FlowStepRow): never {
  throw new InvalidOptionError(
    'runId',
    `the run ${runId} is the step "${name}" of the run ${flow.runId} of the workflow "${flow.workflow}". Retry that one, by this step.`,
  );
}

function hasAnotherRun(tables: MemoryTables, job: JobRow, runId: string): boolean {
  const run = tables.runs.get(runId);
  return (run !== undefined && run.verdict === null) || (job.kind === 'one-off' && onlyRun(job) !== run);
}

/** What was cancelled of a recurring job leaves no dead letter. */
function isKept(tables: MemoryTables, { kind }: JobRow, runId: string): boolean {
  if (kind === 'one-off' || tables.runs.has(runId)) return true;
  return tables.ledger.some((row) => row.runId === runId && row.final && row.outcome === 'cancelled');
}

/** Gives the flow another run, in place of the dead letter that the old one may be. */
function reopen(tables: MemoryTables, now: EpochMs, flow: FlowRow, job: JobRow): RunRow {
  const { runId, nominalAt, deadlineMs } = flow;
  const dead = tables.runs.get(runId);
  if (dead) removeDeadLetter(tables, dead);
  const run = bearRun(tables, job, { origin: 'retry', nominalAt, dueAt: now });
  run.retryOf = runId;
  run.attempt = 1;
  run.open = { since: now, deadline: deadlineMs === null ? null : now + deadlineMs };
  if (job.kind === 'one-off') {
    run.lastError = dead?.lastError ?? null;
    run.lastFingerprint = dead?.lastFingerprint ?? null;
    job.pause = null;
    touch(job, now);
  }
  tables.waiting.delete(run);
  waitUntil(tables, run, run.open.deadline ?? now);
  moveRunSteps(tables, now, runId, run.id);
  if (dead) moveWaits(tables, dead, run);
  tables.flows.delete(runId);
  tables.flows.set(run.id, flow);
  flow.firstRun ??= runId;
  flow.total = [...allSteps(flow)].length;
  // What begins of it is of the app that has the job by now.
  Object.assign(flow, {
    app: job.app,
    runId: run.id,
    retryOf: runId,
    openedAt: now,
    endedAt: null,
    verdict: null,
    ending: null,
    retryAt: null,
  });
  return run;
}

/** Those that come after others that run again wait for them; the others get their run, or their instances, at once. */
function goOn(
  tables: MemoryTables,
  now: EpochMs,
  flow: FlowRow,
  { dropped, waiting, behind, again, edges, recounted, named, done }: RetryPlan,
): void {
  for (const step of dropped) removeStep(tables, flow, step);
  for (const { parent, child } of edges) addEdge(tables, parent, child);
  for (const step of waiting) resetStep(tables, step);
  for (const step of [...behind, ...again]) {
    if (done.has(step)) resetStep(tables, step);
    else setBack(tables, step, done);
  }
  const endings = again.flatMap((step) => release(tables, now, step) ?? []);
  const anew = new Set([...waiting, ...again]);
  for (const step of recounted) recount(step, named.has(step) ? anew : null);
  flow.active = [...flow.steps.values()].filter(({ state }) => state === 'released').length;
  advance(tables, now, flow, endings, [...waiting, ...behind]);
  endIfOver(tables, now, flow);
}
