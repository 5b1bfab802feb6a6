import type { TableNames } from './table.names.js';

/** Whether a run, once handed to a worker, is never handed to another: by its own policies, or those of its recurring job. */
export function mustNotRunTwice(t: TableNames, run: string): string {
  return `coalesce(${run}.policies, (select j.policies from ${t.job} j where j.uid = ${run}.job_uid)) ->> 'recovery' is not distinct from 'abandon'`;
}
