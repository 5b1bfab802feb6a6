import type { TableNames } from './table.names.js';

/**
 * Whether a durable step `s` is a wait for a signal whose time is over by `moment`, and that nothing has come after, neither in the order of the steps nor in time: a retry waits anew, as this would fail it for ever. Where
 * the handler has gone on without the signal, it has to do so again.
 */
export function isLapsed(t: TableNames, moment: string): string {
  return `(s.kind = 'signal' and (s.timed_out or s.finished_at is null and s.wait_until <= ${moment})
    and not exists (select from ${t.run_step} o where o.run_id = s.run_id and (o.position > s.position or o.started_at >= s.wait_until)))`;
}

/** Two CTEs, `name` and `lapsed`, that give the durable steps of runs to those that take their place, but for such waits. `set`, `from` and `where`: of the update of `s`. */
export function carriedSteps(
  t: TableNames,
  { name, set, from, where }: { name: string; set: string; from: string; where: string },
  moment: string,
): string {
  return `
lapsed as (
  delete from ${t.run_step} s using ${from} where ${where} and ${isLapsed(t, moment)}
),
${name} as (
  update ${t.run_step} s set ${set} from ${from} where ${where} and not ${isLapsed(t, moment)}
)`;
}
