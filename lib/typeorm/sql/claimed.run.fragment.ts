import { quickMs } from './time.fragment.js';

/** What a worker needs of a run `r`, whose job `j` is there for recurring ones only; types that JSON and rows carry alike. */
export const claimedColumns = `
  r.id::text, r.fence, r.attempt, r.lost_count, r.missed, r.origin,
  r.job_uid::text, r.job_id, r.namespace, r.handler, r.queue, r.priority,
  ${quickMs('r.nominal_at')} as nominal_at, ${quickMs('r.due_at')} as due_at,
  coalesce(r.name, j.name) as name, coalesce(r.time_zone, j.time_zone) as time_zone,
  coalesce(r.payload, j.payload) as payload, coalesce(r.metadata, j.metadata) as metadata,
  coalesce(r.policies, j.policies) as policies`;

/** What of a run `r` these are made of. */
export const takenColumns = `
  r.id, r.fence, r.attempt, r.lost_count, r.missed, r.origin, r.job_uid, r.job_id, r.namespace, r.handler, r.queue, r.priority, r.lifted,
  r.nominal_at, r.due_at, r.name, r.time_zone, r.payload, r.metadata, r.policies`;
