import type { TableNames } from './table.names.js';

/** Everything but what the migrations wrote. */
export function emptyTablesSql(t: TableNames): string {
  const emptied = [
    ...[
      t.job,
      t.cursor,
      t.run,
      t.run_signal,
      t.run_step,
      t.run_wait,
      t.definition,
      t.binary,
      t.flow,
      t.flow_step,
      t.flow_edge,
      t.job_stat,
      t.attempt,
      t.gap,
      t.stat_minute,
      t.stat_hour,
      t.stat_day,
      t.pause,
      t.pause_end,
      t.audit,
      t.run_log,
      t.run_progress,
      t.overdue,
      t.bulk_action,
      t.worker,
      t.release,
      t.lock,
    ],
    `${t.meta} where key in ('zone_data', 'record_as_of', 'statistics')`,
  ];
  const steps = emptied.map((table, nth) => `emptied_${nth} as (delete from ${table})`);
  return `with ${steps.join(', ')} select`;
}
