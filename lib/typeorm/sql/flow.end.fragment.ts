import { ms } from './time.fragment.js';

/** Whether a run of `judged` is over that other one-offs may wait for. */
const awaited = (run: string): string =>
  `(${run}.blocks and ${run}.final and ${run}.job_uid is null and ${run}.flow_step is null)`;

/**
 * A column of the rows of `judged`: what flows, and jobs that wait for it, have to know of the end of a run, as an object of the type FlowEnd; null: nothing. `step`: the step that it has decided · `flow`: the flow that it is, which ends so, or is tried again at `retryAt`, once none of its steps is in the hands of a worker.
 */
export const flowEndColumn = (
  run: string,
): string => `case when ${run}.flow_step is not null and ${run}.final or ${run}.leaves or ${awaited(run)} then json_build_object(
    'step', case when ${run}.final then ${run}.flow_step::text end, 'flow', case when ${run}.leaves then ${run}.flow::text end,
    'verdict', ${run}.outcome, 'reason', ${run}.error, 'fingerprint', ${run}.fingerprint, 'retryAt', case when not ${run}.ends then ${ms(`${run}.retry_at`)} end, 'runId', ${run}.id::text, 'awaited', ${awaited(run)}, 'at', ${ms(`${run}.finished_at`)}
  ) end as flow_end`;
