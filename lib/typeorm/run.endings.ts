import { callbackOf, type CalledRun } from '../ports/callback.js';
import type {
  EpochMs,
  GiveBackResult,
  NewJob,
  ReleaseResult,
  Settlement,
  Unstarted,
} from '../ports/storage.adapter.js';
import { bearCallbacks } from './job.insertion.js';
import { columns, present, type Perhaps } from './rows.js';
import type { Run, StatementRunner } from './statement.runner.js';

/** Ends what waits, asks for the cancellation of what goes on; the runs are locked. */
export async function cancelRuns(run: Run, runs: readonly { id: string; running: boolean }[]): Promise<void> {
  const waiting = runs.filter(({ running }) => !running).map(({ id }) => id);
  const going = runs.filter(({ running }) => running).map(({ id }) => id);
  if (waiting.length > 0) await run('endWaiting', waiting);
  if (going.length > 0) await run('requestCancel', going);
}

/** Lets runs go that waited for others of these jobs, which are over. */
export async function unblock(run: Run, jobUids: readonly (string | null)[]): Promise<void> {
  const jobs = [...new Set(jobUids)].filter((uid) => uid !== null);
  if (jobs.length > 0) await run('unblock', jobs);
}

interface EndedRow {
  id: string;
  fence: number;
  job_uid: string | null;
  final: boolean;
}

const jobsOfEnded = (rows: readonly EndedRow[]): (string | null)[] =>
  rows.filter(({ final }) => final).map(({ job_uid }) => job_uid);

export async function settle(
  statements: StatementRunner,
  settlements: readonly Settlement[],
): Promise<string[]> {
  const accepted: string[] = [];
  for (const some of byWorker(settlements)) accepted.push(...(await settleOf(statements, some)));
  return accepted;
}

/** The settlements of each worker: of one, unless a process has lost its lease. */
function byWorker(settlements: readonly Settlement[]): Settlement[][] {
  const groups = new Map<string, Settlement[]>();
  for (const settlement of settlements) {
    const group = groups.get(settlement.worker);
    if (group) group.push(settlement);
    else groups.set(settlement.worker, [settlement]);
  }
  return [...groups.values()];
}

/** Those that others wait for, and those with callbacks, take a second step, and so a transaction. */
async function settleOf(statements: StatementRunner, settlements: readonly Settlement[]): Promise<string[]> {
  const accepted = [
    ...(await settlePlain(statements, 'settleOneOffs', settlements.filter(isPlainOf(true)))),
    ...(await settlePlain(statements, 'settleRecurring', settlements.filter(isPlainOf(false)))),
  ];
  if (accepted.length === 0) return settleAll(statements, settlements);
  if (accepted.length === settlements.length) return accepted;
  const settled = new Set(accepted);
  const rest = settlements.filter(({ runId }) => !settled.has(runId));
  return [...accepted, ...(await settleAll(statements, rest))];
}

/** By a quicker statement, which passes over what it cannot write. */
async function settlePlain(
  statements: StatementRunner,
  statement: 'settleOneOffs' | 'settleRecurring',
  plain: Settlement[],
): Promise<string[]> {
  if (plain.length === 0) return [];
  const [answer] = await statements.run<PlainAnswer>(statement, ...plainColumns(plain.sort(byRunId)));
  return answer.settled === plain.length ? plain.map(({ runId }) => runId) : (answer.ids ?? []);
}

/** `ids`: null where it has settled all, or none. */
interface PlainAnswer {
  settled: number;
  ids: string[] | null;
}

const byRunId = (a: Settlement, b: Settlement): number =>
  a.runId.length - b.runId.length || (a.runId < b.runId ? -1 : Number(a.runId !== b.runId));

/** What a quicker statement can write. */
const isPlainOf =
  (isOneOff: boolean) =>
  ({ oneOff, outcome, callback, retryAt }: Settlement): boolean =>
    oneOff === isOneOff && outcome === 'succeeded' && !callback && retryAt === null;

async function settleAll(statements: StatementRunner, settlements: readonly Settlement[]): Promise<string[]> {
  if (settlements.length === 0) return [];
  if (settlements.some(({ callback }) => callback)) {
    return statements.change(({ run }) => settleWithin(run, settlements));
  }
  const rows = await statements.run<EndedRow & { deferred: boolean }>(
    'settle',
    ...settlementColumns(settlements),
    false,
  );
  const deferred = new Set(rows.filter((row) => row.deferred).map(({ id }) => id));
  const accepted = rows.filter((row) => !row.deferred).map(({ id }) => id);
  if (deferred.size === 0) return accepted;
  const rest = settlements.filter(({ runId }) => deferred.has(runId));
  return [...accepted, ...(await statements.change(({ run }) => settleWithin(run, rest)))];
}

