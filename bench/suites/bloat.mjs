import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { median } from '../figures.mjs';
import { makeCrons, startRate } from '../measures.mjs';

const tables = ['run', 'cursor', 'job_stat', 'attempt', 'worker'];

export const suite = {
  about:
    'Schedules of one second and batches of one-offs, one after the other, on one worker, first alone and then beside a transaction that keeps its snapshot open, so that nothing can be vacuumed; then a vacuum and a minute (quick: 15 s) without it. Sizes are of a table with its partitions, and of all its indexes. The look at the head of the queue, which each claim begins with, is timed 20 times. No warm-up.',
  mode: 'crons',
  rounds: 3,
  quickRounds: 1,
  onlyOurs: true,
  settings: ({ quick }) => [
    quick
      ? { name: '200 schedules, batches of 2000', schedules: 200, batch: 2_000, seconds: 60, calmSeconds: 15 }
      : { name: '1000 schedules, batches of 5000', schedules: 1_000, batch: 5_000, seconds: 300, calmSeconds: 60 },
  ],

  async run(run, { schedules, batch, seconds, calmSeconds }) {
    const worker = await run.start('worker');
    await makeCrons(run, [worker], schedules, 'second');
    await worker.call('work');
    const busy = (forSeconds) => drains(run, worker, batch, forSeconds);
    const alone = await busy(seconds / 4);
    const before = await measured(run);
    const snapshot = new pg.Client({ connectionString: run.url });
    await snapshot.connect();
    await snapshot.query('begin isolation level repeatable read');
    await snapshot.query('select count(*) from chronis.job');
    const held = await busy(seconds);
    const during = await measured(run);
    await snapshot.query('rollback');
    await snapshot.end();
    await run.sql('vacuum');
    const released = await busy(calmSeconds);
    const after = await measured(run);
    const line = (measure, value, unit, better = null) => ({ measure, value, unit, better });
    return [
      line('drain before', alone, 'jobs/s'),
      line('drain, last fifth with the snapshot', held, 'jobs/s'),
      line('drain after', released, 'jobs/s'),
      ...Object.keys(before).flatMap((measure) => [
        line(`${measure}: before`, before[measure].value, before[measure].unit),
        line(`${measure}: with the snapshot`, during[measure].value, before[measure].unit),
        line(`${measure}: after`, after[measure].value, before[measure].unit),
      ]),
    ];
  },
};

/** Batch after batch; the rate of the last fifth of the time, or of the last batch. */
async function drains(run, worker, batch, seconds) {
  const begun = performance.now();
  const rates = [];
  while (performance.now() - begun < seconds * 1_000) {
    await worker.call('take');
    const at = performance.now();
    await run.client.call('fill', batch);
    await startRate(run, batch, [worker]);
    const late = performance.now() - begun > seconds * 800;
    rates.push({ late, rate: (batch * 1_000) / (performance.now() - at) });
    await delay(500);
  }
  const late = rates.filter((each) => each.late);
  return median((late.length > 0 ? late : rates.slice(-1)).map(({ rate }) => rate));
}

/** Sizes in MiB, and the time of a claim in ms. */
async function measured(run) {
  const found = {};
  for (const table of tables) {
    const [{ heap, indexes }] = await run.sql(
      `select sum(pg_table_size(c.oid))::float8 as heap, sum(pg_indexes_size(c.oid))::float8 as indexes
       from pg_class c where c.relnamespace = 'chronis'::regnamespace and c.relkind = 'r'
         and (c.relname = '${table}' or c.relname like '${table}@_2%' escape '@')`,
    );
    found[`table ${table}`] = { value: heap / 2 ** 20, unit: 'MiB' };
    found[`indexes of ${table}`] = { value: indexes / 2 ** 20, unit: 'MiB' };
  }
  const times = [];
  // As claims do it, whatever the statistics say at the moment.
  const client = new pg.Client({
    connectionString: run.url,
    options: '-c enable_seqscan=off -c enable_bitmapscan=off',
  });
  await client.connect();
  for (let count = 0; count < 20; count++) times.push(await probe(client));
  await client.end();
  found['look at the head of the queue'] = { value: median(times), unit: 'ms' };
  return found;
}

/** What each claim does first: the earliest run of a queue and priority that is due. */
async function probe(client) {
  const {
    rows: [row],
  } = await client.query(
    `explain (analyze, format json)
     select r.ctid from chronis.run r
     where r.queue = 'default' and greatest(r.priority - r.lifted, 0) = 5 and r.due_at is not null and r.parked_by is null
       and r.worker is null and r.due_at <= now()
     order by r.due_at limit 10`,
  );
  return row['QUERY PLAN'][0]['Execution Time'];
}
