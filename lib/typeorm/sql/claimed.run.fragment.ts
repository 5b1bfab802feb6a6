import { rankOf } from './rank.fragment.js';
import type { TableNames } from './table.names.js';
import { quickMs } from './time.fragment.js';

/** What a worker needs of a run `r`, whose job `j` is there for recurring ones only; types that JSON and rows carry alike. */
export const claimedColumns = `
  r.id::text, r.fence, r.attempt, r.lost_count, r.missed, r.origin,
  r.job_uid::text, r.job_id, r.namespace, r.app, r.handler, r.queue, r.priority,
  ${quickMs('r.nominal_at')} as nominal_at, ${quickMs('r.due_at')} as due_at,
  coalesce(r.name, j.name) as name, coalesce(r.time_zone, j.time_zone) as time_zone,
  coalesce(r.payload, j.payload) as payload, coalesce(r.metadata, j.metadata) as metadata,
  coalesce(r.policies, j.policies) as policies`;

/** `fence`, `attempt`, `lost_count` and `missed` of most claimed runs. One that is open has another fence, and `opened_at` beside them. */
export const usualCounts = [1, 1, 0, 0] as const;

/** What most claimed runs have. It comes out as null, which costs the server and the process less than a value does. */
export const usual = {
  origin: 'at',
  namespace: 'default',
  queue: 'default',
  priority: 5,
  time_zone: 'UTC',
} as const;

/**
 * What a worker needs of a run `r` that it has just taken: null stands for what is `usual`, in `counts` for `usualCounts`, in `rank` for the priority, in `nominal_at` for `due_at`, in `no_app` for the worker's own app. `of_job`: what a
 * recurring one has in place of its own; the job is only looked up for these. Of a step of a workflow it has that one: a column of its own would be one more for every other run. What carries traces has these there, with all that in `of`. The rows come as arrays, so the order is that of `TakenRow`.
 */
export function takenColumns(t: TableNames): string {
  const unusual = Object.entries(usual).map(([column, value]) => {
    const text = typeof value === 'string' ? `'${value}'` : String(value);
    return `nullif(r.${column}, ${text}) as ${column}`;
  });
  const ofJob = ['name', 'time_zone', 'payload', 'metadata', 'policies'].map(
    (column) => `'${column}', coalesce(r.${column}, j.${column})`,
  );
  const counts = ['r.fence', 'r.attempt', 'r.lost_count', 'r.missed'];
  const areUnusual = counts.map((count, nth) => `${count} <> ${usualCounts[nth]}`).join(' or ');
  const ofWhat = `case when r.job_uid is not null
    then (select json_build_object(${ofJob.join(', ')}) from ${t.job} j where j.uid = r.job_uid)
    when r.flow_step is not null then json_build_object('flow_step', r.flow_step::text)
  end`;
  return `
  r.id, ${unusual.join(', ')}, case when ${areUnusual} then json_build_array(${counts.join(', ')}, case when r.opened_fence = r.fence - 1 then ${quickMs('r.opened_at')} end) end as counts, nullif(${rankOf('r')}, r.priority) as rank, r.job_uid, r.job_id, r.handler,
  ${quickMs('r.due_at')} as due_at, case when r.nominal_at <> r.due_at then ${quickMs('r.nominal_at')} end as nominal_at,
  nullif(r.app is null, false) as no_app, r.name, r.payload, r.metadata, r.policies,
  case when r.trace_parent is null and r.last_trace is null then ${ofWhat}
    else json_build_object('trace', json_build_array(r.trace_parent, r.last_trace), 'of', ${ofWhat}) end as of_job`;
}
