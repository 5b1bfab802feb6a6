import { Injectable, Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ChronisEvents,
  ChronisModule,
  Cron,
  currentRun,
  JobHandler,
  SchedulerService,
  StorageAdapter,
} from '../../lib/index.js';
import { startWorker } from '../../lib/testing/laws/fixture.js';
import { typeOrmLock, typeOrmStorage } from '../../lib/typeorm/index.js';
import { allTables } from '../../lib/typeorm/sql/table.names.js';
import { Gate } from '../support/real.app.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

// Somebody else holds locks while a cluster works. By default what one job and one dead worker have is locked in all tables at once, for long enough to be noticed;
// with CHRONIS_LOCK_SECONDS=20 in one table after the other, for so long each.
const longSeconds = Number(process.env.CHRONIS_LOCK_SECONDS ?? 0);
const rowSeconds = longSeconds || 4;
const tableSeconds = longSeconds || 2;
const longestPauseMs = 2_000;

const gate = new Gate();
const started: number[] = [];
const startedOnce: number[] = [];

@Injectable()
class Jobs {
  @Cron('* * * * * *', { id: 'steady', overlap: 'allow', misfire: 'all' })
  steady(): void {
    started.push(Date.now());
  }

  @JobHandler('hold')
  hold(): Promise<void> {
    return gate.passed;
  }

  @JobHandler('once')
  once(): void {
    startedOnce.push(Date.now());
  }

  @JobHandler('flaky')
  flaky(): void {
    if (currentRun()!.attempt === 1) throw new Error('fails the first time');
  }
}

