// Fills the tables of a database as those of a scheduler that has been at work for a month.
import pg from 'pg';
import { RollupMaker } from '../../dist/engine/rollup.maker.js';
import { dayMs, ledgerDay, startOfDay } from '../../dist/typeorm/sql/ledger.day.fragment.js';
import { tableNames } from '../../dist/typeorm/sql/table.names.js';
import { makeTemplates } from './templates.mjs';

const days = 30;
const t = tableNames('chronis', '', false);
/** Of the jobs, so many parts in a hundred. */
const shares = { recurring: 50, future: 45, kept: 4, dead: 1 };

/** Of the row `n`: eight in ten are of one namespace, the others of ten tenants. */
const namespace = `case when n % 10 < 8 then 'default' else 'tenant-' || n / 10 % 10 end`;
const handler = `case when n % 50000 = 7 then 'rare' else 'handler-' || n % 50 end`;
const queue = `case n % 5 when 0 then 'reports' else 'default' end`;
const payload = `json_build_object('order', n, 'text', repeat('x', 100))`;
const metadata = `jsonb_build_object('customer', n % 10000)`;
const fingerprint = `substr(md5((n % 40)::text), 1, 16)`;
const common = { namespace, handler, queue, payload, metadata };

/** `jobs`: half of them recur, the others are one-offs; `runs`: rows of the ledger. The statistics are made of it as workers make them. */
export async function makeRows(url, { jobs, runs }, tell) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const templates = await makeTemplates(url);
  try {
    await client.query('set synchronous_commit = off; set statement_timeout = 0');
    const rows = new Rows(client);
    const of = (kind) => Math.max(1, Math.floor((jobs * shares[kind]) / 100));
    await rows.recurring(templates.ids.recurring, of('recurring'));
    await rows.oneOffs(templates.ids, { future: of('future'), kept: of('kept'), dead: of('dead') });
    tell(`${jobs} jobs`);
    await rows.ledger(of('recurring'), runs, tell);
    await rows.beside(Math.ceil(runs / 100));
    tell('gaps, audit and logs');
    const { rollups } = templates.storage;
    const maker = new RollupMaker(rollups, { succeeded: days * dayMs, failed: days * dayMs });
    for (let made = null, last; made !== last || made === null;) {
      last = made;
      await maker.round(() => false);
      made = (await rollups.rollupState()).mark?.until ?? null;
    }
    tell('statistics');
    await client.query('vacuum analyze');
    await client.query('checkpoint');
  } finally {
    await templates.close();
    await client.end();
  }
}

class Rows {
  constructor(client) {
    this.client = client;
  }

  async recurring(template, count) {
    const { job, job_stat, cursor } = t;
    const clock = 'make_interval(hours => n % 24, mins => n / 24 % 60)';
    const trigger = `(j.trigger::jsonb || jsonb_build_object('expression', format('%s %s * * *', n / 24 % 60, n % 24)))::json`;
    await this.copy(job, `j where j.id = '${template}'`, count, {
      id: `'job-' || lpad(n::text, 8, '0')`,
      trigger,
      ...common,
    });
    const copies = `s cross join ${job} j where j.id like 'job-%' and s.job_uid = (select uid from ${job} where id = '${template}')`;
    await this.copy(job_stat, copies, null, {
      job_uid: 'j.uid',
      run_count: '30',
      last_run_at: `now() - j.uid % 86400 * interval '1 second'`,
      last_verdict: `case j.uid % 20 when 0 then 'failed' else 'succeeded' end`,
    });
    const n = `substr(j.id, 5)::int`;
    const next = `date_trunc('day', now(), 'UTC') + ${clock.replaceAll('n %', `${n} %`).replaceAll('n /', `${n} /`)}`;
    await this.copy(cursor, copies, null, {
      ...{ job_uid: 'j.uid', namespace: 'j.namespace', handler: 'j.handler', queue: 'j.queue' },
      // Nothing falls due while the bench is at work.
      next_at: `${next} + case when ${next} < now() + interval '3 hours' then interval '1 day' else interval '0' end`,
    });
  }

  async oneOffs(ids, { future, kept, dead }) {
    const of = (id) => `r where r.job_id = '${id}'`;
    const ended = `now() - n % ${days} * interval '1 day'`;
    await this.copy(t.run, of(ids.future), future, {
      job_id: `'later-' || n`,
      due_at: `now() + interval '1 day' + n * interval '1 second'`,
      ...common,
    });
    await this.copy(t.run, of(ids.kept), kept, { job_id: `'kept-' || n`, finished_at: ended, ...common });
    await this.copy(t.run, of(ids.dead), dead, {
      job_id: `'dead-' || n`,
      finished_at: ended,
      last_fingerprint: fingerprint,
      ...common,
    });
  }

