import type { Comments } from './comments.sql.js';
import type { TableName } from './table.names.js';

/** The columns of a table that a view shows as they are. */
function same({ columns }: Comments, ...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, columns[name]!]));
}

/** For people who look at the views: what each is for, and each of its columns. */
export function viewComments(tables: Record<TableName, Comments>): Record<string, Comments> {
  const { job, run, job_stat: stat, run_step: step } = tables;
  const { flow_history: flow, flow_step_history: flowStep } = tables;
  return {
    jobs_view: {
      about: 'All jobs as SchedulerService shows them, recurring ones and one-offs',
      columns: {
        ...same(job, 'namespace', 'id', 'name', 'handler', 'queue', 'priority', 'app', 'source'),
        ...same(job, 'trigger_type', 'trigger', 'time_zone', 'payload', 'metadata', 'policies'),
        ...same(job, 'paused_at', 'paused_reason', 'orphaned_at', 'changed', 'created_at', 'updated_at'),
        ...same(stat, 'run_count', 'error_count', 'consecutive_failures', 'last_run_at', 'last_verdict'),
        ...same(stat, 'last_error'),
        state: 'pending, scheduled, running, paused, failed, waiting, completed, cancelled or orphaned',
        paused_by: 'what has paused it: job (a pause of its own), handler, queue, namespace or all',
        paused_who: 'who has paused it, by a pause of its own',
        next_run_at: 'the next nominal time, or that of the next retry of a one-off; null: none',
        waits_for:
          'the jobs that it waits for and that have not succeeded, by their ids; null: it waits for none',
      },
    },
    run_steps_view: {
      about: 'Durable steps of runs, as SchedulerService shows them, and what they wait for',
      columns: {
        ...same(step, 'run_id', 'name', 'kind', 'position', 'attempt', 'started_at', 'finished_at'),
        ...same(step, 'failures', 'error', 'result'),
        namespace: 'that of the run; null: the run is gone',
        job_id: 'the id of the job; null: the run is gone',
        state: 'ended, timed_out, sleeping, waiting (for a signal), retrying or failed',
        waits_until: 'until when it waits now; null: for ever, or for nothing',
        waits_for: 'the signal that it waits for now; null: none',
      },
    },
    flows_history_view: {
      about: 'Workflows that were pruned, one row each',
      columns: {
        ...same(flow, 'run_id', 'namespace', 'workflow', 'version', 'app', 'opened_at', 'ended_at'),
        ...same(flow, 'archived_at', 'retry_of', 'params'),
        verdict: 'succeeded, failed or cancelled',
        counts: 'how many of its steps have ended how, instances of maps included; blocked: never began',
      },
    },
    flow_steps_history_view: {
      about: 'Steps of workflows that were pruned, one row each',
      columns: {
        ...same(flow, 'namespace', 'workflow', 'version', 'archived_at'),
        ...same(flowStep, 'name', 'kind', 'handler', 'run_id', 'released_at', 'ended_at', 'reason', 'result'),
        flow_run_id: 'the run that the workflow was',
        nth: 'which item of a map, from 0; null: it is no instance',
        state: 'succeeded, skipped, failed, timed_out, lost, cancelled, or blocked: it never began',
        after: 'the steps that came before it, by name',
      },
    },
    runs_view: {
      about: 'Runs that wait, go on or have been kept, as SchedulerService shows them',
      columns: {
        ...same(run, 'id', 'namespace', 'job_id', 'nominal_at', 'finished_at', 'worker'),
        ...same(run, 'attempt', 'lost_count', 'last_error', 'handler', 'queue', 'priority', 'app'),
        ...same(run, 'origin', 'missed', 'retry_of', 'flow_step', 'flow'),
        state:
          'waiting, blocked, running, open, paused, or the verdict: succeeded, failed, timed_out, lost, cancelled',
        paused_by:
          'what keeps it from beginning: a pause of its job, its handler, queue, namespace or of all',
        started_at: 'when the present attempt began; of an open run the one that has opened it',
        due_at:
          'when it may begin, or the deadline of an open run; null: it has begun, has ended, or waits for something else',
        late_by: 'how long it has been due and nobody has begun it',
      },
    },
  };
}
