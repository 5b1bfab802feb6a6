import type { Evidence, FaultNote } from '../evidence.js';
import { boundMs } from './progress.rules.js';
import { instant, type Rule } from './rule.js';
import { covered, outages, overlaps, standstills, type Window } from './windows.js';

/** Jobs of every second whose instants overlap. */
const steady = ['plain-quick', 'unique-quick', 'plain-cron'];
/** From the first look at the clock to the first turn that a worker notes. */
const bootMs = 5_000;

/** However far the clock of the server leaps, and back: what is due every second goes on as after any other outage. */
const silence: Rule = {
  name: 'silent after a leap of the clock',
  find(evidence) {
    const leaps = evidence.faults.filter(({ kind }) => kind === 'clock');
    if (leaps.length === 0) return [];
    const others = evidence.faults.filter(({ kind }) => kind !== 'clock');
    const excuses = [...standstills(evidence), ...outages({ ...evidence, faults: others })];
    return steady.flatMap((jobId) =>
      pausesOf(evidence, jobId, believedUntil(evidence, leaps)).flatMap((pause) => {
        const ms = pause.until - pause.from;
        const limit = evidence.leaseMs + boundMs + evidence.slackMs + covered(pause, excuses);
        const leap = leaps.findLast(({ at }) => at < pause.until);
        return ms > limit && leap !== undefined
          ? [
              `${jobId} from ${instant(pause.from)} on: ${ms} ms, the clock having leapt at ${instant(leap.at)}`,
            ]
          : [];
      }),
    );
  },
};

/** The times between one of its instants that began and the next, up to the end of the period. */
function pausesOf({ executions, period }: Evidence, jobId: string, until: number): Window[] {
  const begins = new Map<number, number>();
  for (const { jobId: id, nominalAt, beganAt } of executions)
    if (id === jobId && nominalAt <= period.endAt && !begins.has(nominalAt)) begins.set(nominalAt, beganAt);
  const times = [...begins.values()].filter((at) => at > period.startAt && at < until);
  return [period.startAt, ...times].map((from, index) => ({ from, until: times[index] ?? until }));
}

/** What a worker sees of a clock when it starts is what it believes, so that a job may wait for a time that is far ahead. */
function believedUntil({ loops, period }: Evidence, leaps: readonly FaultNote[]): number {
  const misled = loops
    .map(({ from }) => ({ from: from - bootMs, until: from }))
    .filter((start) => leaps.some(({ at, until }) => overlaps({ from: at, until }, start)));
  return Math.min(period.endAt, ...misled.map(({ from }) => from));
}

export const clockRules: readonly Rule[] = [silence];
