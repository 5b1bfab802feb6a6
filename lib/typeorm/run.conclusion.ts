import type { RunVerdict } from '../model/verdict.js';
import type { FlowEnding } from '../ports/flow.ending.js';
import type { CancelledRun } from '../ports/run.ends.js';
import type { EpochMs, Settlement } from '../ports/storage.adapter.js';
import { advanceFlows, type EndedStep } from './flow.advancing.js';
import type { FlowHands } from './flow.hands.js';
import { growFlows, type Growth } from './flow.growth.js';
import { endFlows, type EndedRuns } from './flow.verdicts.js';
import { columns } from './rows.js';
import { tellWaits, type AwaitedEnd } from './run.waits.js';
import type { Run } from './statement.runner.js';

/** A row of a statement that ends runs. */
export interface EndedRow {
  id: string;
  job_uid: string | null;
  final: boolean;
  flow_end: FlowEnd | null;
  /** It has ended as cancelled, and no worker tells of it. Absent: nobody asks. */
  cancelled?: CancelledRun | null;
}

/** What flows have to know of the end of a run: see `flowEndColumn`. */
export interface FlowEnd {
  /** The step that it has decided; null: it is none, or it goes on. */
  step: string | null;
  /** The flow that it is, of which it is decided how it ends; null: it is none. */
  flow: string | null;
  verdict: RunVerdict;
  reason: string | null;
  fingerprint: string | null;
  /** When the run of that flow is tried again; null: it is not. */
  retryAt: EpochMs | null;
  runId: string;
  /** It is a one-off that is over, and others wait for it. */
  awaited: boolean;
}

interface LockedRun {
  id: string;
  running: boolean;
}

/**
 * What follows from ends of runs, in their transaction, and what follows from that: lets go of what waited for them, moves flows on that they are steps of, and ends flows that they were; and notes those to be told. To be called for every statement that
 * ends runs. The order of locks is runs, then flows by their ids, then their steps. `hands`: who may begin what that releases; null: anybody.
 */
export async function conclude(
  run: Run,
  ended: readonly EndedRow[],
  settlements: readonly Settlement[] = [],
  hands: FlowHands | null = null,
): Promise<void> {
  for (let [rows, said] = [ended, settlements]; rows.length > 0;) {
    for (const { cancelled } of rows) if (cancelled) run.noteEnd?.({ cancelled });
    await unblock(
      run,
      rows.filter(({ final }) => final).map(({ job_uid }) => job_uid),
    );
    const ends = rows.flatMap(({ flow_end }) => flow_end ?? []);
    if (ends.length === 0) return;
    const awaited = awaitedAmong(ends);
    const unreachable = await tellWaits(run, awaited);
    const moved = await moveFlows(run, newsOf(ends, said), hands);
    [rows, said] = [[...unreachable, ...moved.rows], moved.settlements];
    if (hands !== null && rows.length + awaited.length > 0) hands.isAll = false;
  }
}

/** Tells what waits for them of dead letters that are gone. */
export async function tellGone(run: Run, gone: readonly { id: string; awaited: boolean }[]): Promise<void> {
  const awaited = gone.filter((each) => each.awaited).map(({ id }) => ({ id, verdict: null }));
  await conclude(run, await tellWaits(run, awaited));
}

/** Those that a one-off may wait for. */
function awaitedAmong(ends: readonly FlowEnd[]): AwaitedEnd[] {
  return ends.filter(({ awaited }) => awaited).map(({ runId: id, verdict }) => ({ id, verdict }));
}

/** Tells flows what has ended without their being told. */
export async function tellFlows(
  run: Run,
  steps: readonly EndedStep[],
  left: readonly string[],
): Promise<void> {
  const ended = { outcome: 'cancelled', error: null, fingerprint: null, result: null } as const;
  const over = left.map((id) => ({ id, ending: ended, retryAt: null }));
  const { rows, settlements } = await moveFlows(run, { steps, left: over, growths: [] });
  await conclude(run, rows, settlements);
}

/** Lets runs go that waited for others of these jobs, which are over. */
export async function unblock(run: Run, jobUids: readonly (string | null)[]): Promise<void> {
  const jobs = [...new Set(jobUids)].filter((uid) => uid !== null);
  if (jobs.length > 0) await run('unblock', jobs);
}

