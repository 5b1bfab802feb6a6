// npm run bench:size: what runs cost in the tables, in WAL and in transactions; figures for docs/guides/sizing.md.
import { setTimeout as delay } from 'node:timers/promises';
import { describeMachine, provideServer, query } from './environment.mjs';
import { open } from './systems/chronis.mjs';

const runs = Number(process.env.RUNS ?? 100_000);
const schedules = 10_000;
const seconds = 20;

const machine = describeMachine();
console.log(`${machine.cores} × ${machine.cpu}, ${machine.memoryGiB} GiB · Node ${process.versions.node} · ${new Date().toISOString().slice(0, 10)}`);
const server = await provideServer(process.env.DATABASE_URL ?? null);
const database = `size_${process.pid}`;
await query(server.url, `create database ${database}`);
const url = Object.assign(new URL(server.url), { pathname: `/${database}` }).href;
let ran = 0;

try {
  await oneOffs();
  await recurring();
} finally {
  await query(server.url, `drop database if exists ${database} with (force)`);
  await server.stop();
}

async function oneOffs() {
  const client = await open({ url, mode: 'throughput' });
  const created = await costs(async () => {
    for (let i = 0; i < runs; i += 1_000) await client.create(Array.from({ length: Math.min(1_000, runs - i) }, () => ({})));
  });
  await query(url, 'vacuum analyze');
  await query(url, 'checkpoint');
  tell('a one-off that waits', { ...(await sizeOf('run', runs)), ...perRun(created, runs) });
  const drained = await costs(async () => {
    await client.work(() => (ran += 1));
    while ((await client.remaining()) > 0) await delay(200);
  });
  await client.close();
  await query(url, 'vacuum analyze');
  tell('a run of the ledger', { ...(await sizeOf('attempt', runs)), ...perRun(drained, runs) });
  tell('what the emptied table keeps', await sizeOf('run', 1));
}

async function recurring() {
  const client = await open({ url, mode: 'latency' });
  await client.crons(schedules, 'year');
  await query(url, 'vacuum analyze');
  for (const table of ['job', 'cursor', 'job_stat']) tell(`a schedule in ${table}`, await sizeOf(table, schedules));
  await client.work(() => (ran += 1));
  const [{ connections }] = await query(server.url, `select count(*)::int as connections from pg_stat_activity where datname = '${database}'`);
  tell('a worker', { connections });
  tell('an idle worker', perSecond(await costs(() => delay(seconds * 1_000))));
  await client.crons(10, 'second');
  await delay(2_000);
  const paced = await costs(() => delay(seconds * 1_000));
  tell(`10 schedules of one second, ${paced.ran} runs`, perRun(paced, paced.ran));
  await client.close();
}

/** Transactions (a statement alone is one), WAL, executed runs and seconds while `work` runs. */
async function costs(work) {
  const before = await counters();
  await work();
  const after = await counters();
  return Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - before[name]]));
}

/** Asked in another database, so as not to count ourselves. */
async function counters() {
  await delay(1_500); // Backends report what they did within a second.
  const [row] = await query(
    server.url,
    `select (select xact_commit + xact_rollback from pg_stat_database where datname = '${database}') as transactions,
       pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') as wal`,
  );
  return { transactions: Number(row.transactions), wal: Number(row.wal), ran, seconds: performance.now() / 1_000 };
}

/** Bytes of a table and of its indexes, partitions included, for each of `count` rows. */
async function sizeOf(table, count) {
  const [row] = await query(
    url,
    `select sum(pg_table_size(relid)) as heap, sum(pg_indexes_size(relid)) as indexes, sum(pg_total_relation_size(relid)) as total
     from pg_partition_tree('chronis.${table}')
     union all select pg_table_size(c), pg_indexes_size(c), pg_total_relation_size(c) from (select 'chronis.${table}'::regclass as c) t
     order by total desc nulls last limit 1`,
  );
  const each = (bytes) => Math.round(Number(bytes) / count);
  return { table: each(row.heap), indexes: each(row.indexes), bytes: each(row.total) };
}

function perRun({ transactions, wal }, count) {
  return { transactions: (transactions / count).toFixed(4), walBytes: Math.round(wal / count) };
}

function perSecond({ transactions, wal, seconds: elapsed }) {
  return { transactionsPerSecond: (transactions / elapsed).toFixed(2), walBytesPerSecond: Math.round(wal / elapsed) };
}

function tell(what, figures) {
  console.log(what.padEnd(46), Object.entries(figures).map(([name, value]) => `${name} ${value}`).join('  '));
}