  /** Each day is filled before it is attached, so that its indexes are made at once. */
  async ledger(jobs, runs, tell) {
    const [{ first }] = (
      await this.client.query(`select min(uid)::int as first from ${t.job} where id like 'job-%'`)
    ).rows;
    const today = startOfDay(Date.now());
    const perDay = Math.ceil(runs / days);
    for (let ago = days; ago >= 0; ago--) {
      const day = ledgerDay(t, today - ago * dayMs);
      const length = ago === 0 ? Date.now() - today : dayMs;
      const isNew = (await this.client.query('select to_regclass($1) is null as is', [day.table])).rows[0].is;
      if (isNew) for (const statement of day.create) await this.client.query(statement);
      await this.attempts(isNew ? day.table : t.attempt, {
        first,
        jobs,
        rows: Math.ceil((perDay * length) / dayMs),
        at: today - ago * dayMs,
        length,
      });
      if (isNew) await this.client.query(day.attach);
      if (ago % 10 === 0) tell(`the ledger but for ${ago} days`);
    }
    const ofRuns = `select r.id, null, r.namespace, r.job_id, r.handler, r.queue, r.origin, r.nominal_at, 1, 1, 'worker', r.verdict, true,
      r.finished_at - interval '1 second', r.finished_at, r.last_error, null, r.last_fingerprint from ${t.run} r where r.verdict is not null`;
    await this.client.query(`insert into ${t.attempt} (${ledgerColumns}) ${ofRuns}`);
  }

  /** In the order of time, as they are written. */
  attempts(table, { first, jobs, rows, at, length }) {
    const outcome = `case when n % 20 = 0 then 'failed' when n % 100 = 1 then 'timed_out' when n % 100 = 2 then 'cancelled' when n % 50000 = 3 then 'lost' else 'succeeded' end`;
    const finished = `to_timestamp((${at} + (n - 1) * ${length / rows}::float8) / 1000)`;
    const number = `((floor(extract(epoch from finished) * 100)::bigint - 173568960000) << 25) | (n & 33554431)`;
    return this.client.query(`insert into ${table} (${ledgerColumns})
select ${number}, j.uid, j.namespace, j.id, j.handler, j.queue, 'schedule', date_trunc('minute', finished), 1, 1, 'worker-' || n % 8, outcome, true,
  finished - n % 5000 * interval '1 millisecond', finished, case when outcome in ('failed', 'timed_out') then 'Error: the card of order ' || n || ' was declined' end,
  case when n % 3 = 0 then json_build_object('rows', n) end, case when outcome in ('failed', 'timed_out') then ${fingerprint} end
from (select n, ${outcome} as outcome, ${finished} as finished from generate_series(1::bigint, ${rows}) n) o
join ${t.job} j on j.uid = ${first} + o.n * 7919 % ${jobs} order by n`);
  }

  /** What has not run, who asked, and what runs have logged. */
  async beside(count) {
    const { gap, audit, run_log, job, attempt } = t;
    const picked = `from generate_series(1, ${count}) n join ${job} j on j.uid = (select min(uid) from ${job} where id like 'job-%') + n * 31 % (select count(*) from ${job} where id like 'job-%')`;
    const ago = `now() - n * interval '${Math.floor((days * 86_400) / count)} seconds'`;
    await this.client
      .query(`insert into ${gap} (job_uid, namespace, job_id, from_at, until_at, verdict, count, reason)
select j.uid, j.namespace, j.id, ${ago}, ${ago}, 'missed', 1, 'misfire' ${picked} order by n desc`);
    await this.client.query(`insert into ${audit} (at, action, actor, note, namespace, job_id, count)
select ${ago}, case n % 4 when 0 then 'pause' when 1 then 'resume' else 'runNow' end, 'user-' || n % 200, 'as asked', j.namespace, j.id, 1 ${picked} order by n desc`);
    await this.client
      .query(`insert into ${run_log} (run_id, fence, part, attempt, at, line_count, bytes, dropped, lines)
select run_id, fence, 1, attempt, finished_at, 1, 40, 0, '[{"at":1700000000000,"level":"log","message":"40 rows were written","fields":null,"cut":false}]'
from ${attempt} where run_id % 97 = 0 limit ${count}`);
  }

  /** Copies of rows of a table, with other values in some columns. `count`: of each; null: one. */
  async copy(table, from, count, values) {
    const { rows } = await this.client.query(
      `select quote_ident(attname) as column from pg_attribute
       where attrelid = '${table}'::regclass and attnum > 0 and not attisdropped and attidentity = '' and not (attname = 'id' and atttypid = 'bigint'::regtype)`,
    );
    const columns = rows.map(({ column }) => column);
    const [alias, ...rest] = from.split(' ');
    const numbered = count === null ? '' : `cross join generate_series(1, ${count}) n`;
    const chosen = columns.map((column) => values[column] ?? `${alias}.${column}`);
    await this.client.query(
      `insert into ${table} (${columns}) select ${chosen} from ${table} ${alias} ${numbered} ${rest.join(' ')}`,
    );
  }
}

const ledgerColumns =
  'run_id, job_uid, namespace, job_id, handler, queue, origin, nominal_at, attempt, fence, worker, outcome, final, started_at, finished_at, error, result, error_fingerprint';
