import { compileTrigger } from '../../../lib/triggers/compiled.trigger.js';
import type { Change, Evidence } from '../evidence.js';
import { grouped, instant, type Rule } from './rule.js';
import { covered, harmTo, losses, overlaps, stalls, type Window } from './windows.js';

/** Between the commit of a change and its answer, and between an instant and the reading of a clock. */
const edgeMs = 50;

interface Reign extends Window {
  change: Change;
}

/** When each change was in force for certain. */
function reigns(evidence: Evidence): Reign[] {
  const all: Reign[] = [];
  for (const changes of grouped(evidence.changes, ({ jobId }) => jobId).values()) {
    for (const [index, change] of changes.entries()) {
      const until = changes[index + 1]?.askedAt ?? Infinity;
      all.push({ change, from: change.confirmedAt, until });
    }
  }
  return all.filter((reign) => !losses(evidence).some((loss) => overlaps(loss, reign)));
}

const noneIsForgotten: Rule = {
  name: 'instants without a verdict over changes',
  find(evidence) {
    if (!evidence.sameClock) return [];
    const verdicts = new Set(
      evidence.attempts.filter(({ final }) => final).map(({ jobId, nominalAt }) => `${jobId} ${nominalAt}`),
    );
    const gaps = grouped(evidence.gaps, ({ jobId }) => jobId);
    return reigns(evidence).flatMap(({ change: { jobId, trigger }, from, until }) => {
      // Without an end it is looked at up to its next change.
      if (trigger === null || (until === Infinity && !('endAt' in trigger))) return [];
      const schedule = compileTrigger(trigger, `default/${jobId}`);
      const missing: string[] = [];
      for (
        let at = schedule.next(from + edgeMs);
        at !== null && at < until - edgeMs;
        at = schedule.next(at)
      ) {
        const here = at;
        const isGap = gaps.get(jobId)?.some((gap) => gap.from <= here && here <= (gap.until ?? Infinity));
        if (!isGap && !verdicts.has(`${jobId} ${here}`)) missing.push(`${jobId} ${instant(here)}`);
      }
      return missing;
    });
  },
};

const barrier: Rule = {
  name: 'begun after a confirmed pause or delete',
  find: (evidence) =>
    reigns(evidence)
      .filter(({ change }) => change.paused || change.trigger === null)
      .flatMap(({ change, from, until }) =>
        evidence.executions
          .filter(
            ({ jobId, beganAt }) => jobId === change.jobId && beganAt > from + edgeMs && beganAt < until,
          )
          // So long after it of what its process could have noticed.
          .filter(
            ({ pid, beganAt }) =>
              beganAt - from - covered({ from, until: beganAt }, stalls(evidence, pid)) > edgeMs,
          )
          // Whoever is frozen or cut off in the middle of beginning learns of nothing.
          .filter(
            ({ pid }) =>
              !harmTo(evidence, pid).some((harm) =>
                overlaps(harm, { from: from - 1_000, until: from + 1_000 }),
              ),
          )
          .map(({ runId, beganAt }) => `${change.jobId} run ${runId}, ${beganAt - from} ms after`),
      ),
};

export const changeRules: readonly Rule[] = [noneIsForgotten, barrier];
