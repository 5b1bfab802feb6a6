import type {
  Capability,
  ClaimResult,
  DueCursor,
  EpochMs,
  Firing,
  FireResult,
  NewJob,
  NextWake,
  ReleaseResult,
  Settlement,
  Unstarted,
} from '../ports/storage.adapter.js';
import type { Policies } from '../model/policies.js';
import { callbackOf, type CalledRun } from '../ports/callback.js';
import type { Trigger } from '../model/trigger.js';
import { bearCallbacks } from './job.insertion.js';
import { fromTakenRow, inOrderOfClaims, toClaimedRun, type ClaimedRow, type TakenRow } from './run.rows.js';
import type { Run, StatementRunner } from './statement.runner.js';

/** A row, or all null: the time is told even when there is nothing else. */
type Perhaps<Row> = { now: EpochMs } & (Row | { [column in keyof Row]: null });

interface CursorRow {
  job_uid: string;
  job_id: string;
  namespace: string;
  handler: string;
  nominal_at: EpochMs;
  revision: number;
  fired: number;
  trigger: Trigger;
  time_zone: string;
  policies: Partial<Policies>;
}

interface FiredRow {
  now: EpochMs;
  moved: string[];
  runs: ClaimedRow[];
  unclaimed: number;
  /** Whether some run waits for the end of others. */
  blocked: boolean;
  skipped: FireResult['skipped'];
}

export async function dueCursors(
  run: Run,
  { queues, handlers }: Capability,
  limit: number,
  aheadMs: number,
): Promise<{ now: EpochMs; cursors: DueCursor[] }> {
  const rows = await run<Perhaps<CursorRow>>('dueCursors', queues, handlers, limit, aheadMs);
  const cursors = present<CursorRow>(rows, 'job_uid').map((row) => ({
    jobUid: row.job_uid,
    jobId: row.job_id,
    namespace: row.namespace,
    handler: row.handler,
    nominalAt: row.nominal_at,
    revision: row.revision,
    fired: row.fired,
    trigger: row.trigger,
    timeZone: row.time_zone,
    policies: row.policies,
  }));
  return { now: rows[0].now, cursors };
}

export async function fire(
  statements: StatementRunner,
  { workerId, queues, handlers }: Capability,
  firings: readonly Firing[],
  room: number,
  aheadMs: number,
): Promise<FireResult> {
  const births = firings.flatMap(({ jobUid, births }) => births.map((birth) => ({ jobUid, ...birth })));
  const gaps = firings.flatMap(({ jobUid, gaps }) => gaps.map((gap) => ({ jobUid, ...gap })));
  const values = [
    workerId,
    queues,
    handlers,
    room,
    aheadMs,
    ...columns(firings, ['jobUid', 'nominalAt', 'revision', 'nextAt', 'until', 'fired', 'overlap']),
    ...columns(births, ['jobUid', 'nominalAt', 'dueAt', 'missed']),
    ...columns(gaps, ['jobUid', 'from', 'until', 'verdict', 'count', 'reason']),
  ];
  const waiting = firings.filter(({ overlap }) => overlap === 'queue' || overlap === 'cancel-running');
  const delayed = firings.filter(({ nextAt }) => nextAt === Infinity).map(({ jobUid }) => jobUid);
  const [row] =
    delayed.length + waiting.length === 0
      ? await statements.run<FiredRow>('fire', ...values)
      : await statements.change(async ({ run }) => {
          const rows = await run<FiredRow>('fire', ...values);
          if (rows[0].blocked) await cancelBlocking(run, waiting, rows[0].moved);
          if (delayed.length > 0) await run('wakeDelayed', delayed);
          return rows;
        });
  const { now, moved, runs, unclaimed, skipped } = row;
  return { now, moved, runs: runs.map(toClaimedRun), unclaimed, skipped };
}

export async function claim(
  run: Run,
  { workerId, queues, handlers }: Capability,
  limit: number,
  aheadMs: number,
): Promise<ClaimResult> {
  const statement = queues.length === 1 ? 'claimFromOne' : 'claimFromSeveral';
  const rows = await run<TakenRow & { now: EpochMs | null }>(
    statement,
    workerId,
    queues,
    handlers,
    limit,
    aheadMs,
  );
  const now = rows.find((row) => row.now !== null)?.now ?? null;
  return { now, runs: rows.sort(inOrderOfClaims).map(fromTakenRow) };
}

