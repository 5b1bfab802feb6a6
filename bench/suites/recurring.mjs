import { setTimeout as delay } from 'node:timers/promises';
import { quantile } from '../figures.mjs';
import { makeCrons } from '../measures.mjs';

export const suite = {
  about:
    'Schedules that are each due once a second, on one worker: starts per second, and how late they are by the nominal time that the system gives (for those that give none, the second before the start). Tables and indexes in bytes before and after. Warm-up: 3 s.',
  mode: 'crons',
  rounds: 3,
  quickRounds: 1,
  settings: ({ quick }) =>
    quick
      ? [{ name: '1000 schedules', jobs: 1_000, seconds: 10 }]
      : [
          { name: '5000 schedules', jobs: 5_000, seconds: 300 },
          { name: '10000 schedules', jobs: 10_000, seconds: 300 },
        ],

  async run(run, { jobs, seconds }) {
    const worker = await run.start('worker');
    await makeCrons(run, [worker], jobs, 'second');
    await worker.call('work');
    await delay(3_000);
    const before = await sizeOf(run);
    await worker.call('take');
    const begun = performance.now();
    const lags = [];
    // Now and then: millions of notes would be the worker's own burden.
    for (let taken = 0; taken < seconds; taken += 10) {
      await delay(Math.min(10, seconds - taken) * 1_000);
      const { noted } = await worker.call('take');
      for (const { at, since } of noted) lags.push(at - (since ?? Math.floor(at / 1_000) * 1_000));
    }
    const elapsed = (performance.now() - begun) / 1_000;
    const after = await sizeOf(run);
    const line = (measure, value, unit, better) => ({ measure, value, unit, better });
    return [
      line('starts', lags.length / elapsed, 'per second', 'more'),
      line('share of those due', (100 * lags.length) / elapsed / jobs, '%', 'more'),
      line('lag p50', quantile(lags, 0.5), 'ms', 'less'),
      line('lag p99', quantile(lags, 0.99), 'ms', 'less'),
      line('tables before', before.all / 2 ** 20, 'MiB', null),
      line('tables after', after.all / 2 ** 20, 'MiB', null),
      // The ledger is ours only.
      line('tables without the ledger before', before.rest / 2 ** 20, 'MiB', null),
      line('tables without the ledger after', after.rest / 2 ** 20, 'MiB', null),
    ];
  },
};

async function sizeOf(run) {
  const [bytes] = await run.sql(
    `select coalesce(sum(pg_total_relation_size(c.oid)), 0)::float8 as all,
       coalesce(sum(pg_total_relation_size(c.oid)) filter (where n.nspname <> 'chronis' or c.relname not like 'attempt%'), 0)::float8 as rest
     from pg_class c
     join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'`,
  );
  return bytes;
}
