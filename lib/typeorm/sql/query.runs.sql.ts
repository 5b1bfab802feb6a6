import { runRequests } from '../../model/audit.js';
import { runColumns } from './run.view.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

const actions = runRequests.map((action) => `'${action}'`).join(', ');

/** $1 time · $2 limit · the rest as `where` says. Newest first: ids only grow. Who has asked, and how far each is, is looked up for the runs of the page alone, by the indexes of these. */
export function queryRunsSql(t: TableNames, where: string): string {
  return `
select p.*, a.actor as requested_by, a.action as requested_action, a.note,
  g.fraction::numeric as fraction, g.details, g.attempt as told_by, ${ms('g.at')} as told_at
from (select v.*, ${ms(now)} as now
from (select ${runColumns}, r.id as number, r.job_uid, r.keyed, r.verdict,
    r.finished_at as ended_at from ${t.run} r where r.origin <> 'reserved') v
where ${where} order by v.number desc limit $2::bigint) p
left join lateral (select actor, action, note from ${t.audit}
  where run_id = p.number and action in (${actions}) order by at desc, id desc limit 1) a on true
left join lateral (select * from ${t.run_progress} where run_id = p.number limit 1) g on true
order by p.number desc`;
}
