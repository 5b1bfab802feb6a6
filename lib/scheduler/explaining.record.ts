import { errorParts } from '../model/error.text.js';
import type { Job } from '../model/job.js';
import type { Attempt, Gap, Run } from '../model/run.js';
import { resolvePolicies } from '../model/policies.js';
import type { Circumstances } from './explaining.circumstances.js';
import { explainHeld, explainIsolated, explainUnserved, waitingForJobs } from './explaining.hindrances.js';
import { explainAhead } from './explaining.schedule.js';
import { jobWords, timeIn } from './explaining.words.js';
import { verdict, type ExplainedCause, type Verdict } from './explanation.js';

/** What rows say of the instant; null: none says anything. A run that is under way knows more than what has ended before it; a verdict more than a range in which the instant is. */
export function explainByRecord(all: Circumstances): Verdict | null {
  const { recorded } = all;
  const run = recorded.runs.find(({ finishedAt }) => finishedAt === null);
  if (run !== undefined) return explainRun(run, all);
  const final = recorded.attempts.find(({ final: isFinal }) => isFinal) ?? recorded.attempts[0];
  if (final !== undefined) return explainAttempt(final, all);
  const dead = recorded.runs[0];
  if (dead !== undefined) return explainDead(dead, all);
  // The narrowest range: what was found of the instant alone says more than what was found of a month.
  const [gap] = recorded.gaps.toSorted((a, b) => widthOf(a) - widthOf(b));
  if (gap === undefined) return null;
  // What a clock that was ahead has leapt over may be still to come.
  return (all.at > all.now ? explainAhead(all) : null) ?? explainGap(gap, all);
}

function widthOf({ from, until }: Gap): number {
  return until === null ? Infinity : until.getTime() - from.getTime();
}

function explainAttempt(attempt: Attempt, { ref, timeZone }: Circumstances): Verdict {
  const { outcome, startedAt, finishedAt, error, origin, runId } = attempt;
  const row = { kind: 'attempt', attempt } as const;
  const name = `${jobWords(ref)} `;
  const which = `run ${runId}${origin === 'schedule' || origin === 'at' ? '' : `, origin ${origin}`}, attempt ${attempt.attempt}`;
  const why = error === null ? '' : `: ${errorParts(error).message}`;
  const ended = timeIn(timeZone, finishedAt);
  if (outcome === 'cancelled' && startedAt === null) {
    return verdict(
      'did-not-run',
      'cancelled',
      `${name}was cancelled at ${ended} before it had begun (${which}).`,
      row,
    );
  }
  const began = startedAt === null ? '' : ` at ${timeIn(timeZone, startedAt)}`;
  switch (outcome) {
    case 'succeeded':
      return verdict('ran', 'succeeded', `${name}began${began} and succeeded at ${ended} (${which}).`, row);
    case 'failed':
      return verdict('ran', 'failed', `${name}began${began} and failed at ${ended} (${which})${why}.`, row);
    case 'timed_out':
      return verdict(
        'ran',
        'timed_out',
        `${name}began${began} and was timed out at ${ended} (${which}).`,
        row,
      );
    case 'lost':
      return verdict('ran', 'lost', `${name}was lost with its worker at ${ended} (${which}).`, row);
    case 'cancelled':
      return verdict(
        'ran',
        'cancelled',
        `${name}began${began} and was cancelled at ${ended} (${which}).`,
        row,
      );
    default:
      return verdict(
        'unknown',
        'no-record',
        `${name}began${began}, and the record does not say how it ended (${which}).`,
        row,
      );
  }
}

function explainRun(run: Run, all: Circumstances): Verdict {
  const { ref, job, timeZone, now } = all;
  const name = `${jobWords(ref)} `;
  const row = { kind: 'run', run } as const;
  const others = job === null ? null : waitingForJobs(all, job, row);
  if (others !== null) return others;
  const since = run.startedAt === null ? '' : ` since ${timeIn(timeZone, run.startedAt)}`;
  switch (run.state) {
    case 'running':
      return verdict(
        'runs',
        'running',
        `${name}has been running${since} (run ${run.id}, attempt ${run.attempt}, worker ${run.worker}).`,
        row,
      );
    case 'open': {
      const until =
        run.dueAt === null ? 'without a deadline' : `until ${timeIn(timeZone, run.dueAt)} at most`;
      return verdict(
        'runs',
        'open',
        all.ending === null
          ? `${name}has been open${since}, ${until}: its verdict comes from outside (run ${run.id}).`
          : `${name}has been open${since}, and is ${all.ending} once what still runs of it has ended (run ${run.id}).`,
        row,
      );
    }
    case 'blocked':
      return verdict(
        'waits',
        'overlap-queue',
        `${name}waits for the end of an earlier run, as overlap is 'queue' (run ${run.id}).`,
        row,
      );
    case 'paused':
      return (
        explainHeld('job', all) ??
        verdict('waits', 'paused-job', `${name}waits: its job is paused (run ${run.id}).`, row)
      );
    default:
      return explainWaiting(run, row, all, name, now);
  }
}

