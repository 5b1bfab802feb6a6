import type { Run, StatementRunner } from './statement.runner.js';

/** So many flows are paused, or resumed, in one transaction. */
const flowsAtOnce = 500;

/**
 * Pauses a flow, or resumes it, and then those that are steps of it, level by level: each level in transactions of its own, as whoever moves a flow on takes locks from the innermost to the outermost. One that opens meanwhile has the pause of what it is a step
 * of: it opens before that is paused, and is found here, or after it. False: there is no such flow, or it is over. What runs goes on, and is held when it comes back.
 */
export async function setFlowPause(
  statements: StatementRunner,
  runId: string,
  isPaused: boolean,
): Promise<boolean> {
  const found = await statements.run<{ id: string }>('findFlow', runId);
  let level = found.map(({ id }) => id);
  if (!(await setPauses(statements, level, isPaused, true))) return false;
  while (level.length > 0) {
    level = (await statements.run<{ id: string }>('flowsWithin', level)).map(({ id }) => id);
    for (let done = 0; done < level.length; done += flowsAtOnce) {
      await setPauses(statements, level.slice(done, done + flowsAtOnce), isPaused, false);
    }
  }
  return true;
}

/** Whether any of them goes on. */
function setPauses(
  statements: StatementRunner,
  flows: readonly string[],
  isPaused: boolean,
  isOutermost: boolean,
): Promise<boolean> {
  return statements.change(async ({ run }) => {
    if (flows.length === 0) return false;
    // Runs come before flows; those that are born until the flows are locked are found by the second look.
    await run('lockFlowRuns', flows);
    await run('lockFlows', [], flows);
    const going = await run<{ id: string }>('setFlowPause', flows, isPaused, isOutermost);
    if (going.length === 0) return false;
    const runs = await run<{ id: string }>(
      'lockFlowRuns',
      going.map(({ id }) => id),
    );
    const ids = runs.map(({ id }) => id);
    if (ids.length > 0) await run(isPaused ? 'holdRuns' : 'releaseRuns', [], ids);
    return true;
  });
}

/**
 * The same in a transaction of a caller, which keeps what it locks: the runs of all their steps first, then the flows, as whoever moves one on has the run of its step before it waits for a flow. What opens meanwhile has the pause of what it is a step of
 * only if that was there: so it is looked for again once all is locked.
 */
export async function setFlowPauseAtOnce(run: Run, runId: string, isPaused: boolean): Promise<boolean> {
  const found = await run<{ id: string }>('findFlow', runId);
  const outermost = found.map(({ id }) => id);
  const locked = new Set<string>();
  let levels: string[][];
  for (;;) {
    levels = await levelsOf(run, outermost);
    const fresh = levels.flat().filter((id) => !locked.has(id));
    if (fresh.length === 0) break;
    await run('lockFlowRuns', fresh);
    await run('lockFlows', [], fresh);
    for (const id of fresh) locked.add(id);
  }
  const going: string[] = [];
  for (const [depth, level] of levels.entries()) {
    const set = await run<{ id: string }>('setFlowPause', level, isPaused, depth === 0);
    going.push(...set.map(({ id }) => id));
  }
  if (going.length === 0) return false;
  const runs = await run<{ id: string }>('lockFlowRuns', going);
  const ids = runs.map(({ id }) => id);
  if (ids.length > 0) await run(isPaused ? 'holdRuns' : 'releaseRuns', [], ids);
  return true;
}

/** These flows, those that are steps of them, and so on. */
async function levelsOf(run: Run, outermost: readonly string[]): Promise<string[][]> {
  const levels: string[][] = [];
  for (let level = [...outermost]; level.length > 0;) {
    levels.push(level);
    level = (await run<{ id: string }>('flowsWithin', level)).map(({ id }) => id);
  }
  return levels;
}