describe('two instances beside locks of somebody else', () => {
  const schema = freshSchema('foreign');
  const client = new pg.Client(databaseUrl());
  const reader = new pg.Client(databaseUrl());
  const apps: INestApplicationContext[] = [];
  const leasesLost: string[] = [];
  let uid = '';
  let serial = 0;

  async function boot(): Promise<INestApplicationContext> {
    @Module({
      imports: [
        ChronisModule.forRoot({
          storage: typeOrmStorage({ url: databaseUrl(), schema }),
          lock: typeOrmLock(),
          app: 'foreign',
          pollMs: 500,
          leaseMs: 30_000,
        }),
      ],
      providers: [Jobs],
    })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    app.get(ChronisEvents).on('worker.lease-lost', ({ workerId }) => leasesLost.push(workerId));
    apps.push(app);
    return app;
  }

  const scheduler = (): SchedulerService => apps[0]!.get(SchedulerService);
  const storage = (): StorageAdapter => apps[0]!.get(StorageAdapter);
  const realSeconds = (seconds: number): Promise<void> =>
    new Promise((resolve) => setTimeout(resolve, seconds * 1_000));

  beforeAll(async () => {
    await Promise.all([client.connect(), reader.connect()]);
    await boot();
    await boot();
    const begun = Promise.race(
      apps.map((app) => app.get(ChronisEvents).once('run.started', ({ jobId }) => jobId === 'victim')),
    );
    await scheduler().createIntervalJob({ id: 'victim', handler: 'hold', every: '1s', overlap: 'queue' });
    await begun;
    await scheduler().pause({ queue: 'nobody' }, { reason: 'a row' });
    const { rows } = await reader.query<{ uid: string }>(
      `select uid::text from "${schema}".job where id = 'victim'`,
    );
    uid = rows[0]!.uid;
  }, 60_000);

  afterAll(async () => {
    await client.query('rollback');
    gate.release();
    for (const app of apps) await app.close();
    await reader.query(`drop schema if exists "${schema}" cascade`);
    await Promise.all([client.end(), reader.end()]);
  });

  /** A worker that has died with two runs, one of which is to be locked. */
  async function deadWorker(): Promise<{ workerId: string; locked: string; free: string }> {
    const [locked, free] = [`locked-${++serial}`, `free-${serial}`];
    const handlers = [`dead-${serial}`];
    const dead = await startWorker(storage(), { handlers, leaseMs: 60_000, app: 'foreign' });
    for (const id of [locked, free]) await scheduler().createDateJob({ id, handler: handlers[0]!, in: 0 });
    const { runs } = await storage().claim(dead, 2);
    expect(runs).toHaveLength(2);
    return { workerId: dead.workerId, locked, free };
  }

  /** What is locked, by its table. */
  const rowsOf = (dead: { workerId: string; locked: string }, deadOf: string): Record<string, string> => ({
    job: `uid = ${uid}`,
    cursor: `job_uid = ${uid}`,
    run: `job_uid = ${uid} or job_id = '${dead.locked}'`,
    job_stat: `job_uid = ${uid}`,
    worker: `id = '${deadOf}'`,
    pause: 'true',
    gap: 'true',
    attempt: 'true',
    lock: 'true',
    release: 'true',
    meta: 'true',
  });

  const tables = Object.keys(rowsOf({ workerId: '', locked: '' }, ''));
  const groups = longSeconds ? tables.map((table) => [table]) : [tables];
  const rowCases = groups.flatMap((group) =>
    (['for update', 'for share'] as const).map((strength) => [group.join(', '), strength, group] as const),
  );

  test.each(rowCases)(
    'go on with everything else while rows are locked: %s %s',
    { timeout: (rowSeconds + 40) * 1_000 },
    async (_, strength, group) => {
      const [dead, deadAndLocked] = [await deadWorker(), await deadWorker()];
      await client.query('begin');
      for (const table of group) {
        const where = rowsOf(dead, deadAndLocked.workerId)[table]!;
        await client.query(`select from "${schema}".${table} where ${where} ${strength}`);
      }
      const since = Date.now();
      await storage().unregister(dead.workerId);
      if (!group.includes('worker')) await storage().unregister(deadAndLocked.workerId);
      const flaky = `flaky-${serial}`;
      const retried = Promise.race(
        apps.map((app) => app.get(ChronisEvents).once('run.succeeded', ({ jobId }) => jobId === flaky)),
      );
      await scheduler().createDateJob({ id: flaky, handler: 'flaky', in: 0, maxRetries: 1, backoff: 100 });
      await retried;
      await realSeconds(rowSeconds);
      const until = Date.now();
      expect(pausesOf(since, until)).toEqual([]);
      // What is not locked was taken back from the dead worker.
      expect(await lostAttemptsOf(dead.free)).toBe(1);
      expect(await lostAttemptsOf(dead.locked)).toBe(group.includes('run') ? 0 : 1);
      await client.query('rollback');
      await expect.poll(() => lostAttemptsOf(dead.locked), { timeout: 10_000 }).toBe(1);
      await storage().unregister(deadAndLocked.workerId);
      await expect.poll(() => lostAttemptsOf(deadAndLocked.locked), { timeout: 10_000 }).toBe(1);
      expect(leasesLost).toEqual([]);
    },
  );

  const tableCases = longSeconds ? allTables.map((table) => [table]) : [[allTables.join(', ')]];

  test.each(tableCases)(
    'go on within a moment after tables were locked as a whole, and lose nothing: %s',
    { timeout: (tableSeconds + 40) * 1_000 },
    async (names) => {
      await lockAsAWhole(names);
      await realSeconds(tableSeconds);
      const releasedAt = Date.now();
      await client.query('rollback');
      await expect.poll(() => started.some((at) => at > releasedAt), { timeout: 5_000 }).toBe(true);
      await realSeconds(3);
      const { rows } = await reader.query<{ runs: number; instants: number; seconds: number }>(
        `select count(*)::int as runs, count(distinct nominal_at)::int as instants,
           (extract(epoch from max(nominal_at) - min(nominal_at)) + 1)::int as seconds
         from "${schema}".attempt where job_id = 'steady' and final`,
      );
      const { runs, instants, seconds } = rows[0]!;
      expect({ runs, instants }).toEqual({ runs: seconds, instants: seconds });
      // The table that the leases themselves are in: what is between the beats, a third of the lease, is no time to spare.
      if (names === 'worker') leasesLost.length = 0;
      expect(leasesLost).toEqual([]);
    },
  );

  const needed: ReadonlySet<string> = new Set([
    'run',
    'cursor',
    'job',
    'job_stat',
    'worker',
    'attempt',
    'gap',
    'pause',
    'pause_end',
  ]);
  /** Which tables one-offs need neither to begin nor for their end, and which of them schedules do not need either. */
  const needless = {
    all: allTables.filter((table) => !needed.has(table)),
    oneOffs: ['cursor', 'gap', 'job_stat'],
  };
  const needlessCases = longSeconds
    ? [...needless.all, ...needless.oneOffs].map((table) => [table])
    : [[needless.all.join(', ')], [needless.oneOffs.join(', ')]];

  test.each(needlessCases)(
    'go on with what needs none of the tables that are locked as a whole: %s',
    { timeout: (rowSeconds + 40) * 1_000 },
    async (names) => {
      await lockAsAWhole(names);
      const since = Date.now();
      const ids: string[] = [];
      while (Date.now() - since < rowSeconds * 1_000) {
        ids.push(`once-${++serial}`);
        await scheduler().createDateJob({ id: ids.at(-1)!, handler: 'once', in: 0 });
        await realSeconds(0.25);
      }
      const until = Date.now();
      // Those of the last moment may be under way.
      const early = ids.slice(0, -Math.min(8, ids.length / 2));
      const { rows } = await reader.query<{ count: number }>(
        `select count(*)::int as count from "${schema}".attempt where job_id = any ($1) and outcome = 'succeeded'`,
        [early],
      );
      await client.query('rollback');
      expect(pausesOf(since, until, startedOnce)).toEqual([]);
      expect(rows[0]!.count).toBe(early.length);
      if (!needless.oneOffs.includes(names.split(', ')[0]!)) expect(pausesOf(since, until)).toEqual([]);
      await expect.poll(() => started.some((at) => at > until), { timeout: 5_000 }).toBe(true);
      expect(leasesLost).toEqual([]);
    },
  );

  /** Waits for each table in turn while it holds those before: what meets it the other way round is a deadlock, and either may lose. */
  async function lockAsAWhole(names: string): Promise<void> {
    const qualified = names.split(', ').map((name) => `"${schema}".${name}`);
    for (let locked = false; !locked;)
      locked = await client.query(`begin; lock table ${qualified.join(', ')} in access exclusive mode`).then(
        () => true,
        async (error: { code?: string }) => {
          await client.query('rollback');
          if (error.code !== '40P01') throw error;
          return false;
        },
      );
  }

  function pausesOf(since: number, until: number, begun = started): number[] {
    const marks = [since, ...begun.filter((at) => at > since && at < until), until];
    return marks
      .slice(1)
      .map((at, i) => at - marks[i]!)
      .filter((ms) => ms > longestPauseMs);
  }

  async function lostAttemptsOf(jobId: string): Promise<number> {
    const { rows } = await reader.query<{ count: number }>(
      `select count(*)::int as count from "${schema}".attempt where job_id = $1 and outcome = 'lost'`,
      [jobId],
    );
    return rows[0]!.count;
  }
});
