import type { Job } from '../model/job.js';
import { isOnce } from '../model/trigger.js';
import { withPastAnchor } from '../triggers/anchor.js';
import { compileTrigger, type CompiledTrigger } from '../triggers/compiled.trigger.js';
import { firstLeftOut } from '../triggers/stands.ahead.js';
import type { Circumstances } from './explaining.circumstances.js';
import { explainHeld, explainUnserved, waitingForJobs } from './explaining.hindrances.js';
import { exactTimeIn, jobWords, pauseOf, timeIn } from './explaining.words.js';
import { verdict, type DecidingRow, type Verdict } from './explanation.js';
import { refKey } from './job.identity.js';

/** What the job says of an instant of which nothing is on record. */
export function explainBySchedule(all: Circumstances): Verdict {
  const { job, ref, at, timeZone, recorded } = all;
  const name = jobWords(ref);
  if (job === null) {
    return recorded.isWhole
      ? verdict(
          'did-not-run',
          'deleted',
          `${name} is no job any more: it was deleted, or has ended, and nothing is on record of ${timeIn(timeZone, at)}.`,
        )
      : unknown(all);
  }
  const row = { kind: 'job', job } as const;
  const ahead = explainAhead(all);
  if (ahead !== null) return ahead;
  if (at < job.createdAt.getTime() && !isOnce(job.trigger)) {
    return verdict(
      'did-not-run',
      'created-later',
      `${name} did not run: it was created later, at ${timeIn(timeZone, job.createdAt)}.`,
      row,
    );
  }
  const compiled = compileTrigger(job.trigger, refKey(ref), all.calendars);
  return (
    notInSchedule(job, compiled, all, row) ??
    (at > all.now ? explainFuture(all, job, row) : explainPast(all, job, row))
  );
}

/** It has fired by a clock that was ahead; null: it has not, or this is none of the instants that it leaves out by that. */
export function explainAhead({ job, ref, at, now, timeZone, calendars }: Circumstances): Verdict | null {
  if (job === null) return null;
  const { nextRunAt, trigger } = job;
  if (nextRunAt === null || at >= nextRunAt.getTime() || job.pausedBy === 'job') return null;
  const born = job.createdAt.getTime();
  const first = firstLeftOut(trigger, refKey(ref), nextRunAt.getTime(), now, born, calendars);
  const was = Math.max(born, job.lastRunAt?.getTime() ?? 0);
  if (first === null || (at <= now && was <= now)) return null;
  const compiled = compileTrigger(withPastAnchor(trigger, born, now) ?? trigger, refKey(ref), calendars);
  if (compiled.fixedDelayMs === null && compiled.next(at - 1) !== at) return null;
  const [answer, words] =
    at > now ? (['will-not-run', 'will not run'] as const) : (['did-not-run', 'did not run'] as const);
  return verdict(
    answer,
    'clock-was-ahead',
    `${jobWords(ref)} ${words}: it has fired by a clock that was ahead, and stands still until ${timeIn(timeZone, nextRunAt)}. Paused, and resumed from now on (fromNow), it goes on at once.`,
    { kind: 'job', job },
  );
}

/** Why the schedule has no such instant; null: it has. */
function notInSchedule(
  job: Job,
  compiled: CompiledTrigger,
  { ref, at, now, timeZone }: Circumstances,
  row: DecidingRow,
): Verdict | null {
  const { trigger } = job;
  const answer = at > now ? 'will-not-run' : 'did-not-run';
  const name = `${jobWords(ref)} ${at > now ? 'will not run' : 'did not run'}`;
  switch (trigger.type) {
    case 'manual':
      return verdict(answer, 'not-in-schedule', `${name}: it has no schedule, and runs by hand only.`, row);
    case 'after':
      return null;
    case 'at':
      if (Date.parse(trigger.at) === at) return null;
      return verdict(
        answer,
        'not-in-schedule',
        `${name}: its only time is ${timeIn(timeZone, Date.parse(trigger.at))}.`,
        row,
      );
    default:
  }
  const { startAt, endAt } = trigger;
  if (startAt !== undefined && at < Date.parse(startAt)) {
    return verdict(
      answer,
      'before-start',
      `${name}: its schedule begins at ${timeIn(timeZone, Date.parse(startAt))}.`,
      row,
    );
  }
  if (endAt !== undefined && at > Date.parse(endAt)) {
    return verdict(
      answer,
      'after-end',
      `${name}: its schedule ends at ${timeIn(timeZone, Date.parse(endAt))}.`,
      row,
    );
  }
  if (compiled.fixedDelayMs !== null) {
    if (job.nextRunAt?.getTime() === at) return null;
    return verdict(
      answer,
      'not-in-schedule',
      `${name}: its times depend on when its runs end; the next one is ${job.nextRunAt === null ? 'open' : timeIn(timeZone, job.nextRunAt)}.`,
      row,
    );
  }
  if (compiled.next(at - 1) === at) return null;
  if (compiled.excludedBetween(at - 1, at + 1) !== null) {
    return verdict(answer, 'excluded', `${name}: ${timeIn(timeZone, at)} is excluded by its schedule.`, row);
  }
  const [before, after] = [compiled.previous(at), compiled.next(at)];
  const near = [before, after].filter((found) => found !== null).map((found) => exactTimeIn(timeZone, found));
  return verdict(
    answer,
    'not-in-schedule',
    `${name}: ${exactTimeIn(timeZone, at)} is none of its times${near.length > 0 ? `; near it are ${near.join(' and ')}` : ''}.`,
    row,
  );
}

