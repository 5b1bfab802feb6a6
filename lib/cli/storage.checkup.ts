import { parseDuration, type Job, type PauseScope } from '../index.js';
import type { Diagnosis, Finding } from '../typeorm/index.js';
import type { Session } from './session.js';
import type { StorageChoice } from './storage.choice.js';

/** From when on something counts as wrong, as `diagnose()` takes it. */
interface CheckupOptions {
  overdueAfter: string | undefined;
  forgottenAfter: string | undefined;
  deadLetters: number;
}

const mostTold = 10;
const mostLookedAt = 1_000;

/**
 * What there is to be found in a storage without a server, with the codes of `diagnose()`: the file was read as a whole when it was opened, or it would have been refused. Nobody else can have it open, so no
 * process works on it at present.
 */
export async function checkUp(
  choice: Pick<StorageChoice, 'shown'>,
  session: Session,
  { overdueAfter = '1m', forgottenAfter = '7d', deadLetters }: CheckupOptions,
): Promise<Diagnosis> {
  const { scheduler } = session;
  const at = await session.now();
  const overdue = new Date(at.getTime() - parseDuration(overdueAfter, 'overdueAfter'));
  const forgotten = new Date(at.getTime() - parseDuration(forgottenAfter, 'forgottenAfter'));
  const findings: Finding[] = [];
  const late = await scheduler.queryJobs({
    state: ['pending', 'scheduled'],
    nextBefore: overdue,
    orderBy: 'nextRunAt',
    limit: mostLookedAt,
  });
  if (late.items.length > 0) findings.push(noWorker(late.items));
  const orphans = await scheduler.queryJobs({ state: 'orphaned', limit: mostLookedAt });
  if (orphans.items.length > 0) findings.push(orphaned(orphans.items));
  const dead = await scheduler.discardFailed({}, { dryRun: true });
  if (dead.found >= deadLetters) findings.push(piledUp(dead.found));
  const paused = await scheduler.queryJobs({ pausedBy: 'job', limit: mostLookedAt });
  for (const job of paused.items) {
    if (job.paused !== null && job.paused.at < forgotten)
      findings.push(stale(`job "${job.id}"`, job.paused, `jobs resume ${shell(job.id)}${place(job)}`));
  }
  for (const pause of await scheduler.getPauses()) {
    const { what, flags } = scopeWords(pause.scope);
    if (pause.at < forgotten) findings.push(stale(what, pause, `pauses remove ${flags}`));
  }
  const open = await scheduler.getRuns({ state: 'open', limit: mostLookedAt });
  for (const run of open.items) {
    if (run.dueAt !== null || run.startedAt === null || run.startedAt >= forgotten) continue;
    findings.push({
      code: 'doctor.open-run',
      severity: 'warning',
      sentence: `The run ${run.id} of "${run.jobId}" has been open since ${run.startedAt.toISOString()} without a deadline: nothing ends it but a call from outside.`,
      evidence: { run: run.id, job: run.jobId, since: run.startedAt.toISOString() },
      repair: { by: 'command', text: `chronis runs fail ${run.id}` },
    });
  }
  return {
    at,
    server: choice.shown,
    schema: '',
    checked: ['file', 'work', 'orphans', 'dead letters', 'pauses', 'open runs'],
    unchecked: [],
    findings: findings.slice(0, mostLookedAt),
  };
}

function noWorker(jobs: readonly Job[]): Finding {
  const [first] = jobs as [Job];
  const oldest = first.nextRunAt!.toISOString();
  return {
    code: 'doctor.no-worker',
    severity: 'error',
    sentence: `No process works on this file, and ${jobs.length} of its jobs ${jobs.length === 1 ? 'is' : 'are'} overdue, the oldest ("${first.id}") since ${oldest}.`,
    evidence: { overdue: jobs.length, oldest, example: first.id },
    repair: { by: 'command', text: 'chronis run' },
  };
}

function orphaned(jobs: readonly Job[]): Finding {
  const shown = jobs.slice(0, mostTold);
  return {
    code: 'doctor.orphaned-jobs',
    severity: 'warning',
    sentence: `${jobs.length} jobs that code once declared are in no live code any more, and do not fire: ${shown.map(({ id }) => `"${id}"`).join(', ')}.`,
    evidence: { count: jobs.length, jobs: shown.map(({ id }) => id) },
    repair: {
      by: 'command',
      text: shown.map((job) => `chronis jobs delete ${shell(job.id)}${place(job)} --yes`).join('; '),
    },
  };
}

function piledUp(count: number): Finding {
  return {
    code: 'doctor.dead-letters',
    severity: 'warning',
    sentence: `${count} runs have given up and are kept as dead letters: each waits for somebody who retries or discards it.`,
    evidence: { count },
    repair: {
      by: 'command',
      text: 'chronis runs --failed; then chronis runs retry --all, or chronis runs discard --all, with conditions such as --handler',
    },
  };
}

function stale(
  what: string,
  { at, by, reason }: { at: Date; by: string | null; reason: string | null },
  repair: string,
): Finding {
  const since = at.toISOString();
  return {
    code: 'doctor.stale-pause',
    severity: 'warning',
    sentence: `The ${what} has been paused since ${since}${reason === null ? '' : ` (${reason})`}${by === null ? '' : ` by ${by}`}: it may have been forgotten.`,
    evidence: { what, by, reason, since },
    repair: { by: 'command', text: `chronis ${repair}` },
  };
}

function scopeWords(scope: PauseScope): { what: string; flags: string } {
  if ('all' in scope) return { what: 'whole storage', flags: '--all' };
  const [[kind, name]] = Object.entries(scope) as [[string, string]];
  return { what: `${kind} "${name}"`, flags: `--${kind} ${shell(name)}` };
}

function place({ namespace }: Pick<Job, 'namespace'>): string {
  return namespace === 'default' ? '' : ` --namespace ${shell(namespace)}`;
}

function shell(text: string): string {
  return /^[\w.:@/-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
