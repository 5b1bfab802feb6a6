import type {
  Capability,
  ClaimResult,
  DueCursor,
  EpochMs,
  Firing,
  FireResult,
  NextWake,
  ReleaseResult,
  Settlement,
  Unstarted,
} from '../ports/storage.adapter.js';
import type { Policies } from '../model/policies.js';
import type { Trigger } from '../model/trigger.js';
import { toClaimedRun, type ClaimedRow } from './run.rows.js';
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
  skipped: FireResult['skipped'];
}

export async function dueCursors(
  run: Run,
  { queues, handlers }: Capability,
  limit: number,
): Promise<{ now: EpochMs; cursors: DueCursor[] }> {
  const rows = await run<Perhaps<CursorRow>>('dueCursors', queues, handlers, limit);
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
): Promise<FireResult> {
  const births = firings.flatMap(({ jobUid, births }) => births.map((birth) => ({ jobUid, ...birth })));
  const gaps = firings.flatMap(({ jobUid, gaps }) => gaps.map((gap) => ({ jobUid, ...gap })));
  const values = [
    workerId,
    queues,
    handlers,
    room,
    ...columns(firings, ['jobUid', 'nominalAt', 'revision', 'nextAt', 'fired', 'overlap']),
    ...columns(births, ['jobUid', 'nominalAt', 'dueAt', 'missed']),
    ...columns(gaps, ['jobUid', 'from', 'until', 'verdict', 'count', 'reason']),
  ];
  const delayed = firings.filter(({ nextAt }) => nextAt === Infinity).map(({ jobUid }) => jobUid);
  const [row] =
    delayed.length === 0
      ? await statements.run<FiredRow>('fire', ...values)
      : await statements.change(async ({ run }) => {
          const rows = await run<FiredRow>('fire', ...values);
          await run('wakeDelayed', delayed);
          return rows;
        });
  const { now, moved, runs, unclaimed, skipped } = row;
  return { now, moved, runs: runs.map(toClaimedRun), unclaimed, skipped };
}

export async function claim(
  run: Run,
  { workerId, queues, handlers }: Capability,
  limit: number,
): Promise<ClaimResult> {
  const statement = queues.length === 1 ? 'claimFromOne' : 'claimFromSeveral';
  const rows = await run<Perhaps<ClaimedRow>>(statement, workerId, queues, handlers, limit);
  return { now: rows[0].now, runs: present<ClaimedRow>(rows, 'id').map(toClaimedRun) };
}

export async function settle(run: Run, settlements: readonly Settlement[]): Promise<string[]> {
  if (settlements.length === 0) return [];
  const rows = settlements.map(({ result, ...settlement }) => ({
    ...settlement,
    result: result === null ? null : JSON.stringify(result),
  }));
  const values = columns(rows, [
    ...(['runId', 'fence', 'outcome', 'startedAt', 'finishedAt', 'retryAt', 'error', 'result'] as const),
  ]);
  return (await run<{ id: string }>('settle', ...values)).map(({ id }) => id);
}

export async function giveBack(run: Run, runs: readonly Unstarted[]): Promise<void> {
  if (runs.length > 0) await run('giveBack', ...columns(runs, ['runId', 'fence']));
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

export async function releaseLost(run: Run): Promise<ReleaseResult> {
  type Released = Omit<ReleaseResult['runs'][number], 'runId' | 'jobId'> & { id: string; job_id: string };
  const rows = await run<Perhaps<Released>>('releaseLost');
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
