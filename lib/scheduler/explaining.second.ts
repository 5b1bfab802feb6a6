import type { Job, JobRef } from '../model/job.js';
import type { Calendars, InstantInput } from '../model/trigger.js';
import { compileTrigger } from '../triggers/compiled.trigger.js';
import type { Recorded } from './explaining.circumstances.js';
import { refKey } from './job.identity.js';

const lastOfSecond = 999;
const fraction = /\d[.,]\d/;

/** Until when an instant goes that was given as text to the second, as tables show it; else it is itself. */
export function endOfAsked(instant: InstantInput, asked: number): number {
  const isOfSecond = typeof instant === 'string' && asked % 1_000 === 0 && !fraction.test(instant);
  return isOfSecond ? asked + lastOfSecond : asked;
}

/** The only instant of the job within what was asked for; where there are several, or none, the first moment of that. */
export function onlyInstant(
  { ref, job, calendars }: { ref: JobRef; job: Job | null; calendars: Calendars },
  recorded: Recorded,
  asked: number,
  end: number,
): number {
  const found = new Set<number>();
  const add = (at: number | null | undefined): void => {
    if (at !== null && at !== undefined && asked <= at && at <= end) found.add(at);
  };
  for (const { nominalAt } of [...recorded.attempts, ...recorded.runs]) add(nominalAt.getTime());
  for (const { from, until } of recorded.gaps) if (from.getTime() === until?.getTime()) add(from.getTime());
  add(job?.nextRunAt?.getTime());
  if (job !== null) {
    const compiled = compileTrigger(job.trigger, refKey(ref), calendars);
    if (compiled.fixedDelayMs === null) {
      add(compiled.next(asked - 1));
      add(compiled.previous(end + 1));
    }
  }
  const [only, ...others] = found;
  return only !== undefined && others.length === 0 ? only : asked;
}

/** What of the record is of this instant. */
export function recordOf({ attempts, runs, gaps, ...rest }: Recorded, at: number): Recorded {
  const isIt = ({ nominalAt }: { nominalAt: Date }): boolean => nominalAt.getTime() === at;
  return {
    ...rest,
    attempts: attempts.filter(isIt),
    runs: runs.filter(isIt),
    gaps: gaps.filter(({ from, until }) => from.getTime() <= at && (until === null || at <= until.getTime())),
  };
}
