import type { EpochMs, ReleaseResult } from '../ports/storage.adapter.js';
import { eachFlow } from './flow.groups.js';
import { insistMs } from './insistence.js';
import { inHalves, isRefusal } from './refusals.js';
import { present, type Perhaps } from './rows.js';
import { conclude, type EndedRow } from './run.conclusion.js';
import { callAfterLoss, retryInMs, type LostRun } from './run.endings.js';
import type { Run, StatementRunner } from './statement.runner.js';

type Released = Omit<ReleaseResult['runs'][number], 'runId' | 'jobId'> & {
  job_id: string;
  called: LostRun | null;
} & EndedRow;

/** What a release has found beside what it tells: runs that end steps of flows, see `eachFlow`. */
type Release = ReleaseResult & { ofFlows: { id: string; flow: string }[] };

/** `runIds`: only these, which an earlier release has left. */
export async function releaseLost(
  statements: StatementRunner,
  runIds: readonly string[] | null,
): Promise<ReleaseResult> {
  const { ofFlows, ...first } = await statements
    .change(({ run }) => release(run, runIds))
    .catch((error: unknown) => releaseApart(statements, runIds, error));
  const result = await releaseSteps(statements, first, ofFlows);
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
  return second === null ? result : together(result, [busy], second);
}

/** Those that end steps of flows, each flow by itself; nobody is told less for what comes of that. */
async function releaseSteps(
  statements: StatementRunner,
  first: ReleaseResult,
  ofFlows: Release['ofFlows'],
): Promise<ReleaseResult> {
  let result = first;
  await eachFlow(
    ofFlows.map(({ id, flow }) => [flow, id] as const),
    async (ids) => {
      const released = await statements
        .change(({ run, briefly }) => briefly(insistMs, () => release(run, ids, 'releaseLost', ids)))
        .catch(() => null);
      if (released === null) return 'locked';
      result = together(result, ids, released.value);
      return 'done';
    },
  );
  return result;
}

function together(result: ReleaseResult, triedIds: readonly string[], more: Release): ReleaseResult {
  const tried = new Set(triedIds);
  return {
    ...result,
    now: more.now,
    workers: [...new Set([...result.workers, ...more.workers])],
    runs: [...result.runs, ...more.runs],
    left: [...result.left.filter((id) => !tried.has(id)), ...more.left],
  };
}

/** One run keeps the others from being taken back: they are tried in halves. Their workers are ended before that, so that nobody comes back to them at once. */
async function releaseApart(
  statements: StatementRunner,
  runIds: readonly string[] | null,
  error: unknown,
): Promise<Release> {
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
    ofFlows: results.flatMap(({ ofFlows }) => ofFlows),
    refused: refused.map(({ item: runId, error: reason }) => ({ runId, error: reason, retryInMs })),
  };
}

async function release(
  run: Run,
  runIds: readonly string[] | null,
  all: 'releaseLost' | 'endLost' = 'releaseLost',
  endsSteps: readonly string[] = [],
): Promise<Release> {
  const rows =
    runIds === null
      ? await run<Perhaps<Released>>(all)
      : await run<Perhaps<Released>>('releaseLeft', runIds, endsSteps);
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
  const [{ now, left_over, of_flows }] = rows as unknown as {
    now: EpochMs;
    left_over: string[] | null;
    of_flows: Release['ofFlows'] | null;
  }[];
  const workers = [...new Set(runs.map(({ worker }) => worker))];
  return { now, workers, runs, left: left_over ?? [], ofFlows: of_flows ?? [] };
}
