import type { TableNames } from './table.names.js';
import { quickMs } from './time.fragment.js';

/** A durable step `s` as it is handed out. */
export const runStepColumns = `
  s.name, s.kind, s.position, s.attempt, ${quickMs('s.started_at')} as started_ms, ${quickMs('s.finished_at')} as finished_ms, s.ended, s.result,
  ${quickMs('s.wait_until')} as until_ms, s.signal, s.timed_out, s.failures, s.error`;

/**
 * A CTE `mine` with the run, if it is in these hands: $2 run · $3 fence · $4 worker. The lock waits for whoever takes the run from its worker, and keeps others from it until the step is there:
 * an update that has not come to its end is read again after it.
 */
export function heldRun(t: TableNames): string {
  return `
mine as materialized (
  select r.id, r.flow_step from ${t.run} r where r.id = $2::bigint and r.fence = $3::int and r.worker = $4::text and r.verdict is null for share
)`;
}
