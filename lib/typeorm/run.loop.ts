import type {
  Capability,
  DueCursor,
  EpochMs,
  Firing,
  FireResult,
  NextWake,
  Unstarted,
} from '../ports/storage.adapter.js';
import type { Policies } from '../model/policies.js';
import type { Trigger } from '../model/trigger.js';
import { columns, present, type Perhaps } from './rows.js';
import { unblock } from './run.conclusion.js';
import { cancelRuns } from './run.endings.js';
import { toClaimedRun, type ClaimedRow } from './run.rows.js';
import type { Run, StatementRunner } from './statement.runner.js';

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
  { app, queues, handlers }: Capability,
  limit: number,
  aheadMs: number,
): Promise<{ now: EpochMs; cursors: DueCursor[] }> {
  const rows = await run<Perhaps<CursorRow>>('dueCursors', queues, handlers, limit, aheadMs, app);
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

/** How far from now what is handed out may be due, and what counts as now for what must not run twice, if that is later. */
export interface Reach {
  aheadMs: number;
  reached: EpochMs | null;
}

export async function fire(
  statements: StatementRunner,
  { workerId, app, queues, handlers }: Capability,
  firings: readonly Firing[],
  room: number,
  { aheadMs, reached }: Reach,
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
    app,
    reached,
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
  return { now, moved, runs: runs.map((run) => toClaimedRun(run, workerId)), unclaimed, skipped };
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

export async function heldBy(run: Run, workerId: string): Promise<Unstarted[]> {
  const rows = await run<Unstarted>('heldBy', workerId);
  return rows.map(({ runId, fence }) => ({ runId, fence, worker: workerId }));
}

export async function nextWakeAt(
  run: Run,
  { workerId, app, queues, handlers }: Capability,
): Promise<NextWake> {
  const [row] = await run<
    { now: EpochMs } & Record<'cursor_at' | 'run_at' | 'lease_ends_at' | 'pause_ends_at', EpochMs | null>
  >('nextWake', workerId, queues, handlers, app);
  const { now, cursor_at: cursorAt, run_at: runAt } = row;
  return { now, cursorAt, runAt, leaseEndsAt: row.lease_ends_at, pauseEndsAt: row.pause_ends_at };
}
