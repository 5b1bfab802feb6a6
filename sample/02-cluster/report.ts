import pg from 'pg';

interface Row {
  job: string;
  due: number;
  runs: number;
  duplicates: number;
  gaps: number;
}

/** Reads the record: how often each job was due, ran, ran twice, did not run. */
export async function readRecord(url: string, schema: string): Promise<Row[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const { rows } = await client.query<Row>(`
      with verdicts as (
        select job_id, nominal_at, count(*)::int as runs
        from ${schema}.attempt where final group by job_id, run_id, nominal_at
      ), instants as (
        select job_id, nominal_at, sum(runs)::int as runs from verdicts group by 1, 2
      ), gaps as (
        select j.id as job_id, sum(g.count)::int as gaps
        from ${schema}.gap g join ${schema}.job j on j.uid = g.job_uid group by 1
      ), kinds as (
        select case when j.id is null then 'one-off orders' else i.job_id end as job,
               case when j.id is null then i.job_id || i.nominal_at else i.nominal_at::text end as instant,
               i.runs, coalesce(g.gaps, 0) as gaps
        from instants i left join ${schema}.job j on j.id = i.job_id left join gaps g on g.job_id = i.job_id
      )
      select job, (count(*) + max(gaps))::int as due, sum(runs)::int as runs,
             sum(runs - 1)::int as duplicates, max(gaps)::int as gaps
      from kinds group by job order by job`);
    return rows;
  } finally {
    await client.end();
  }
}

/** A share of the values is at most this: 0.5 for the median. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? 0;
}
