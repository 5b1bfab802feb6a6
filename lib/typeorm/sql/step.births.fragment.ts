import { runIdFrom } from './run.id.fragment.js';
import { nameWithin } from './step.place.fragment.js';
import type { TableNames } from './table.names.js';
import { after, moment } from './time.fragment.js';

/** The id of a run that a step is about to get: it is written into the step and into the run by one statement. */
export function newRunId(t: TableNames): string {
  return runIdFrom(t.qualified('run_number'));
}

/** The id of the job of a step's run. */
export const jobIdOf = (step: string, flow: string): string => `${flow}.run_id || ${nameWithin(step)}`;

/** The fence of a run that its first attempt has left open. */
export const leftOpen = 2;

/** The fence of a run that goes on with the durable steps of another, so that its first attempt knows that it has to read them. */
export const goesOn = 1;

/**
 * A CTE `born`: gives birth to runs of steps. `from`: rows `s` of released steps (`id, run_id, name, nth, kind, handler, queue, priority, policies, delay_ms, deadline_ms`) beside their flows `f`.
 *
 * It carries no payload: that is the step's, or the params of the flow, and read when it is claimed. `worker`: SQL, in whose hands those are born that are `s.handed`; null: none are. `fence`: SQL, of those that are in nobody's. `blocks` keeps the quick statements of settlements from it. A manual one is born as its first attempt would have left it open.
 */
export function births(t: TableNames, from: string, worker: string | null = null, fence = '0'): string {
  const ofWorker = worker === null ? { columns: '', values: '' } : handedOver(worker);
  const begin = after(moment, 's.delay_ms');
  const due = `case when s.kind <> 'manual' then ${begin} when s.deadline_ms is not null then ${after(begin, 's.deadline_ms')} end`;
  return `
born as (
  insert into ${t.run} (id, namespace, job_id, keyed, blocks, origin, handler, queue, priority, nominal_at, due_at, held, held_due_at,
    fence, opened_fence, opened_at, source, app, time_zone, metadata, policies, flow_step${ofWorker.columns})
  select s.run_id, f.namespace, ${jobIdOf('s', 'f')}, false, true, 'workflow',
    s.handler, s.queue, s.priority, ${begin}, case when f.paused_at is null then ${due} end, f.paused_at is not null, case when f.paused_at is not null then ${due} end,
    case when s.kind = 'manual' then ${leftOpen} else ${worker === null ? fence : `case when s.handed then 1 else ${fence} end`} end, case when s.kind = 'manual' then ${leftOpen} end, case when s.kind = 'manual' then ${moment} end, 'api', f.app, f.time_zone, '{}', s.policies, s.id${ofWorker.values}
  from ${from}
  returning due_at, worker
)`;
}

function handedOver(worker: string): { columns: string; values: string } {
  const mine = `case when s.handed then ${worker} end`;
  return {
    columns: ', attempt, worker, parked_by, started_at',
    values: `, s.handed::int, ${mine}, ${mine}, case when s.handed then ${moment} end`,
  };
}
