import type { TableNames } from './table.names.js';

/**
 * SQL: an attempt may come that needs what this row keeps (`run_id, flow_step`), as its run has no verdict or may be retried. The run of a step of a workflow is gone when it has ended; a retry of the workflow goes on with what it
 * has left, unless the step has ended well: that begins anew. Nothing is retried of a workflow that is not on record any more. Counted, so that each is a look at one row by its key.
 */
export function mayBeNeeded(t: TableNames, row: string): string {
  return `(
      (select count(*) from ${t.run} r where r.id = ${row}.run_id and (r.verdict is null or r.verdict in ('failed', 'timed_out', 'lost'))) > 0
      or (select count(*) from ${t.flow_step} f where f.id = ${row}.flow_step and f.run_id = ${row}.run_id and (f.verdict is null or f.verdict not in ('succeeded', 'skipped'))) > 0
    )`;
}
