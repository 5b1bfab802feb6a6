import type { TableNames } from './table.names.js';
import { ms } from './time.fragment.js';

/** What follows on the flow of a step: its name, and which item of a map it is. */
export const nameWithin = (step: string): string =>
  `'/' || ${step}.name || case when ${step}.nth >= 0 then '.' || ${step}.nth else '' end`;

/** Where a flow is, whatever run it has, see `ClaimedStep.place`. Those that a release before schema version 6 has opened are known by their first run. */
export const flowPlace = (flow: string): string =>
  `coalesce(${flow}.place, coalesce(${flow}.first_run, ${flow}.run_id)::text)`;

/** `ClaimedStep.place` */
export const stepPlace = (step: string, flow: string): string => `${flowPlace(flow)} || ${nameWithin(step)}`;

/**
 * The place of a flow that opens and is no step of another: that of the run which is repeated by hand. The job of a one-off begins anew at another time, a schedule has one run for each instant, and by hand there may be several within
 * one. A run that repeats one which was no flow has no steps before it.
 */
export const rootPlace = (t: TableNames, run: string): string => `case
    when ${run}.job_uid is null then json_build_array(${run}.namespace, ${run}.job_id)::text
    when ${run}.origin not in ('manual', 'retry') then ${run}.job_uid || '@' || ${ms(`${run}.nominal_at`)}
    else coalesce((select ${flowPlace('f')} from ${t.flow} f where f.run_id = ${run}.retry_of), ${run}.job_uid || '#' || ${run}.id)
  end`;
