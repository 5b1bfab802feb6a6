import { startPostgres } from '../support/postgres.js';
import { check, type Report } from './chaos.checker.js';
import { jobs, type ChaosOptions } from './chaos.options.js';
import { Cluster, pause } from './cluster.js';
import { unleash } from './fault.schedule.js';
import { notesSql } from './notes.sql.js';
import { createOneOffs } from './one.offs.js';

/** The longest time to finish what was begun, once nothing disturbs any more. */
const quietWithinMs = 60_000;

/** Lets workers run under faults for so many seconds, waits until all is finished, and reads the tables. */
export async function runChaos(options: ChaosOptions): Promise<Report> {
  const server = await startPostgres({ settings: { fsync: 'off' } });
  try {
    const startAt = Math.ceil(Date.now() / 1_000) * 1_000 + 5_000;
    const endAt = startAt + options.seconds * 1_000;
    const cluster = new Cluster(server, options, { startAt, endAt });
    await cluster.query(notesSql);
    await Promise.all(Array.from({ length: options.workers }, () => cluster.add()));
    await pause(startAt - Date.now());
    await Promise.all([unleash(cluster, endAt), createOneOffs(cluster, endAt)]);
    await untilQuiet(cluster);
    cluster.watchForCrashes();
    await cluster.end();
    const report = await check(
      (text, values) => cluster.query(text, values),
      options.leaseMs,
      options.slackMs,
    );
    if (cluster.crashes.length > 0) {
      report.found['workers that ended by themselves'] = cluster.crashes;
      report.violations += cluster.crashes.length;
    }
    return report;
  } finally {
    await server.stop();
  }
}

/** What is left after that is found by the checks. */
async function untilQuiet(cluster: Cluster): Promise<void> {
  const giveUpAt = Date.now() + quietWithinMs;
  for (;;) {
    const [{ left }] = (await cluster.query<{ left: number }>(`
      select (select count(*) from ${jobs}.run where origin <> 'reserved' and verdict is null)::int
        + (select count(*) from ${jobs}.cursor)::int as left`)) as [{ left: number }];
    if (left === 0 || Date.now() > giveUpAt) return;
    await pause(200);
  }
}
