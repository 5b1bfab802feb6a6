import type { Inheritance } from '../ports/storage.adapter.js';
import type { StatementRunner } from './statement.runner.js';
import { graspJobs } from './stored.job.js';
import { recallDeferred } from './worker.registry.js';

const perStep = 500;
const beforeAll = '-9223372036854775808';

interface RunsStep {
  last: string | null;
  taken: number;
  locked: string[];
}

/** A portion at a time, each committed by itself; what somebody has locked is passed over. */
export async function inherit(
  statements: StatementRunner,
  app: string,
  from: readonly string[],
): Promise<Inheritance> {
  const { run } = statements;
  const left = new Set<string>();
  let taken = 0;
  let after: string | null = beforeAll;
  while (after !== null) {
    const found: { uid: string; app: string }[] = await run('findHeritage', from, after, perStep);
    const uids = found.map(({ uid }) => uid);
    after = uids.at(-1) ?? null;
    const free = uids.length === 0 ? new Set<string>() : await takeFree(statements, uids, app);
    taken += free.size;
    for (const job of found) if (!free.has(job.uid)) left.add(job.app);
  }
  after = beforeAll;
  while (after !== null) {
    const [step]: RunsStep[] = await run('inheritRuns', app, from, after, perStep);
    after = step.last;
    taken += step.taken;
    for (const each of step.locked) left.add(each);
  }
  const [flows] = await run<Pick<RunsStep, 'locked'>>('inheritFlows', app, from);
  for (const each of flows!.locked) left.add(each);
  const living = await run<{ app: string }>('livingApps', from);
  for (const each of living) left.add(each.app);
  if (taken > 0) await recallDeferred(run);
  return { taken, open: from.filter((each) => left.has(each)) };
}

/** Returns those of the jobs that nobody had locked. */
function takeFree(
  statements: StatementRunner,
  uids: readonly string[],
  app: string,
): Promise<ReadonlySet<string>> {
  return statements.change(async ({ run }) => {
    const free = new Set((await graspJobs(run, uids)).keys());
    if (free.size > 0) await run('takeJobs', [...free], app);
    return free;
  });
}