function explainFuture(all: Circumstances, job: Job, row: DecidingRow): Verdict {
  const { ref, at, timeZone } = all;
  const held = holding(all, job, row);
  if (held !== null) return { ...held, answer: 'will-not-run' };
  const waits = waitingForJobs(all, job, row);
  if (waits !== null) return waits;
  if (job.nextRunAt === null) return ended(all, job, row);
  const unserved = explainUnserved(job, all, row);
  const but = unserved === null ? '' : `, if somebody can: ${unserved.sentence.replace(/^.*? waits: /, '')}`;
  const sentence = `${jobWords(ref)} will run at ${timeIn(timeZone, at)}${but === '' ? '.' : but}`;
  return verdict('will-run', unserved?.cause ?? 'not-yet-due', sentence, row);
}

function explainPast(all: Circumstances, job: Job, row: DecidingRow): Verdict {
  const { ref, at, timeZone, recorded } = all;
  const name = jobWords(ref);
  const held = holding(all, job, row);
  const isToCome = job.nextRunAt !== null && job.nextRunAt.getTime() <= at;
  if (held !== null && (isToCome || job.nextRunAt === null)) return held;
  const waits = waitingForJobs(all, job, row);
  if (waits !== null) return waits;
  if (isToCome) {
    return (
      explainUnserved(job, all, row) ??
      verdict(
        'waits',
        'about-to-fire',
        `${name} is due and about to be fired; it stands at ${timeIn(timeZone, job.nextRunAt!)}.`,
        row,
      )
    );
  }
  if (!recorded.isWhole) return unknown(all);
  if (job.updatedAt.getTime() > at) {
    return verdict(
      'unknown',
      'schedule-changed',
      `Nothing is on record of ${timeIn(timeZone, at)}: ${name} was changed later, at ${timeIn(timeZone, job.updatedAt)}, and may have had another schedule then.`,
      row,
    );
  }
  const isOver = ['completed', 'failed', 'cancelled'].includes(job.state);
  return job.nextRunAt === null && isOver ? ended(all, job, row) : unknown(all);
}

/** What stops the job at present, if it stood at the instant; null: nothing does. */
function holding(all: Circumstances, job: Job, row: DecidingRow): Verdict | null {
  const { ref, timeZone, at } = all;
  if (job.orphanedAt !== null && job.orphanedAt.getTime() <= at) {
    return verdict(
      'did-not-run',
      'orphaned',
      `${jobWords(ref)} does not fire: no live code has declared it since ${timeIn(timeZone, job.orphanedAt)}.`,
      row,
    );
  }
  if (job.pausedBy === null) return null;
  const pause = job.pausedBy === 'job' ? job.paused : pauseOf(job.pausedBy, job, all.pauses);
  return pause !== null && pause.at.getTime() <= at ? explainHeld(job.pausedBy, all, row) : null;
}

function ended({ ref, timeZone }: Circumstances, job: Job, row: DecidingRow): Verdict {
  const last = job.lastRunAt === null ? '' : `; it ran last at ${timeIn(timeZone, job.lastRunAt)}`;
  return verdict(
    'did-not-run',
    'ended',
    `${jobWords(ref)} does not fire any more: its schedule has come to its end${last}.`,
    row,
  );
}

function unknown({ ref, at, timeZone, recorded }: Circumstances): Verdict {
  const why = recorded.isWhole
    ? 'the record is kept for a time only (keepLedger), and not at all for jobs that say so'
    : 'the newest 10,000 rows of the record do not reach back to it';
  return verdict(
    'unknown',
    'no-record',
    `Nothing is on record of ${jobWords(ref)} at ${timeIn(timeZone, at)}: ${why}.`,
  );
}
