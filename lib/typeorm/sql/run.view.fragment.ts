import { ms } from './time.fragment.js';

/** The state of a run `r` in a word. */
export const runState = `case
    when r.verdict is not null then r.verdict
    when r.worker is not null then 'running'
    when r.held then 'paused'
    when r.blocked then 'blocked'
    else 'waiting'
  end`;

/** A run `r` as users see it. */
export const runColumns = `
  r.id::text, r.job_id, r.namespace, r.handler, r.queue, r.priority, r.origin, ${ms('r.nominal_at')} as nominal_at,
  case when r.worker is null then ${ms('r.due_at')} end as due_at,
  ${runState} as state,
  r.attempt, r.fence, r.lost_count, r.worker, ${ms('r.started_at')} as started_at, r.last_error,
  case when r.verdict is not null then ${ms('r.finished_at')} end as finished_at, r.retry_of::text`;
