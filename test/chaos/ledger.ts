import { jobs, notes } from './chaos.options.js';
import type { Query } from './chaos.checker.js';
import type { Evidence, FaultNote, GapRow, LedgerRow } from './evidence.js';
import type { OneOff } from './one.offs.js';

const ms = (column: string): string => `(extract(epoch from ${column}) * 1000)::float8`;

/** What the product has on record. */
export async function readLedger(query: Query): Promise<Pick<Evidence, 'attempts' | 'gaps'>> {
  const attempts = await query<LedgerRow>(`
    select a.run_id::text as "runId", a.job_id as "jobId", ${ms('a.nominal_at')} as "nominalAt", a.attempt, a.fence, a.outcome, a.final, a.worker, w.pid,
      ${ms('a.started_at')} as "startedAt", ${ms('a.finished_at')} as "finishedAt"
    from ${jobs}.attempt a left join ${jobs}.worker w on w.id = a.worker`);
  const gaps = await query<GapRow>(
    `select job_id as "jobId", ${ms('from_at')} as "from", ${ms('until_at')} as "until" from ${jobs}.gap`,
  );
  return { attempts, gaps };
}

/** The checks in SQL read there what was done. */
export async function writeNotes(
  query: Query,
  faults: readonly FaultNote[],
  oneOffs: readonly OneOff[],
): Promise<void> {
  const now = Date.now();
  const rows = faults.map(({ kind, pid, at, until, outage = false, lostFrom = null }, id) => ({
    id,
    kind,
    pid,
    at,
    until: Math.min(until, now),
    outage,
    lost_from: lostFrom,
  }));
  await query(
    `insert into ${notes}.fault (id, kind, pid, at, until, outage, lost_from)
     select id, kind, pid, to_timestamp(at / 1000), to_timestamp(until / 1000), outage, to_timestamp(lost_from / 1000)
     from json_to_recordset($1::json) as f (id int, kind text, pid int, at float8, until float8, outage boolean, lost_from float8)`,
    [JSON.stringify(rows)],
  );
  await query(`insert into ${notes}.one_off select unnest($1::text[])`, [oneOffs.map(({ id }) => id)]);
}
