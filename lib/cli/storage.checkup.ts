import {
  nextOccurrences,
  parseDuration,
  type Job,
  type JobQuery,
  type Page,
  type PauseScope,
  type Run,
} from '../index.js';
import type { Diagnosis, Finding } from '../typeorm/index.js';
import { shellWord } from './cli.words.js';
import { jobFileFindings } from './job.files.checkup.js';
import { liveWorkers } from './live.workers.js';
import type { Session } from './session.js';
import { given } from './shared.options.js';
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
 * What there is to be found in a storage without a server, with the codes of `diagnose()`: the file was read as a whole when it was opened, or it would have been refused. Only one
 * process can have it open: this one, which works on nothing, or the service that is asked.
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
  const isLate: JobQuery = { state: ['pending', 'scheduled'], nextBefore: overdue };
  const [first] = (await scheduler.queryJobs({ ...isLate, orderBy: 'nextRunAt', limit: 1 })).items;
  if (first !== undefined) {
    const isWorkedOn = (await liveWorkers(session)).length > 0;
    findings.push(late(first, await scheduler.countJobs(isLate), isWorkedOn));
  }
  const orphans = await scheduler.queryJobs({ state: 'orphaned', limit: mostTold });
  if (orphans.items.length > 0)
    findings.push(orphaned(orphans.items, await scheduler.countJobs({ state: 'orphaned' })));
  const recurring = await all((cursor) =>
    scheduler.queryJobs({ triggerType: ['cron', 'interval'], limit: mostLookedAt, ...given({ cursor }) }),
  );
  findings.push(...standingStill(recurring, at));
  const dead = await scheduler.discardFailed({}, { dryRun: true });
  if (dead.found >= deadLetters) findings.push(piledUp(dead.found));
  const pausedJobs = await all((cursor) =>
    scheduler.queryJobs({ pausedBy: 'job', limit: mostLookedAt, ...given({ cursor }) }),
  );
  const stalePauses = pausedJobs.flatMap(({ paused, ...job }) =>
    paused === null || paused.until !== null || paused.at >= forgotten
      ? []
      : stale(`job "${job.id}"`, paused, `jobs resume ${shellWord(job.id)}${place(job)}`),
  );
  findings.push(...firstOf(stalePauses, 'jobs have been paused', 'chronis jobs --state paused'));
  for (const pause of await scheduler.getPauses()) {
    const { what, flags } = scopeWords(pause.scope);
    if (pause.at < forgotten && pause.until === null)
      findings.push(stale(what, pause, `pauses remove ${flags}`));
  }
  const openRuns = await all((cursor) =>
    scheduler.getRuns({ state: 'open', limit: mostLookedAt, ...given({ cursor }) }),
  );
  const forgottenRuns = openRuns.flatMap((run) =>
    run.dueAt !== null || run.startedAt === null || run.startedAt >= forgotten
      ? []
      : openRun(run, run.startedAt),
  );
  findings.push(...firstOf(forgottenRuns, 'runs have been open', 'chronis runs --state open'));
  const checked = ['file', 'work', 'schedules ahead', 'orphans', 'dead letters', 'pauses', 'open runs'];
  const jobFiles = await session.jobFiles();
  if (jobFiles !== null) {
    checked.push('job files');
    findings.push(...jobFileFindings(jobFiles));
  }
  return {
    at,
    server: choice.shown,
    schema: '',
    checked,
    unchecked: [],
    findings,
  };
}

/** All that there are, a page at a time. */
async function all<T>(page: (cursor?: string) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const next: Page<T> = await page(cursor ?? undefined);
    items.push(...next.items);
    ({ cursor } = next);
  } while (cursor !== null);
  return items;
}

/** Of very many some, and how many are left. */
function firstOf(findings: readonly Finding[], what: string, command: string): Finding[] {
  const count = findings.length - mostLookedAt;
  if (count <= 0) return [...findings];
  const { code, severity } = findings[0]!;
  const rest: Finding = {
    code,
    severity,
    sentence: `${count} more ${what} for as long.`,
    evidence: { count },
    repair: { by: 'command', text: command },
  };
  return [...findings.slice(0, mostLookedAt), rest];
}

