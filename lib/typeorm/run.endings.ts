import { callbackOf, type CalledRun } from '../ports/callback.js';
import type { EpochMs, GiveBackResult, Unstarted } from '../ports/storage.adapter.js';
import { eachFlow, flowsOf } from './flow.groups.js';
import { insistMs } from './insistence.js';
import { bearCallbacks } from './job.insertion.js';
import { inHalves } from './refusals.js';
import { columns } from './rows.js';
import { conclude, endOrAsk, type EndedRow } from './run.conclusion.js';
import type { Run, StatementRunner } from './statement.runner.js';

/** Runs that could not be taken back are tried again with all others: by the janitor, once a minute where nobody has set it, or after the next death of a worker. As often those that could not be given back. */
export const retryInMs = 60_000;

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
  const result = await statements.change(({ run }) => giveBackIn(run, runs, false));
  if (result.left.length === 0) return result;
  const flows = await flowsOf(
    statements.run,
    result.left.map(({ runId }) => runId),
  );
  const ofFlows = result.left.filter(({ runId }) => flows.has(runId));
  const again: Unstarted[] = [];
  const locked = await eachFlow(
    ofFlows.map((one) => [flows.get(one.runId)!, one] as const),
    async (some) => {
      const given = await statements.change(({ run, briefly }) =>
        briefly(insistMs, () => giveBackIn(run, some, true)),
      );
      if (given === null) return 'locked';
      result.lost.push(...given.value.lost);
      again.push(...given.value.left);
      return 'done';
    },
  );
  const tried = new Set(ofFlows);
  return { ...result, left: [...result.left.filter((one) => !tried.has(one)), ...again, ...locked] };
}

async function giveBackIn(
  run: Run,
  runs: readonly Unstarted[],
  endsSteps: boolean,
): Promise<Pick<GiveBackResult, 'lost' | 'left'>> {
  type Given = EndedRow & {
    namespace: string;
    job_id: string;
    lost: boolean;
    left_over: boolean;
    called: LostRun | null;
  };
  const rows = runs.map(({ delayMs = 0, ...hold }) => ({ ...hold, delayMs }));
  const values = columns(rows, ['runId', 'fence', 'worker', 'delayMs']);
  const given = await run<Given>('giveBack', ...values, endsSteps);
  await conclude(run, given);
  await callAfterLoss(run, given);
  const lost = given.filter((row) => row.lost).map(({ namespace, job_id: id }) => ({ namespace, id }));
  const leftIds = new Set(given.filter((row) => row.left_over).map(({ id }) => id));
  return { lost, left: runs.filter(({ runId }) => leftIds.has(runId)) };
}

/** A run that has ended as lost, and what its callback is told. */
export type LostRun = CalledRun & { finishedAt: EpochMs; error: string };

export async function callAfterLoss(run: Run, ended: readonly { called: LostRun | null }[]): Promise<void> {
  await bearCallbacks(
    run,
    ended.flatMap(({ called }) => (called && callbackOf(called, 'lost', { ...called, result: null })) ?? []),
  );
}
