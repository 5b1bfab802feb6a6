import { compileTrigger } from '../../../lib/triggers/compiled.trigger.js';
import { barrier } from './barrier.rule.js';
import { edgeMs, reigns } from './reigns.js';
import { grouped, instant, type Rule } from './rule.js';

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

export const changeRules: readonly Rule[] = [noneIsForgotten, barrier];
