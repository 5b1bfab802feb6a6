import { isOpen } from './open.fragment.js';
import { ms } from './time.fragment.js';

/** The state of a run `r` in a word. */
export const runState = `case
    when r.verdict is not null then r.verdict
    when ${isOpen('r')} then 'open'
    when r.worker is not null then 'running'
    when r.held then 'paused'
    when r.blocked then 'blocked'
    else 'waiting'
  end`;

/** When a run `r` may be claimed, or its deadline. */
export const runDueAt = `case when ${isOpen('r')} then coalesce(r.due_at, r.held_due_at) when r.worker is null and r.verdict is null then r.due_at end`;

export const runStartedAt = `case when ${isOpen('r')} then r.opened_at else r.started_at end`;

/** Attempts of a run `r` that have begun. The one that has opened it is not counted twice, once more at the deadline. */
export const runAttempt = `r.attempt + coalesce((${isOpen('r')} and r.worker is null)::int, 0)`;

/** A run `r` as users see it. */
export const runColumns = `
  r.id::text, r.job_id, r.namespace, r.handler, r.queue, r.priority, r.origin, ${ms('r.nominal_at')} as nominal_at,
  ${ms(`(${runDueAt})`)} as due_at,
  ${runState} as state,
  ${runAttempt} as attempt, r.fence, r.lost_count, r.worker, ${ms(`(${runStartedAt})`)} as started_at, r.last_error, r.last_fingerprint,
  case when r.verdict is not null then ${ms('r.finished_at')} end as finished_at, r.retry_of::text`;
