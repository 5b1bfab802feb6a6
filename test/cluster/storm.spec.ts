import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { compiledTests } from '../support/compiled.js';
import { startPostgres, type PostgresServer } from '../support/postgres.js';
import { SlowNetwork } from './slow.network.js';
import type { StormOrder, StormReport } from './storm.worker.js';

const instances = Number(process.env.CHRONIS_STORM_INSTANCES ?? 20);
const processes = Number(process.env.CHRONIS_STORM_PROCESSES ?? 2);
/** Each way. */
const delayMs = Number(process.env.CHRONIS_STORM_DELAY_MS ?? 20);
const lastIsUpWithinMs = 20_000;
const schema = 'storm';

describe(`${instances} instances that start at once, ${delayMs} ms each way from the database,`, () => {
  let postgres: PostgresServer | undefined;
  let network: SlowNetwork | undefined;
  let client: pg.Client | undefined;
  const workers: ChildProcess[] = [];

  beforeAll(async () => {
    const folder = compiledTests();
    // Of each instance: its pool, and one that listens.
    const connections = String(instances * 5 + 20);
    postgres = await startPostgres({ settings: { fsync: 'off', max_connections: connections } });
    network = await SlowNetwork.to(postgres.port, delayMs);
    client = new pg.Client(postgres.url);
    await client.connect();
    const url = postgres.url.replace(`:${postgres.port}/`, `:${network.port}/`);
    const env = {
      ...process.env,
      DATABASE_URL: url,
      SCHEMA: schema,
      INSTANCES: String(instances / processes),
    };
    for (let nth = 0; nth < processes; nth++) {
      workers.push(fork(join(folder, 'test/cluster/storm.worker.js'), { env, execArgv: [] }));
    }
    await Promise.all(workers.map((worker) => once(worker, 'message')));
  }, 180_000);

  afterAll(async () => {
    for (const worker of workers) worker.kill('SIGKILL');
    await client?.end();
    network?.close();
    await postgres?.stop();
  });

  /** Resolves when so many reports have come, with those that are failures. */
  async function ordered(order: StormOrder, reports: number): Promise<StormReport[]> {
    const heard: StormReport[] = [];
    const all = new Promise<void>((resolve) => {
      for (const worker of workers) {
        worker.removeAllListeners('message');
        worker.on('message', (report: StormReport) => {
          if (heard.push(report) === reports) resolve();
        });
      }
    });
    for (const worker of workers) worker.send(order);
    await all;
    return heard.filter((report) => typeof report === 'object');
  }

  async function start(release: number): Promise<void> {
    const since = performance.now();
    const failed = await ordered({ start: release }, instances);
    const tookMs = Math.round(performance.now() - since);
    if (process.env.CHRONIS_STORM_INSTANCES) console.log(`the last of ${instances} is up after ${tookMs} ms`);
    expect(failed).toEqual([]);
    expect(tookMs).toBeLessThan(lastIsUpWithinMs);
    const { rows } = await client!.query<{ jobs: number; alive: number }>(
      `select (select count(*)::int from ${schema}.job where trigger ->> 'expression' = '${release} 3 1 1 *') as jobs,
         (select count(*)::int from ${schema}.worker where released_at is null and lease_until > now()) as alive`,
    );
    expect(rows).toEqual([{ jobs: 20, alive: instances }]);
  }

  afterEach(() => ordered('stop', processes), 60_000);

  test('on a database that has nothing yet: one makes the tables, and all are up within 20 s', async () => {
    await start(1);
  }, 120_000);

  test('with a release that is known: all are up within 20 s', async () => {
    await start(1);
  }, 120_000);

  test('with a release that is new: one stores what has changed, and all are up within 20 s', async () => {
    await start(2);
  }, 120_000);
});
