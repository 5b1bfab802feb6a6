import type { Attempt, Gap, Run } from '../../lib/index.js';
import { abandoned } from '../../lib/ports/abandonment.js';
import type { NewJob, WorkerInfo } from '../../lib/ports/storage.adapter.js';
import { compileTrigger } from '../../lib/triggers/compiled.trigger.js';
import { checkDeploys } from './deploys/deploy.checker.js';
import { lineOf } from './deploys/release.js';
import { checkOutsiders } from './outsiders.js';
import { all, grouped } from './records.js';
import type { Execution, Outcome } from './scenario.js';

/** Workers note times by a lower bound of the storage's clock; it may lag by the time that an answer travels. */
const clockToleranceMs = 2_500;

/** Reads the record and says where it breaks a promise; empty: nowhere. */
export async function findViolations(outcome: Outcome): Promise<string[]> {
  const { storage, jobs, kind, losses } = outcome;
  const attempts = await all<Attempt>((page) => storage.queryAttempts({}, page));
  const gaps = await all<Gap>((page) => storage.queryGaps({}, page));
  const runs = await all<Run>((page) => storage.queryRuns({}, page));
  const violations: string[] = [...outcome.stalls, ...outcome.misfirings];
  const oneClock = kind !== 'clock';
  // Declared schedules have no end; what is due shortly before that of the history is under way then.
  const endsAt = outcome.deploys?.settledAt ?? Infinity;

  const executed = grouped(outcome.executions, ({ runId }) => runId);
  const settled = attempts.filter(({ nominalAt }) => nominalAt.getTime() <= endsAt);
  for (const [runId, rows] of grouped(settled, ({ runId: id }) => id)) {
    violations.push(...checkRun(runId, rows, oneClock && losses.length === 0));
  }
  violations.push(...checkExecutions(outcome, attempts));
  if (oneClock && losses.length === 0)
    violations.push(...checkLosses(attempts, await storage.queryWorkers()));
  if (oneClock) violations.push(...checkChanges(outcome, attempts, gaps));

  if (outcome.outsiders) violations.push(...checkOutsiders(outcome.outsiders.given, attempts));
  if (outcome.steps) violations.push(...outcome.steps.violations(attempts));
  if (outcome.deploys) violations.push(...checkDeploys(outcome.deploys, attempts, gaps));

  for (const run of runs) {
    if (run.nominalAt.getTime() > endsAt) continue;
    if (
      run.state === 'waiting' ||
      run.state === 'blocked' ||
      run.state === 'running' ||
      run.state === 'open'
    ) {
      violations.push(`run ${run.id} of ${run.jobId} never ended: ${run.state}`);
    }
  }
  for (const job of jobs) {
    const rows = attempts.filter((row) => row.jobId === job.id);
    if (job.policies.recovery === 'abandon') violations.push(...checkAtMostOnce(job, rows, executed, losses));
    if (job.policies.overlap !== 'allow' && oneClock && losses.length === 0)
      violations.push(...checkAlone(job, rows));
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
function checkRun(runId: string, rows: readonly Attempt[], oneClock: boolean): string[] {
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
    if (after.startedAt === null || !oneClock) continue;
    // The verdict of an open run is that of the attempt which has opened it, from its begin on.
    if (before.outcome === 'opened' && after.attempt === before.attempt) continue;
    if (after.startedAt.getTime() < before.finishedAt.getTime() - clockToleranceMs) {
      found.push(
        `run ${runId}: the attempt with fence ${after.fence} began while fence ${before.fence} held it`,
      );
    }
  }
  return found;
}

/** What was executed fits the record: nothing early, no id for two occurrences, no success of anything else, no innocent run given up with a poison one. */
function checkExecutions({ executions, kind }: Outcome, attempts: readonly Attempt[]): string[] {
  const found: string[] = [];
  // A job may be renamed while it runs.
  const nameOf = kind === 'deploys' ? lineOf : (jobId: string): string => jobId;
  for (const { runId, jobId, nominalAt, at } of executions) {
    if (kind !== 'clock' && at < nominalAt - 1)
      found.push(`${jobId}: run ${runId} began ${nominalAt - at} ms early`);
  }
  const known = new Set<string>();
  for (const [runId, own] of grouped(executions, ({ runId: id }) => id)) {
    const names = new Set(own.map(({ jobId, nominalAt }) => `${nameOf(jobId)} of ${nominalAt}`));
    if (names.size > 1) found.push(`run ${runId} names ${[...names].join(' and ')}`);
    for (const { jobId, nominalAt, attempt } of own)
      known.add(`${runId} ${nameOf(jobId)} ${nominalAt} ${attempt}`);
  }
  for (const { runId, jobId, nominalAt, attempt, outcome } of attempts) {
    if (outcome === 'succeeded' && !known.has(`${runId} ${nameOf(jobId)} ${nominalAt.getTime()} ${attempt}`))
      found.push(`${jobId}: run ${runId} succeeded in attempt ${attempt} without being executed`);
  }
  if (kind !== 'poison') return found;
  for (const { jobId, final, outcome } of attempts) {
    if (final && outcome === 'lost' && !jobId.startsWith('poison'))
      found.push(`${jobId} was given up as lost`);
  }
  for (const [jobId, own] of grouped(executions, ({ jobId: id }) => id)) {
    if (jobId.startsWith('poison') && own.length > 3) found.push(`${jobId} ended ${own.length} processes`);
  }
  return found;
}

/** While a definition was in force each of its instants came to a run or a gap. */
function checkChanges(
  { changes, losses }: Outcome,
  attempts: readonly Attempt[],
  gaps: readonly Gap[],
): string[] {
  const found: string[] = [];
  for (const [jobId, own] of grouped(changes, (change) => change.jobId)) {
    const ran = attempts.filter((row) => row.jobId === jobId);
    const verdicts = grouped(
      ran.filter((row) => row.final),
      (row) => String(row.nominalAt.getTime()),
    );
    const ranges = gaps.filter((gap) => gap.jobId === jobId);
    for (const [index, { at: from, trigger }] of own.entries()) {
      const until = own[index + 1]?.at ?? Infinity;
      if (trigger === null || losses.some((loss) => loss.from <= until && loss.until >= from)) continue;
      const schedule = compileTrigger(trigger, `default/${jobId}`);
      for (let at = schedule.next(from); at !== null && at < until; at = schedule.next(at)) {
        const here = at;
        const rows = verdicts.get(String(here)) ?? [];
        const inGap = ranges.some(
          (gap) => gap.from.getTime() <= here && here <= (gap.until?.getTime() ?? Infinity),
        );
        if (rows.length + (inGap ? 1 : 0) !== 1)
          found.push(
            `${jobId}: ${new Date(here).toISOString()} has ${rows.length} verdicts${inGap ? ' and is in a gap' : ''}`,
          );
      }
    }
  }
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

/** With `recovery: 'abandon'` a run that its worker cannot bring to an end is lost while the worker lives. */
const endedByItsWorker: readonly string[] = Object.values(abandoned);

/** A run is taken only from a worker whose lease has ended, which no later renewal may have revived. */
function checkLosses(attempts: readonly Attempt[], workers: readonly WorkerInfo[]): string[] {
  const byId = new Map(workers.map((worker) => [worker.id, worker]));
  return attempts
    .filter(({ outcome, worker: id, finishedAt, error }) => {
      if (endedByItsWorker.includes(error ?? '')) return false;
      const worker = byId.get(id ?? '');
      // A registration that arrives a minute late begins another lease, of which nobody knows.
      return outcome === 'lost' && worker && worker.startedAt <= finishedAt && worker.leaseUntil > finishedAt;
    })
    .map(({ runId, fence }) => `run ${runId}: fence ${fence} was taken from a worker whose lease held`);
}

/** What is never given to a second worker is executed once, and once more for each attempt whose end was reported to be no verdict; whoever takes it from its worker. */
function checkAtMostOnce(
  job: NewJob,
  rows: readonly Attempt[],
  executed: ReadonlyMap<string, readonly Execution[]>,
  losses: Outcome['losses'],
): string[] {
  const found: string[] = [];
  for (const row of rows) {
    if (row.final || !['lost', 'handed_back'].includes(row.outcome)) continue;
    found.push(`${job.id}: run ${row.runId} was given to another worker after it was ${row.outcome}`);
  }
  for (const runId of new Set(rows.map((row) => row.runId))) {
    const own = executed.get(runId) ?? [];
    // A claim of a time that is lost is not known to have been, however late its answer came.
    const known = own.filter(
      ({ claimedAt }) => !losses.some(({ from, until }) => claimedAt > from && claimedAt <= until),
    );
    const reported = ['failed', 'timed_out', 'snoozed'];
    const more = rows.filter(
      (row) => row.runId === runId && !row.final && reported.includes(row.outcome),
    ).length;
    if (known.length > more + 1)
      found.push(`${job.id}: run ${runId} may be executed ${more + 1} times, but was ${known.length} times`);
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
