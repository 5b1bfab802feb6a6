import { isFailure } from '../model/verdict.js';
import {
  mostRunSignals,
  type EpochMs,
  type Hold,
  type NewRunSignal,
  type NewRunStep,
  type RunStep,
  type RunStepWait,
  type SignalAnswer,
  type SignalWait,
} from '../ports/storage.adapter.js';
import { allSteps } from './flow.rows.js';
import { isHeldWith, release } from './runs.js';
import type { MemoryTables, RunRow, SignalRow } from './tables.js';

const unending = { finishedAt: null, ended: null, result: null, signal: null, timedOut: false };

export function queryRunSteps({ steps }: MemoryTables, runId: string): RunStep[] {
  const found = steps.get(runId) ?? [];
  return found.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/** False: it is not in these hands, or one of that name has ended. */
export function recordNewRunStep(tables: MemoryTables, now: EpochMs, hold: Hold, step: NewRunStep): boolean {
  const isThere = stepOf(tables, hold.runId, step.name)?.finishedAt != null;
  return !isThere && recordRunStep(tables, now, hold, step);
}

export function recordRunStep(tables: MemoryTables, now: EpochMs, hold: Hold, step: NewRunStep): boolean {
  if (!isHeldWith(tables.runs.get(hold.runId), hold)) return false;
  const { ended, result, attempt } = step;
  const until = step.kind === 'step' ? null : (stepOf(tables, hold.runId, step.name)?.until ?? null);
  put(tables, hold.runId, step, { attempt, finishedAt: now, ended, result, error: null, until }, now);
  return true;
}

export function recordStepWait(tables: MemoryTables, now: EpochMs, hold: Hold, wait: RunStepWait): boolean {
  if (!isHeldWith(tables.runs.get(hold.runId), hold)) return false;
  const { attempt, until, failures, error } = wait;
  put(tables, hold.runId, wait, { attempt, until, failures, error }, now);
  return true;
}

/** Null: it is not in these hands. */
export function takeRunSignal(
  tables: MemoryTables,
  now: EpochMs,
  hold: Hold,
  wait: SignalWait,
): RunStep | null {
  const run = tables.runs.get(hold.runId);
  if (!isHeldWith(run, hold)) return null;
  run.awaitingFence = run.fence;
  const { name, signal, attempt } = wait;
  const there = stepOf(tables, hold.runId, name);
  const until = there === undefined ? wait.until : there.until;
  const sent = tables.signals.get(hold.runId) ?? [];
  const left = signalsLeft(tables, hold.runId, wait);
  const found = left.find(({ sentAt }) => until === null || sentAt <= until);
  const timedOut = found === undefined && until !== null && until <= now;
  const ended = { finishedAt: now, ended: wait.ended, result: found?.payload ?? null, timedOut };
  const isOver = found !== undefined || timedOut;
  const isNew = there?.finishedAt == null;
  put(tables, hold.runId, wait, { attempt, signal, until, ...(isOver && ended) }, now);
  if (found !== undefined && isNew)
    tables.signals.set(
      hold.runId,
      sent.filter((one) => one !== found),
    );
  return stepOf(tables, hold.runId, name)!;
}

/** Those that no wait before this one has a right to. */
function signalsLeft(
  { steps, signals }: MemoryTables,
  runId: string,
  { signal, after }: SignalWait,
): SignalRow[] {
  const left = (signals.get(runId) ?? []).filter(({ name }) => name === signal);
  for (const name of after) {
    const wait = steps.get(runId)?.find((step) => step.name === name);
    if (wait === undefined || wait.signal !== signal || wait.finishedAt !== null) continue;
    const first = left.findIndex(({ sentAt }) => wait.until === null || sentAt <= wait.until);
    if (first >= 0) left.splice(first, 1);
  }
  return left;
}

export function sendRunSignal(
  tables: MemoryTables,
  now: EpochMs,
  runId: string,
  { name, payload }: NewRunSignal,
): SignalAnswer {
  const run = tables.runs.get(runId);
  if (!run || run.verdict !== null) return null;
  if (tables.flows.has(runId) || run.step?.definition.kind === 'manual') return 'unheard';
  const sent = tables.signals.get(runId) ?? [];
  if (sent.length >= mostRunSignals) return 'full';
  tables.signals.set(runId, [...sent, { name, payload: structuredClone(payload), sentAt: now }]);
  const steps = tables.steps.get(runId) ?? [];
  if (steps.some(({ signal, finishedAt }) => signal === name && finishedAt === null))
    wakeAwaiting(tables, now, run);
  return 'sent';
}

/** One that sleeps as its last attempt waits is due; one whose attempt goes on is so when that goes to sleep. */
function wakeAwaiting(tables: MemoryTables, now: EpochMs, run: RunRow): void {
  if (run.worker !== null) {
    if (run.awaitingFence === run.fence) run.signalledFence = run.fence;
  } else if (run.awaitingFence === run.fence - 1) {
    run.dueAt = Math.min(run.dueAt, now);
    if (!run.held) release(tables, run);
  }
}

/** They go with the run that is retried, but for waits whose time is over, and that nothing has come after: these would fail it for ever. */
export function moveRunSteps({ steps, signals }: MemoryTables, now: EpochMs, from: string, to: string): void {
  const all = steps.get(from);
  const kept = all?.filter((step) => !isLapsed(step, now) || all.some((other) => isAfter(other, step)));
  if (kept !== undefined && kept.length > 0) steps.set(to, kept);
  steps.delete(from);
  const sent = signals.get(from);
  if (sent !== undefined) signals.set(to, sent);
  signals.delete(from);
}

function isLapsed({ kind, finishedAt, until, timedOut }: RunStep, now: EpochMs): boolean {
  return kind === 'signal' && (timedOut || (finishedAt === null && until !== null && until <= now));
}

/** Whether the handler has gone on to it, though the wait had timed out: not to what ran beside that. */
function isAfter({ position, startedAt }: RunStep, wait: RunStep): boolean {
  const isBehind = position !== null && wait.position !== null && position > wait.position;
  return isBehind || startedAt >= wait.until!;
}

/** Those that an attempt may need that is still to come stay: of a run without a verdict or that may be retried, and of a step with which the retry of its flow would go on. */
export function forgetRunSteps(tables: MemoryTables, horizon: EpochMs): void {
  const { runs, steps, signals } = tables;
  let ofFlows: ReadonlySet<string> | undefined;
  const isNeeded = (runId: string): boolean => {
    const run = runs.get(runId);
    if (run !== undefined && (run.verdict === null || isFailure(run.verdict))) return true;
    ofFlows ??= runsToGoOnWith(tables);
    return ofFlows.has(runId);
  };
  for (const [runId, kept] of steps) {
    const young = kept.filter(({ finishedAt, startedAt }) => (finishedAt ?? startedAt) >= horizon);
    if (young.length === kept.length || isNeeded(runId)) continue;
    if (young.length === 0) steps.delete(runId);
    else steps.set(runId, young);
  }
  for (const runId of signals.keys()) if (!isNeeded(runId)) signals.delete(runId);
}

/** Their runs are gone. What has ended well begins anew. */
function runsToGoOnWith({ flows }: MemoryTables): Set<string> {
  const found = new Set<string>();
  for (const flow of flows.values()) {
    for (const { runId, state } of allSteps(flow))
      if (runId !== null && state !== 'succeeded' && state !== 'skipped') found.add(runId);
  }
  return found;
}

function stepOf({ steps }: MemoryTables, runId: string, name: string): RunStep | undefined {
  return steps.get(runId)?.find((step) => step.name === name);
}

/** One that has ended stays as it is. */
function put(
  tables: MemoryTables,
  runId: string,
  { name, kind, position, attempt, startedAt }: NewRunStep | RunStepWait | SignalWait,
  fields: Partial<RunStep>,
  now: EpochMs,
): void {
  const there = stepOf(tables, runId, name);
  if (there?.finishedAt != null) return;
  const others = (tables.steps.get(runId) ?? []).filter((step) => step !== there);
  const born = { name, kind, position, attempt, startedAt: Math.min(startedAt, now), ...unending };
  const step = { ...born, until: null, failures: 0, error: null, ...there, ...fields };
  tables.steps.set(runId, [...others, structuredClone(step)]);
}