function late(first: Job, count: number, isWorkedOn: boolean): Finding {
  const oldest = first.nextRunAt!.toISOString();
  const evidence = { overdue: count, oldest, example: first.id };
  const are = count === 1 ? 'is' : 'are';
  if (!isWorkedOn) {
    return {
      code: 'doctor.no-worker',
      severity: 'error',
      sentence: `No process works on this file, and ${count} of its jobs ${are} overdue, the oldest ("${first.id}") since ${oldest}.`,
      evidence,
      repair: { by: 'command', text: 'chronis run' },
    };
  }
  return {
    code: 'doctor.overdue-jobs',
    severity: 'warning',
    sentence: `${count} of the jobs of this file ${are} overdue, the oldest ("${first.id}") since ${oldest}, although a process works on this file.`,
    evidence,
    repair: {
      by: 'hand',
      text: 'Where all slots are taken, raise the concurrency of that process. Else look whether it has the handler and takes the queue: chronis workers.',
    },
  };
}

function orphaned(shown: readonly Job[], count: number): Finding {
  return {
    code: 'doctor.orphaned-jobs',
    severity: 'warning',
    sentence: `${count === 1 ? '1 job that code once declared is' : `${count} jobs that code once declared are`} in no live code any more, and ${count === 1 ? 'does' : 'do'} not fire: ${shown.map(({ id }) => `"${id}"`).join(', ')}${count > shown.length ? ' and others' : ''}.`,
    evidence: { count, jobs: shown.map(({ id }) => id) },
    repair: {
      by: 'command',
      text: shown.map((job) => `chronis jobs delete ${shellWord(job.id)}${place(job)} --yes`).join('; '),
    },
  };
}

/** They have fired by a clock that was ahead, so that their schedules leave out what is due before. */
function standingStill(jobs: readonly Job[], at: Date): Finding[] {
  const found = jobs.filter((job) => job.pausedBy !== 'job' && leavesOut(job, at));
  const [first] = found;
  if (first === undefined) return [];
  const until = first.nextRunAt!.toISOString();
  const shown = found.slice(0, mostTold);
  return [
    {
      code: 'doctor.schedules-ahead',
      severity: 'warning',
      sentence: `${found.length} of the jobs of this file ${found.length === 1 ? 'has' : 'have'} fired by a clock that was ahead, and ${found.length === 1 ? 'stands' : 'stand'} still until the time that it had: ${shown.map(({ id }) => `"${id}"`).join(', ')}${found.length > shown.length ? ' and others' : ''}, the first one until ${until}.`,
      evidence: { count: found.length, until, jobs: shown.map(({ id }) => id) },
      repair: {
        by: 'command',
        text: shown
          .map((job) => {
            const of = `${shellWord(job.id)}${place(job)}`;
            return `chronis jobs pause ${of}; chronis jobs resume ${of} --from-now`;
          })
          .join('; '),
      },
    },
  ];
}

/** What fires ahead stands further on by less than a minute. */
function leavesOut({ trigger, nextRunAt, createdAt, namespace, id }: Job, at: Date): boolean {
  const jobKey = `${namespace}/${id}`;
  const from = at.getTime() + 60_000;
  if (nextRunAt === null || nextRunAt.getTime() <= from) return false;
  // Its grid begins there, as it was born there.
  if (
    trigger.type === 'interval' &&
    !trigger.calendar &&
    trigger.startAt === undefined &&
    createdAt.getTime() > from
  )
    return true;
  if (trigger.type === 'interval' && trigger.mode === 'fixed-delay')
    return nextRunAt.getTime() > from + parseDuration(trigger.every, 'every');
  try {
    const [first] = nextOccurrences(trigger, { from: new Date(from), jobKey });
    return first !== undefined && first < nextRunAt;
  } catch {
    // Of calendars that only the application has nothing can be told.
    return false;
  }
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

function openRun({ id, jobId }: Run, startedAt: Date): Finding {
  const since = startedAt.toISOString();
  return {
    code: 'doctor.open-run',
    severity: 'warning',
    sentence: `The run ${id} of "${jobId}" has been open since ${since} without a deadline: nothing ends it but a call from outside.`,
    evidence: { run: id, job: jobId, since },
    repair: { by: 'command', text: `chronis runs fail ${id}` },
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
  return { what: `${kind} "${name}"`, flags: `--${kind} ${shellWord(name)}` };
}

function place({ namespace }: Pick<Job, 'namespace'>): string {
  return namespace === 'default' ? '' : ` --namespace ${shellWord(namespace)}`;
}
