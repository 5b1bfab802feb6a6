import type { TableNames } from './table.names.js';

/**
 * Of each of these jobs the first backfilled run of those that run one after the other, with `and`: by its index, as there may be thousands behind it. `jobs`: a table of `job_uid`s. Yields `id,
 * job_uid`.
 */
export function firstBackfilled(t: TableNames, jobs: string, and = ''): string {
  return `
  select head.* from ${jobs} j cross join lateral (
    select r.id, r.job_uid from ${t.run} r
    where r.job_uid = j.job_uid and r.origin = 'backfill' and r.blocks and r.verdict is null ${and} order by r.id limit 1
  ) head`;
}
