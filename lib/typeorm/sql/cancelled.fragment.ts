import { ms } from './time.fragment.js';

/** A column of the rows of `judged`: the run as a CancelledRun, where it has ended as that; else null. `since`: see there, an instant of the row · `unbegunFence`: the highest fence of a run that cannot have begun. */
export const cancelledColumn = (
  run: string,
  since: string,
  unbegunFence = 0,
): string => `case when ${run}.final and ${run}.outcome = 'cancelled' then json_build_object(
    'id', ${run}.id::text, 'jobId', ${run}.job_id, 'namespace', ${run}.namespace, 'handler', ${run}.handler, 'queue', ${run}.queue,
    'origin', ${run}.origin, 'attempt', ${run}.attempt, 'nominalAt', ${ms(`${run}.nominal_at`)}, 'hasBegun', ${run}.fence > ${unbegunFence},
    'since', ${ms(since)}, 'finishedAt', ${ms(`${run}.finished_at`)}
  ) end as cancelled`;
