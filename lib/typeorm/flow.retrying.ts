import { InvalidOptionError } from '../model/errors.js';
import type { Run as RunView } from '../model/run.js';
import { staysBlocked, stillRuns, wouldBeLost } from '../ports/retry.refusals.js';
import { isWithin } from '../ports/step.place.js';
import type { RunningStep } from '../ports/storage.adapter.js';
import { advanceFlows, type Advance } from './flow.advancing.js';
import { planRetry, planRetryOfBad, type RetriedStep, type RetryPlan } from './flow.retry.plan.js';
import { endFlows } from './flow.verdicts.js';
import { conclude, type EndedRow } from './run.conclusion.js';
import { toRun, type RunRow } from './run.rows.js';
import type { Run } from './statement.runner.js';

interface RetriedFlow {
  workflow: string;
  verdict: string | null;
  is_part: boolean;
  part_of: string | null;
  part_of_run: string | null;
  part_of_workflow: string | null;
}

/** See `FlowStorage.retryFlow`. */
export async function retryFlow(
  run: Run,
  runId: string,
  names: readonly string[] | null,
  givenUp: readonly string[],
  trace: string | undefined,
): Promise<RunView | null> {
  const [found] = await run<{ id: string }>('findFlow', runId);
  if (!found) return null;
  const { id } = found;
  await run('lockFlows', [], [id]);
  const [flow] = await run<RetriedFlow>('readRetriedFlow', id);
  if (!flow || flow.verdict === null || flow.verdict === 'succeeded') return null;
  if (flow.is_part) refusePart(runId, flow);
  const steps = await run<RetriedStep>('readAllSteps', id);
  const plan =
    names === null ? planRetryOfBad(steps) : planRetry(steps, named(steps, names, runId, flow.workflow));
  const blocked = [...plan.again, ...plan.maps].find(({ waiting }) => waiting);
  if (blocked) throw staysBlocked(runId, flow.workflow, blocked.name);
  const running = await runningOf(run, id, plan, givenUp);
  const [reopened] = await run<RunRow>('reopenFlow', id, trace ?? null);
  if (!reopened) return null;
  if (running.length > 0) throw stillRuns(runId, flow.verdict, running);
  if (plan.orphaned.length > 0) throw wouldBeLost(runId, flow.verdict, plan.orphaned);
  const decided = await apply(run, id, plan);
  await advanceFlows(
    run,
    decided,
    [...plan.waiting, ...plan.behind].map((step) => step.id),
  );
  const over = await endFlows<EndedRow>(run, [id]);
  await conclude(run, over.rows, over.settlements);
  return toRun(reopened);
}

function named(
  steps: readonly RetriedStep[],
  names: readonly string[],
  runId: string,
  workflow: string,
): RetriedStep[] {
  const known = new Map(steps.filter(({ map_of }) => map_of === null).map((step) => [step.name, step]));
  const flow = `the run ${runId} of the workflow "${workflow}"`;
  return [...new Set(names)].map((name) => {
    const step = known.get(name);
    if (!step) throw new InvalidOptionError('from', `${flow} has no step "${name}".`);
    return step;
  });
}

function refusePart(runId: string, { part_of, part_of_run, part_of_workflow }: RetriedFlow): never {
  const whose =
    part_of === null
      ? 'a step of another workflow'
      : `the step "${part_of}" of the run ${part_of_run} of the workflow "${part_of_workflow}"`;
  throw new InvalidOptionError('runId', `the run ${runId} is ${whose}. Retry that one, by this step.`);
}

interface RunningRow extends Pick<RunningStep, 'name' | 'nth' | 'workflow'> {
  flow_run_id: string;
  top: string;
  place: string;
  /** It runs itself; else something in it does, of an earlier run. */
  itself: boolean;
}

function toRunningStep({ name, nth, flow_run_id: flowRunId, workflow }: RunningRow): RunningStep {
  return { name, nth, flowRunId, workflow };
}

/** See `FlowStorage.queryRunningSteps`. */
export async function queryRunningSteps(
  run: Run,
  runId: string,
  givenUp: readonly string[],
): Promise<RunningStep[]> {
  const [found] = await run<{ id: string }>('findFlow', runId);
  return found ? (await readRunning(run, found.id, givenUp)).map(toRunningStep) : [];
}

/** Each place once, with the newest flow that has it, and the innermost that is known. */
async function readRunning(run: Run, id: string, givenUp: readonly string[]): Promise<RunningRow[]> {
  const rows = await run<RunningRow>('readRunningSteps', id, givenUp);
  const newest = [...new Map(rows.toReversed().map((row) => [row.place, row])).values()];
  return newest.filter(({ itself, place }) => itself || !newest.some((row) => isWithin(row.place, place)));
}

/** Of all that would run again, or go. Whoever holds the lock of a flow that is over sees all of it: nothing more begins. */
async function runningOf(
  run: Run,
  id: string,
  { places }: RetryPlan,
  givenUp: readonly string[],
): Promise<RunningStep[]> {
  const running = await readRunning(run, id, givenUp);
  return running.filter(({ top }) => places.has(top)).map(toRunningStep);
}

/** Returns which maps have ended by that. */
async function apply(run: Run, flow: string, plan: RetryPlan): Promise<Parameters<typeof advanceFlows>[1]> {
  const { dropped, edges, waiting, behind, again, maps, halfDone, instances, instancesBehind } = plan;
  const mapsBehind = behind.filter((step) => step.is_expanded);
  const ids = (steps: readonly RetriedStep[]): string[] => steps.map(({ id }) => id);
  if (dropped.length > 0) await run('dropSteps', ids(dropped));
  const plain = behind.filter((step) => !step.is_expanded);
  const reset = [...waiting, ...plain, ...again, ...maps, ...instances, ...instancesBehind];
  const goingOn = [...plain, ...instancesBehind].filter((step) => step.run_id !== null);
  await run('resetSteps', ids(reset), ids(halfDone), ids(mapsBehind), ids(goingOn));
  if (edges.length > 0) {
    const [parents, children] = [edges.map(({ parent }) => parent), edges.map(({ child }) => child)];
    await run(
      'growFlow',
      flow,
      '[]',
      [],
      parents,
      children,
      edges.map(() => false),
    );
  }
  const released = [...again, ...instances];
  // What follows one that had not ended well goes on where that stood.
  const before = released.map(({ good, run_id }) => (good ? null : run_id));
  if (released.length > 0) await run('releaseSteps', ids(released), before);
  const [expanded] = maps.length > 0 ? await run<Advance>('expandMaps', ids(maps)) : [];
  const anew = [...waiting, ...again, ...maps, ...halfDone];
  await run('recountFlow', flow, ids(plan.recounted), ids(plan.named), ids(anew));
  return (expanded?.decided ?? []).map((each) => ({ ...each, runId: null, result: null }));
}