function explainWaiting(
  run: Run,
  row: { kind: 'run'; run: Run },
  all: Circumstances,
  name: string,
  now: number,
): Verdict {
  const { job, timeZone } = all;
  const due = run.dueAt?.getTime() ?? now;
  const held = job === null || job.pausedBy === null ? null : explainHeld(job.pausedBy, all);
  if (held !== null) return { ...held, answer: 'waits' };
  const unserved = explainUnserved(run, all, row);
  if (unserved !== null && (due <= now || run.nominalAt.getTime() <= now)) return unserved;
  if (due > now) {
    const at = timeIn(timeZone, due);
    if (run.attempt > 0 && run.lastError !== null) {
      return verdict(
        'waits',
        'retry',
        `${name}has failed and is tried again at ${at} (run ${run.id}, attempt ${run.attempt}): ${errorParts(run.lastError).message}.`,
        row,
      );
    }
    return verdict('will-run', 'not-yet-due', `${name}will run at ${at} (run ${run.id}).`, row);
  }
  const isolated = explainIsolated(run, all, row);
  if (isolated !== null) return isolated;
  return verdict(
    'waits',
    'no-free-slot',
    `${name}has been due since ${timeIn(timeZone, due)} and waits for a free slot of a worker (run ${run.id}).`,
    row,
  );
}

function explainDead(run: Run, { ref, timeZone }: Circumstances): Verdict {
  const cause = run.state as ExplainedCause;
  const why = run.lastError === null ? '' : `: ${errorParts(run.lastError).message}`;
  const ended = run.finishedAt === null ? '' : ` at ${timeIn(timeZone, run.finishedAt)}`;
  return verdict('ran', cause, `${jobWords(ref)} has ended as ${run.state}${ended} (run ${run.id})${why}.`, {
    kind: 'run',
    run,
  });
}

function explainGap(gap: Gap, all: Circumstances): Verdict {
  const { ref, job, at, timeZone } = all;
  const row = { kind: 'gap', gap } as const;
  const name = jobWords(ref);
  const didNot = (cause: ExplainedCause, why: string): Verdict =>
    verdict('did-not-run', cause, `${name} did not run: ${why}`, row);
  const range = rangeOf(gap, timeZone);
  switch (gap.verdict) {
    case 'skipped':
      return didNot(
        'overlap-skip',
        `an earlier run had not ended, and overlap is '${job === null ? 'skip' : resolvePolicies(job.policies).overlap}'.`,
      );
    case 'excluded':
      return didNot('excluded', `${timeIn(timeZone, at)} is excluded by its schedule${range}.`);
    case 'paused':
      return gap.until === null && job?.paused
        ? (explainHeld('job', all, row) ?? didNot('paused', 'it was paused.'))
        : didNot('paused', `it was paused${range}.`);
    default:
      return explainMissed(gap, job, didNot, range);
  }
}

function explainMissed(
  { reason }: Gap,
  job: Job | null,
  didNot: (cause: ExplainedCause, why: string) => Verdict,
  range: string,
): Verdict {
  switch (reason) {
    case 'misfire': {
      const isOnce = job === null || resolvePolicies(job.policies).misfire === 'once';
      return didNot(
        'misfire',
        `nobody could fire it in time${range}, and ${isOnce ? "misfire is 'once': the latest instant ran for all of them" : "misfire is 'skip'"}.`,
      );
    }
    case 'misfire limit':
      return didNot(
        'misfire-limit',
        `nobody could fire it in time${range}, and misfireLimit leaves out that many or that old instants.`,
      );
    case 'orphaned':
      return didNot('orphaned', `no live code declared the job then${range}.`);
    case 'withdrawn':
      return didNot('withdrawn', `the processes had withdrawn its handler${range}.`);
    case 'job deleted':
      return didNot('deleted', 'the job was deleted before it could be fired.');
    default:
      return didNot('missed', `${reason}${range}.`);
  }
}

function rangeOf({ from, until, count }: Gap, timeZone: string): string {
  if (until === null) return `, from ${timeIn(timeZone, from)} on`;
  if (count === 1) return '';
  return `, with ${count} instants from ${timeIn(timeZone, from)} to ${timeIn(timeZone, until)}`;
}
