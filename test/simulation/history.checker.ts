import type { Attempt, Gap, Page, Run } from '../../lib/index.js';
import type { NewJob, PageRequest, WorkerInfo } from '../../lib/ports/storage.adapter.js';
import { compileTrigger } from '../../lib/triggers/compiled.trigger.js';
import type { Outcome } from './scenario.js';

/** Workers note times by a lower bound of the storage's clock; it may lag by the time that an answer travels. */
const clockToleranceMs = 2_500;

/** Reads the record and says where it breaks a promise; empty: nowhere. */
export async function findViolations({ storage, jobs, executions }: Outcome): Promise<string[]> {
  const attempts = await all<Attempt>((page) => storage.queryAttempts({}, page));
  const gaps = await all<Gap>((page) => storage.queryGaps({}, page));
  const runs = await all<Run>((page) => storage.queryRuns({}, page));
  const violations: string[] = [];

  const byRun = new Map<string, Attempt[]>();
  for (const row of attempts) byRun.set(row.runId, [...(byRun.get(row.runId) ?? []), row]);
  for (const [runId, rows] of byRun) violations.push(...checkRun(runId, rows, executions.get(runId) ?? 0));
  violations.push(...checkLosses(attempts, await storage.queryWorkers()));

  for (const run of runs) {
    if (run.state === 'waiting' || run.state === 'blocked' || run.state === 'running') {
      violations.push(`run ${run.id} of ${run.jobId} never ended: ${run.state}`);
    }
  }
  for (const job of jobs) {
    const rows = attempts.filter((row) => row.jobId === job.id);
    if (job.policies.recovery === 'abandon') violations.push(...checkAtMostOnce(job, rows, executions));
    if (job.policies.overlap !== 'allow') violations.push(...checkAlone(job, rows));
    const own = gaps.filter((gap) => gap.jobId === job.id);
    if (job.trigger.type === 'at') {
      const verdicts = rows.filter((row) => row.final).length;
      if (verdicts !== 1) violations.push(`one-off ${job.id} has ${verdicts} verdicts`);
    } else {
      violations.push(...checkInstants(job, rows, own));
    }
  }
  return violations;
}

/** Exactly one verdict, which comes last; and nobody's attempt reaches into that of a later owner. */
function checkRun(runId: string, rows: readonly Attempt[], executions: number): string[] {
  const found: string[] = [];
  // A run that is cancelled while it waits ends with the fence of its last attempt.
  const sorted = rows.toSorted((a, b) => a.fence - b.fence || Number(a.final) - Number(b.final));
  const finals = sorted.filter((row) => row.final);
  if (finals.length !== 1) found.push(`run ${runId} has ${finals.length} verdicts`);
  if (finals.length === 1 && sorted.at(-1) !== finals[0])
    found.push(`run ${runId} went on after its verdict`);
  const fences = sorted.filter((row) => row.startedAt !== null).map((row) => row.fence);
  if (new Set(fences).size !== fences.length) {
    found.push(`run ${runId} has two attempts with one fence`);
  }
  for (let i = 1; i < sorted.length; i++) {
    const before = sorted[i - 1]!;
    const after = sorted[i]!;
    if (after.startedAt === null) continue;
    if (after.startedAt.getTime() < before.finishedAt.getTime() - clockToleranceMs) {
      found.push(
        `run ${runId}: the attempt with fence ${after.fence} began while fence ${before.fence} held it`,
      );
    }
  }
  if (finals[0]?.outcome === 'succeeded' && executions === 0)
    found.push(`run ${runId} succeeded without being executed`);
  return found;
}

/** The attempts of two runs of the job are never under way at once, unless it says so. */
function checkAlone(job: NewJob, rows: readonly Attempt[]): string[] {
  const found: string[] = [];
  const begun = rows.filter((row) => row.startedAt !== null);
  const sorted = begun.toSorted((a, b) => a.startedAt!.getTime() - b.startedAt!.getTime());
  for (const [index, row] of sorted.entries()) {
    const next = sorted.slice(index + 1).find((other) => other.runId !== row.runId);
    if (next && next.startedAt!.getTime() < row.finishedAt.getTime() - clockToleranceMs) {
      found.push(`${job.id}: run ${next.runId} began while run ${row.runId} went on`);
    }
  }
  return found;
}

/** A run is taken only from a worker whose lease has ended, which no later renewal may have revived. */
function checkLosses(attempts: readonly Attempt[], workers: readonly WorkerInfo[]): string[] {
  const leases = new Map(workers.map((worker) => [worker.id, worker.leaseUntil.getTime()]));
  return attempts
    .filter(({ outcome, worker, finishedAt }) => {
      return outcome === 'lost' && (leases.get(worker ?? '') ?? 0) > finishedAt.getTime();
    })
    .map(({ runId, fence }) => `run ${runId}: fence ${fence} was taken from a worker whose lease held`);
}

/** What is never given to a second worker is executed once for each failure that it reported, and once more at most. */
function checkAtMostOnce(job: NewJob, rows: readonly Attempt[], executions: Outcome['executions']): string[] {
  const found = rows
    .filter((row) => row.outcome === 'lost' && !row.final)
    .map((row) => `${job.id}: run ${row.runId} was given to another worker after it was lost`);
  for (const runId of new Set(rows.map((row) => row.runId))) {
    const retried = rows.filter((row) => row.runId === runId && !row.final).length;
    const times = executions.get(runId) ?? 0;
    if (times > retried + 1)
      found.push(`${job.id}: run ${runId} may be executed ${retried + 1} times, but was ${times} times`);
  }
  return found;
}

/** Every instant of the job, which has an end, is one run or part of one gap, never both, never twice. */
function checkInstants(job: NewJob, rows: readonly Attempt[], gaps: readonly Gap[]): string[] {
  const found: string[] = [];
  const trigger = compileTrigger(job.trigger, `${job.namespace}/${job.id}`);
  const covered = new Map<number, number>();
  const cover = (at: number): void => void covered.set(at, (covered.get(at) ?? 0) + 1);
  for (const run of new Set(rows.map((row) => `${row.runId} ${row.nominalAt.getTime()}`)))
    cover(Number(run.split(' ')[1]));

  for (const gap of gaps) {
    if (gap.until === null) {
      found.push(`${job.id}: a gap is still open`);
      continue;
    }
    let counted = 0;
    for (
      let at: number | null = gap.from.getTime();
      at !== null && at <= gap.until.getTime();
      at = trigger.next(at)
    ) {
      cover(at);
      counted++;
    }
    if (counted !== gap.count)
      found.push(`${job.id}: a gap says ${gap.count}, its range holds ${counted} instants`);
  }
  for (let at: number | null = job.nextAt; at !== null; at = trigger.next(at)) {
    const times = covered.get(at) ?? 0;
    if (times !== 1)
      found.push(`${job.id}: the instant ${new Date(at).toISOString()} is on record ${times} times`);
    covered.delete(at);
  }
  for (const at of covered.keys())
    found.push(`${job.id}: ${new Date(at).toISOString()} ran, but is no instant of it`);
  return found;
}

async function all<T>(query: (page: PageRequest) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const page: Page<T> = await query({ limit: 1_000, ...(cursor === undefined ? {} : { cursor }) });
    items.push(...page.items);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return items;
}
