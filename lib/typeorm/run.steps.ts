import type { DurableStepKind } from '../model/durable.step.js';
import type { JsonValue } from '../model/json.js';
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
import { isRunId } from './run.id.js';
import type { Run, StatementScope } from './statement.runner.js';

interface RunStepRow {
  name: string;
  kind: DurableStepKind;
  position: number | null;
  attempt: number;
  started_ms: EpochMs;
  finished_ms: EpochMs | null;
  ended: number | null;
  result: JsonValue;
  until_ms: EpochMs | null;
  signal: string | null;
  timed_out: boolean;
  failures: number;
  error: string | null;
}

interface PagedStepRow extends RunStepRow {
  /** How many there are with those of the page. */
  found: number;
}

/** All of them, page by page: they may be more than can be read at once. */
export async function queryRunSteps(run: Run, runId: string): Promise<RunStep[]> {
  if (!isRunId(runId)) return [];
  const steps: RunStep[] = [];
  for (let after: string | null = null; ;) {
    const rows: PagedStepRow[] = await run<PagedStepRow>('queryRunSteps', runId, after);
    for (const { found: _, ...row } of rows) steps.push(toRunStep(row));
    const last = rows.at(-1);
    if (last === undefined || last.found === rows.length) return steps;
    after = last.name;
  }
}

/** `mine`: the run is in these hands · `kept`: so is the step now, and none of that name had ended. */
export async function recordRunStep(
  run: Run,
  { runId, fence, worker }: Hold,
  { name, kind, position, attempt, startedAt, ended, result }: NewRunStep,
): Promise<{ mine: boolean; kept: boolean }> {
  if (!isRunId(runId)) return { mine: false, kept: false };
  const place = [name, kind, position, attempt, startedAt];
  const values = [runId, fence, worker, ...place, ended, JSON.stringify(result)];
  const [row] = await run<{ mine: boolean; kept: boolean }>('recordRunStep', ...values);
  return row!;
}

/** Whether the run is in these hands. */
export async function recordStepWait(
  run: Run,
  { runId, fence, worker }: Hold,
  { name, kind, position, attempt, startedAt, until, failures, error }: RunStepWait,
): Promise<boolean> {
  if (!isRunId(runId)) return false;
  const place = [name, kind, position, attempt, startedAt];
  const values = [runId, fence, worker, ...place, until, failures, error];
  const [row] = await run<{ mine: boolean }>('recordStepWait', ...values);
  return row!.mine;
}

/** Null: the run is not in these hands. */
export async function takeRunSignal(
  statements: StatementScope,
  { runId, fence, worker }: Hold,
  { name, position, attempt, startedAt, signal, until, ended, after }: SignalWait,
): Promise<RunStep | null> {
  if (!isRunId(runId)) return null;
  return statements.change(async ({ run }) => {
    // Whoever sends a signal locks the run as well: from here on there is none but those that the next statement sees.
    const [mine] = await run('awaitSignal', runId, fence, worker);
    if (mine === undefined) return null;
    const values = [runId, name, position, attempt, startedAt, signal, until, ended, after];
    const [row] = await run<RunStepRow>('takeRunSignal', ...values);
    return toRunStep(row!);
  });
}

export async function sendRunSignal(
  statements: StatementScope,
  runId: string,
  { name, payload }: NewRunSignal,
): Promise<SignalAnswer> {
  if (!isRunId(runId)) return null;
  return statements.change(async ({ run }) => {
    const [locked] = await run('lockRun', runId);
    if (locked === undefined) return null;
    const values = [runId, name, JSON.stringify(payload), mostRunSignals];
    const [row] = await run<{ sent: boolean; heard: boolean }>('sendRunSignal', ...values);
    if (!row!.heard) return 'unheard';
    return row!.sent ? 'sent' : 'full';
  });
}

function toRunStep(row: RunStepRow): RunStep {
  const {
    started_ms: startedAt,
    finished_ms: finishedAt,
    until_ms: until,
    timed_out: timedOut,
    ...rest
  } = row;
  return { ...rest, startedAt, finishedAt, until, timedOut };
}
