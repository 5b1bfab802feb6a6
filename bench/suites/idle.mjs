import { setTimeout as delay } from 'node:timers/promises';

export const suite = {
  about:
    'A worker with nothing to do. Transactions are those that PostgreSQL counts in the database of the system, so a statement outside of a transaction is one; CPU is of the worker process, 100 % being one core. Warm-up: 12 s.',
  mode: 'latency',
  rounds: 3,
  quickRounds: 1,
  settings: ({ quick }) => [{ name: 'idle worker', seconds: quick ? 10 : 30 }],

  async run(run, { seconds }) {
    const worker = await run.start('worker');
    // The other process would be counted too.
    await run.client.stop();
    await worker.call('work');
    // Backends tell of what they did at the start after up to ten seconds.
    await delay(12_000);
    const [usage, transactions] = [await worker.call('usage'), await transactionsIn(run)];
    await delay(seconds * 1_000);
    const [usageAfter, transactionsAfter] = [await worker.call('usage'), await transactionsIn(run)];
    const elapsedMs = usageAfter.at - usage.at;
    const cpuUs = usageAfter.cpu.user + usageAfter.cpu.system - usage.cpu.user - usage.cpu.system;
    const line = (measure, value, unit) => ({ measure, value, unit, better: 'less' });
    return [
      line('transactions', ((transactionsAfter - transactions) * 1_000) / elapsedMs, 'per second'),
      line('CPU of the process', cpuUs / 10 / elapsedMs, '% of a core'),
      line('memory', usageAfter.rss / 2 ** 20, 'MiB RSS'),
    ];
  },
};

/** Asked in another database, so as not to count ourselves. */
async function transactionsIn(run) {
  const [{ count }] = await run.serverSql(
    `select xact_commit + xact_rollback as count from pg_stat_database where datname = '${run.database}'`,
  );
  return Number(count);
}