/** Ends what waits, asks for the cancellation of what goes on; the runs are locked. Returns what has ended. */
export async function endOrAsk(run: Run, runs: readonly LockedRun[]): Promise<EndedRow[]> {
  const waiting = runs.filter(({ running }) => !running).map(({ id }) => id);
  const going = runs.filter(({ running }) => running).map(({ id }) => id);
  const ended = waiting.length > 0 ? await run<EndedRow>('endWaiting', waiting) : [];
  if (going.length > 0) await run('requestCancel', going);
  return ended;
}

/** A flow of which it is decided how it ends. */
interface LeftFlow {
  id: string;
  ending: Omit<FlowEnding, 'at'>;
  retryAt: EpochMs | null;
}

/** What is to be told to flows. */
interface FlowNews {
  steps: readonly EndedStep[];
  left: readonly LeftFlow[];
  growths: readonly Growth[];
}

/** Returns which runs have ended by that. */
async function moveFlows(
  run: Run,
  { steps, left, growths }: FlowNews,
  hands: FlowHands | null = null,
): Promise<EndedRuns<EndedRow>> {
  if (steps.length + left.length === 0) return { rows: [], settlements: [] };
  const locked = await lockFlows(run, { steps: steps.map(({ id }) => id), left: left.map(({ id }) => id) });
  const states = new Map(locked.map((flow) => [flow.id, flow]));
  const leaving = left.filter(({ id }) => states.get(id)?.over === false);
  // The others among them were told before.
  const abandoned = leaving.map(({ id }) => id).filter((id) => !states.get(id)!.ending);
  const unreleased =
    leaving.length > 0 ? await run<{ id: string }>('abandonFlows', ...valuesOf(leaving)) : [];
  const cancelled = unreleased.map(
    ({ id }) => ({ id, runId: null, verdict: 'cancelled', reason: null, result: null }) as const,
  );
  const fresh = growths.length > 0 ? await growFlows(run, growths) : [];
  const active = await advanceFlows(run, [...cancelled, ...steps], fresh, hands);
  const stopped =
    abandoned.length > 0 ? await endOrAsk(run, await run<LockedRun>('lockFlowRuns', abandoned)) : [];
  const still = [...active].filter(([, count]) => count === 0).map(([id]) => id);
  const over = still.length > 0 ? await endFlows<EndedRow>(run, still) : { rows: [], settlements: [] };
  return { rows: [...stopped, ...over.rows], settlements: over.settlements };
}

/** Locks flows: those of these steps, and those of which it is decided how they end. */
export async function lockFlows(
  run: Run,
  { steps, left }: { steps: readonly string[]; left: readonly string[] },
): Promise<LockedFlow[]> {
  // Runs come before flows: what is born before these are locked is dealt with behind that.
  if (left.length > 0) await run('lockFlowRuns', left);
  return run<LockedFlow>('lockFlows', steps, left);
}

interface LockedFlow {
  id: string;
  over: boolean;
  /** It is decided how it ends. */
  ending: boolean;
}

/** For `abandonFlows`. */
function valuesOf(left: readonly LeftFlow[]): unknown[] {
  const rows = left.map(({ id, ending, retryAt }) => ({ id, ending: JSON.stringify(ending), retryAt }));
  return columns(rows, ['id', 'ending', 'retryAt']);
}

function newsOf(ends: readonly FlowEnd[], settlements: readonly Settlement[]): FlowNews {
  const said = new Map(settlements.map((settlement) => [settlement.runId, settlement]));
  const steps: EndedStep[] = [];
  const left: LeftFlow[] = [];
  const growths: Growth[] = [];
  for (const { step, flow, verdict, reason, fingerprint, retryAt, runId } of ends) {
    const { result = null, flowStep = {} } = said.get(runId) ?? {};
    if (flow !== null)
      left.push({ id: flow, ending: { outcome: verdict, error: reason, fingerprint, result }, retryAt });
    if (step === null) continue;
    const skipped = verdict === 'succeeded' ? (flowStep.skipped ?? null) : null;
    const json = result === null ? null : JSON.stringify(result);
    const ended = skipped === null ? { verdict, reason } : { verdict: 'skipped' as const, reason: skipped };
    steps.push({ id: step, runId, ...ended, result: json });
    // Only what succeeds adds to its flow.
    if (verdict === 'succeeded' && (flowStep.added || flowStep.joined))
      growths.push({ by: step, end: flowStep });
  }
  return { steps, left, growths };
}
