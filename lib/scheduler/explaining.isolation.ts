import { isLastTry, longestAloneMs } from '../engine/isolation.js';
import type { Run } from '../model/run.js';
import type { JobStore, WorkerInfo } from '../ports/storage.adapter.js';

const mostRows = 10_000;
const pageSize = 1_000;

/** A run that its worker executes alone, so that nothing else begins there. */
export interface IsolatedRun {
  run: Run;
  /** At the latest. */
  until: number;
}

/** What live workers execute alone, by their ids. Asked for only where one of these runs waits: nothing else is explained by it. */
export async function readIsolated(
  waiting: readonly Run[],
  { now, workers }: { now: number; workers: readonly WorkerInfo[] },
  jobs: JobStore,
): Promise<ReadonlyMap<string, IsolatedRun>> {
  const isolated = new Map<string, IsolatedRun>();
  if (!waiting.some((run) => isDue(run, now))) return isolated;
  const last = await lastBegun(jobs);
  for (const { id } of workers) {
    const run = last.get(id);
    if (run === undefined || run.lostCount === 0) continue;
    const until = run.startedAt!.getTime() + longestAloneMs;
    if (until <= now) continue;
    const { namespace, jobId } = run;
    const policies = (await jobs.getJob({ namespace, id: jobId }))?.policies ?? {};
    if (isLastTry({ lostCount: run.lostCount, policies })) isolated.set(id, { run, until });
  }
  return isolated;
}

function isDue({ state, dueAt }: Run, now: number): boolean {
  return state === 'waiting' && dueAt !== null && dueAt.getTime() <= now;
}

/** What each worker has begun last: as nothing begins beside what is alone, nothing else can be. */
async function lastBegun(jobs: JobStore): Promise<ReadonlyMap<string, Run>> {
  const last = new Map<string, Run>();
  let cursor: string | undefined;
  for (let rows = 0; rows < mostRows;) {
    const given = { limit: pageSize, ...(cursor === undefined ? {} : { cursor }) };
    const page = await jobs.queryRuns({ state: 'running' }, given);
    for (const run of page.items) {
      if (run.worker === null || run.startedAt === null) continue;
      const other = last.get(run.worker);
      if (other === undefined || Number(other.startedAt) < Number(run.startedAt)) last.set(run.worker, run);
    }
    if (page.cursor === null || page.items.length === 0) break;
    rows += page.items.length;
    ({ cursor } = page);
  }
  return last;
}