/** For what was born blocked: cancels what it waits for, where the job says so; what has ended meanwhile is not waited for. */
async function cancelBlocking(run: Run, firings: readonly Firing[], moved: readonly string[]): Promise<void> {
  const fired = firings.filter(({ jobUid }) => moved.includes(jobUid));
  const replaced = fired.filter(({ overlap }) => overlap === 'cancel-running').map(({ jobUid }) => jobUid);
  if (replaced.length > 0) await cancelRuns(run, await run('lockBlocking', replaced));
  await unblock(
    run,
    fired.map(({ jobUid }) => jobUid),
  );
}

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

/** Those that others wait for, and those with callbacks, take a second step, and so a transaction. */
export async function settle(
  statements: StatementRunner,
  settlements: readonly Settlement[],
): Promise<string[]> {
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

function settlementColumns(settlements: readonly Settlement[]): unknown[][] {
  const keys = ['runId', 'fence', 'outcome', 'startedAt', 'finishedAt', 'retryAt', 'error'] as const;
  return [...columns(settlements, keys), resultsOf(settlements)];
}

function plainColumns(settlements: readonly Settlement[]): unknown[] {
  const hasResult = settlements.some(({ result }) => result !== null);
  return [
    arrayOf(settlements.map(({ runId }) => runId)),
    arrayOf(settlements.map(({ fence }) => fence)),
    arrayOf(settlements.map(({ startedAt }) => startedAt)),
    arrayOf(settlements.map(({ finishedAt }) => finishedAt)),
    hasResult ? resultsOf(settlements) : null,
  ];
}

/** An array of numbers as the server reads it; pg would put each into quotes. */
const arrayOf = (numbers: readonly (number | string)[]): string => `{${numbers.join(',')}}`;

const resultsOf = (settlements: readonly Settlement[]): (string | null)[] =>
  settlements.map(({ result }) => (result === null ? null : JSON.stringify(result)));

export async function giveBack(statements: StatementRunner, runs: readonly Unstarted[]): Promise<void> {
  if (runs.length === 0) return;
  await statements.change(async ({ run }) => {
    await unblock(run, jobsOfEnded(await run<EndedRow>('giveBack', ...columns(runs, ['runId', 'fence']))));
  });
}

export async function heldBy(run: Run, workerId: string): Promise<Unstarted[]> {
  const rows = await run<Unstarted>('heldBy', workerId);
  return rows.map(({ runId, fence }) => ({ runId, fence }));
}

export async function nextWakeAt(run: Run, { workerId, queues, handlers }: Capability): Promise<NextWake> {
  const [row] = await run<
    { now: EpochMs } & Record<'cursor_at' | 'run_at' | 'lease_ends_at', EpochMs | null>
  >('nextWake', workerId, queues, handlers);
  return { now: row.now, cursorAt: row.cursor_at, runAt: row.run_at, leaseEndsAt: row.lease_ends_at };
}

export async function releaseLost(statements: StatementRunner): Promise<ReleaseResult> {
  type Released = Omit<ReleaseResult['runs'][number], 'runId' | 'jobId'> & {
    id: string;
    job_id: string;
    job_uid: string | null;
    called: (CalledRun & { finishedAt: EpochMs; error: string }) | null;
  };
  const rows = await statements.change(async ({ run }) => {
    const released = await run<Perhaps<Released>>('releaseLost');
    const ended = present<Released>(released, 'id').filter(({ verdict }) => verdict !== null);
    await unblock(
      run,
      ended.map(({ job_uid }) => job_uid),
    );
    await bearCallbacks(
      run,
      ended.flatMap(
        ({ called }) => (called && callbackOf(called, 'lost', { ...called, result: null })) ?? [],
      ),
    );
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
  return { now: rows[0].now, workers: [...new Set(runs.map(({ worker }) => worker))], runs };
}

/** One array for each key: a statement takes many rows as arrays of values. */
function columns<Row extends object>(rows: readonly Row[], keys: readonly (keyof Row)[]): unknown[][] {
  return keys.map((key) => rows.map((row) => row[key]));
}

function present<Row>(rows: readonly Perhaps<Row>[], key: keyof Row): Row[] {
  return rows.filter((row) => row[key] !== null) as Row[];
}
