import { callbackOf, type CalledRun } from '../ports/callback.js';
import type { EpochMs, GiveBackResult, ReleaseResult, Unstarted } from '../ports/storage.adapter.js';
import { insistMs } from './insistence.js';
import { bearCallbacks } from './job.insertion.js';
import { inHalves, isRefusal } from './refusals.js';
import { columns, present, type Perhaps } from './rows.js';
import { conclude, endOrAsk, type EndedRow } from './run.conclusion.js';
import type { Run, StatementRunner } from './statement.runner.js';

/** Runs that could not be taken back are tried again with all others: by the janitor, once a minute where nobody has set it, or after the next death of a worker. As often those that could not be given back. */
const retryInMs = 60_000;

/** Ends what waits, asks for the cancellation of what goes on; the runs are locked. */
export async function cancelRuns(run: Run, runs: readonly { id: string; running: boolean }[]): Promise<void> {
  await conclude(run, await endOrAsk(run, runs));
}

export async function giveBack(
  statements: StatementRunner,
  runs: readonly Unstarted[],
): Promise<GiveBackResult> {
  const { results, refused, isInVain } = await inHalves(runs, (some) => giveBackTogether(statements, some));
  if (isInVain) throw refused[0]!.error;
  return {
    lost: results.flatMap(({ lost }) => lost),
    left: results.flatMap(({ left }) => left),
    ...(refused.length > 0 && {
      refused: refused.map(({ item, error }) => ({ ...item, error, retryInMs })),
    }),
  };
}

async function giveBackTogether(
  statements: StatementRunner,
  runs: readonly Unstarted[],
): Promise<GiveBackResult> {
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
    await conclude(run, given);
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

type Released = Omit<ReleaseResult['runs'][number], 'runId' | 'jobId'> & {
  job_id: string;
  called: LostRun | null;
} & EndedRow;

/** `runIds`: only these, which an earlier release has left. */
export async function releaseLost(
  statements: StatementRunner,
  runIds: readonly string[] | null,
): Promise<ReleaseResult> {
  const result = await statements
    .change(({ run }) => release(run, runIds))
    .catch((error: unknown) => releaseApart(statements, runIds, error));
  // At random: another one may be somebody's for long.
  const busy = runIds && result.left[Math.floor(Math.random() * result.left.length)];
  if (!busy) return result;
  const second = await statements
    .change(async ({ run, briefly }) => {
      const got = await briefly(insistMs, () => run('awaitRun', busy));
      return got && release(run, [busy]);
    })
    // What was done is to be told, whatever comes of the rest: that is left, and tried again.
    .catch(() => null);
  if (second === null) return result;
  return {
    ...result,
    now: second.now,
    workers: [...new Set([...result.workers, ...second.workers])],
    runs: [...result.runs, ...second.runs],
    left: [...result.left.filter((id) => id !== busy), ...second.left],
  };
}

/** One run keeps the others from being taken back: they are tried in halves. Their workers are ended before that, so that nobody comes back to them at once. */
async function releaseApart(
  statements: StatementRunner,
  runIds: readonly string[] | null,
  error: unknown,
): Promise<ReleaseResult> {
  if (!isRefusal(error)) throw error;
  const held = runIds === null ? await statements.change(({ run }) => release(run, null, 'endLost')) : null;
  const { results, refused, isInVain } = await inHalves(runIds ?? held!.left, (some) =>
    statements.change(({ run }) => release(run, some)),
  );
  if (isInVain) throw error;
  return {
    now: results.at(-1)?.now ?? held?.now ?? (await statements.change(({ readClock }) => readClock())),
    workers: [...new Set(results.flatMap(({ workers }) => workers))],
    runs: results.flatMap(({ runs }) => runs),
    left: results.flatMap(({ left }) => left),
    refused: refused.map(({ item: runId, error: reason }) => ({ runId, error: reason, retryInMs })),
  };
}

async function release(
  run: Run,
  runIds: readonly string[] | null,
  all: 'releaseLost' | 'endLost' = 'releaseLost',
): Promise<ReleaseResult> {
  const rows =
    runIds === null ? await run<Perhaps<Released>>(all) : await run<Perhaps<Released>>('releaseLeft', runIds);
  const released = present<Released>(rows, 'id');
  const ended = released.filter(({ verdict }) => verdict !== null);
  await conclude(run, released);
  await callAfterLoss(run, ended);
  const runs = released.map(({ id, job_id, namespace, handler, worker, verdict }) => ({
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