/** The same in a transaction of the caller's, which must be at READ COMMITTED. */
export async function settleWithin(run: Run, settlements: readonly Settlement[]): Promise<string[]> {
  const rows = await run<EndedRow>('settle', ...settlementColumns(settlements), true);
  await unblock(run, jobsOfEnded(rows));
  const decided = new Set(rows.filter(({ final }) => final).map(({ id, fence }) => `${id} ${fence}`));
  const called = new Map<string, NewJob>();
  for (const { runId, fence, callback } of settlements) {
    if (callback && decided.has(`${runId} ${fence}`)) called.set(runId, callback);
  }
  await bearCallbacks(run, [...called.values()]);
  return rows.map(({ id }) => id);
}

function settlementColumns(settlements: readonly Settlement[]): unknown[] {
  const keys = ['runId', 'fence', 'outcome', 'startedAt', 'finishedAt', 'retryAt', 'error'] as const;
  return [...columns(settlements, keys), resultsOf(settlements), settlements[0]!.worker];
}

function plainColumns(settlements: readonly Settlement[]): unknown[] {
  const hasResult = settlements.some(({ result }) => result !== null);
  return [
    arrayOf(settlements.map(({ runId }) => runId)),
    arrayOf(settlements.map(({ fence }) => fence)),
    arrayOf(settlements.map(({ startedAt }) => startedAt)),
    arrayOf(settlements.map(({ finishedAt }) => finishedAt)),
    hasResult ? resultsOf(settlements) : null,
    settlements[0]!.worker,
  ];
}

/** An array of numbers as the server reads it; pg would put each into quotes. */
const arrayOf = (numbers: readonly (number | string)[]): string => `{${numbers.join(',')}}`;

const resultsOf = (settlements: readonly Settlement[]): (string | null)[] =>
  settlements.map(({ result }) => (result === null ? null : JSON.stringify(result)));

export async function giveBack(
  statements: StatementRunner,
  runs: readonly Unstarted[],
): Promise<GiveBackResult> {
  if (runs.length === 0) return { lost: [], left: [] };
  type Given = EndedRow & {
    namespace: string;
    job_id: string;
    lost: boolean;
    left_over: boolean;
    called: LostRun | null;
  };
  const rows = runs.map(({ delayMs = 0, ...hold }) => ({ ...hold, delayMs }));
  const values = columns(rows, ['runId', 'fence', 'worker', 'delayMs']);
  return statements.change(async ({ run }) => {
    const given = await run<Given>('giveBack', ...values);
    await unblock(run, jobsOfEnded(given));
    await callAfterLoss(run, given);
    const lost = given.filter((row) => row.lost).map(({ namespace, job_id: id }) => ({ namespace, id }));
    const leftIds = new Set(given.filter((row) => row.left_over).map(({ id }) => id));
    return { lost, left: runs.filter(({ runId }) => leftIds.has(runId)) };
  });
}

/** A run that has ended as lost, and what its callback is told. */
type LostRun = CalledRun & { finishedAt: EpochMs; error: string };

async function callAfterLoss(run: Run, ended: readonly { called: LostRun | null }[]): Promise<void> {
  await bearCallbacks(
    run,
    ended.flatMap(({ called }) => (called && callbackOf(called, 'lost', { ...called, result: null })) ?? []),
  );
}

/** `runIds`: only these, which an earlier release has left. */
export async function releaseLost(
  statements: StatementRunner,
  runIds: readonly string[] | null,
): Promise<ReleaseResult> {
  type Released = Omit<ReleaseResult['runs'][number], 'runId' | 'jobId'> & {
    id: string;
    job_id: string;
    job_uid: string | null;
    called: LostRun | null;
  };
  const rows = await statements.change(async ({ run }) => {
    const released =
      runIds === null
        ? await run<Perhaps<Released>>('releaseLost')
        : await run<Perhaps<Released>>('releaseLeft', runIds);
    const ended = present<Released>(released, 'id').filter(({ verdict }) => verdict !== null);
    await unblock(
      run,
      ended.map(({ job_uid }) => job_uid),
    );
    await callAfterLoss(run, ended);
    return released;
  });
  const runs = present<Released>(rows, 'id').map(({ id, job_id, namespace, handler, worker, verdict }) => ({
    runId: id,
    jobId: job_id,
    namespace,
    handler,
    worker,
    verdict,
  }));
  const [{ now, left_over }] = rows as unknown as { now: EpochMs; left_over: string[] | null }[];
  return { now, workers: [...new Set(runs.map(({ worker }) => worker))], runs, left: left_over ?? [] };
}
