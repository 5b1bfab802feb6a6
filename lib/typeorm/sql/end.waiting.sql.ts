import { cancelledColumn } from './cancelled.fragment.js';
import { endings } from './endings.fragment.js';
import { flowEndColumn } from './flow.end.fragment.js';
import { isOpen } from './open.fragment.js';
import { runAttempt } from './run.view.fragment.js';
import type { TableNames } from './table.names.js';
import { now } from './time.fragment.js';
import { toldColumn } from './wake.fragment.js';

// $1 time · $2 runs that no worker has and that are locked · `reasoned`: $3 why. They end as cancelled, never begun, but for those that are open.
export function endWaitingSql(t: TableNames, reasons?: 'reasoned'): string {
  const error = reasons ? '($3::text[])[array_position($2::bigint[], id)]' : 'null::text';
  return `
with ending as (
  select id, keyed, job_uid, namespace, job_id, handler, queue, origin, retry_of, nominal_at, policies, flow_step, flow, blocks,
    ${runAttempt} as attempt, fence, null::text as worker, null::timestamptz as started_at, ${now} as finished_at,
    'cancelled' as outcome, true as ends, ${error} as error, null::text as fingerprint, null::text as result, true as records,
    ${runAttempt} as next_attempt, fence as next_fence, lost_count as next_lost, null::timestamptz as retry_at,
    case when ${isOpen('r')} then opened_at end as open_since
  from ${t.run} r where id = any ($2::bigint[])
),
${endings(t)}
select id::text, job_uid::text, final, ${flowEndColumn('judged')}, ${cancelledColumn('judged', 'judged.open_since')}, ${toldColumn} from judged`;
}
