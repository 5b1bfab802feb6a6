import { at, ms, now } from '../sql/time.fragment.js';
import type { TableNames } from '../sql/table.names.js';
import { byCommand, counted, some, type Check, type Ground } from './check.js';
import type { Finding } from './diagnosis.js';

const mostTold = 10;
/** What fires ahead stands further on by less. */
const graceMs = 60_000;

interface Ahead {
  id: string;
  until: string;
  count: number;
}

/** $1 time · $2 how many · $3 what has fired beyond this time, in ms */
function aheadSql(t: TableNames): string {
  return `
select j.namespace || '/' || j.id as id, to_char(s.until at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as until, (count(*) over ())::int as count, ${ms(now)} as now
from ${t.cursor} c join ${t.job} j on j.uid = c.job_uid cross join lateral (select ${beyond(at('$3::float8'))}) as s (until) where s.until > ${at('$3::float8')} order by s.until desc limit $2`;
}

/** Up to when it stands still: it has fired as far, or is an interval whose grid begins there, as it was born there. */
function beyond(limit: string): string {
  return `greatest(c.fired_until, case when j.created_at > ${limit} and j.trigger_type = 'interval' and j.trigger ->> 'startAt' is null then c.next_at end)`;
}

/** Whether schedules have fired beyond the time that it is, and so stand still. */
export function aheadCheck(timeOf: (ground: Ground) => Promise<{ time: unknown; now: number }>): Check {
  return {
    name: 'schedules ahead',
    look: async (ground) => {
      const { time, now: storageNow } = await timeOf(ground);
      const values = [time, mostTold, storageNow + graceMs];
      return aheadFindings(await ground.session.rows<Ahead>(aheadSql(ground.t), values));
    },
  };
}

function aheadFindings(rows: readonly Ahead[]): Finding[] {
  const [first] = rows;
  if (first === undefined) return [];
  const { count, until } = first;
  return [
    {
      code: 'doctor.schedules-ahead',
      severity: 'warning',
      sentence: `${counted(count, 'job')} ${count === 1 ? 'has' : 'have'} fired, or ${count === 1 ? 'was' : 'were'} created, by a clock that was ahead, as far as ${until}, and ${count === 1 ? 'stands' : 'stand'} still until then: ${some(rows.map(({ id }) => id))}.`,
      evidence: { count, until, jobs: rows.map(({ id }) => id) },
      repair: byCommand(
        'See first that the clock of the server is right now. Then chronis jobs pause ID; chronis jobs resume ID --from-now',
      ),
    },
  ];
}
