import type { TableNames } from './table.names.js';

/** Whether a run is never handed to a second worker, by these policies (null: by none). */
export function isAtMostOnce(policies: string): string {
  return `${policies} ->> 'recovery' is not distinct from 'abandon'`;
}

/** The same by the run's own policies, or those of its recurring job. */
export function mustNotRunTwice(t: TableNames, run: string): string {
  return isAtMostOnce(
    `coalesce(${run}.policies, (select j.policies from ${t.job} j where j.uid = ${run}.job_uid))`,
  );
}
