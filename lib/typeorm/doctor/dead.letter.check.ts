import type { TableNames } from '../sql/table.names.js';
import { byCommand, counted, type Check, type Ground } from './check.js';
import type { Finding } from './diagnosis.js';

/** Whether runs that gave up pile up, and nobody looks at them. */
export const deadLetterCheck: Check = {
  name: 'dead letters',
  look: async ({ session, t, limits }: Ground) => {
    const [found] = await session.rows<DeadLetters>(deadLettersSql(t), [limits.deadLetters]);
    return found === undefined ? [] : [deadLetterFinding(found)];
  },
};

export interface DeadLetters {
  count: number;
  /** Of which there are most. */
  handler: string;
  ofHandler: number;
  /** ISO text. */
  oldest: string;
  newest: string;
}

/** $1 from how many on. No row: there are fewer. */
function deadLettersSql(t: TableNames): string {
  const iso = (instant: string): string =>
    `to_char(${instant} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
  return `
select sum(count)::int as count, (array_agg(handler order by count desc, handler))[1] as handler, max(count)::int as "ofHandler",
  ${iso('min(oldest)')} as oldest, ${iso('max(newest)')} as newest
from (
  select handler, count(*) as count, min(finished_at) as oldest, max(finished_at) as newest
  from ${t.run} where verdict is not null and verdict in ('failed', 'timed_out', 'lost') group by handler
) dead having sum(count) >= $1::float8`;
}

export function deadLetterFinding({ count, handler, ofHandler, oldest, newest }: DeadLetters): Finding {
  return {
    code: 'doctor.dead-letters',
    severity: 'warning',
    sentence: `${counted(count, 'run')} have given up and are kept as dead letters, most of them of the handler "${handler}" (${ofHandler}), the oldest since ${oldest}, the newest since ${newest}: each waits for somebody who retries or discards it.`,
    evidence: { count, handler, ofHandler, oldest, newest },
    repair: byCommand(
      'chronis runs --failed; then chronis runs retry --all, or chronis runs discard --all, with conditions such as --handler',
    ),
  };
}
