import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import pg from 'pg';
import { ChronisHealthModule } from '../../lib/health/index.js';
import { ChronisModule, SchedulerService } from '../../lib/index.js';
import { HttpApp, platforms, type Platform } from '../support/http.app.js';
import { startPostgres, type PostgresServer } from '../support/postgres.js';
import { newStorage } from '../support/postgres.subject.js';

let server: PostgresServer;
let app: HttpApp;

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'off' } });
});
afterEach(() => app.close());
afterAll(() => server.stop());

async function boot(platform: Platform, poolSize: number): Promise<void> {
  const storage = newStorage({ url: server.url, statementTimeoutMs: 3_000, poolSize });
  const imports = [
    ChronisHealthModule.forRoot({ path: 'health', guards: [{ canActivate: () => true }] }),
    ChronisModule.forRoot({ storage, log: false }),
  ];
  app = await HttpApp.boot(platform, { imports });
}

async function timed(path: string): Promise<{ status: number; ms: number; body: string }> {
  const begunAt = performance.now();
  const { status, body } = await app.get(path);
  return { status, body, ms: performance.now() - begunAt };
}

async function untilReady(): Promise<void> {
  while ((await app.get('/health/ready')).status !== 200);
}

async function backends(): Promise<number[]> {
  const client = new pg.Client(server.url);
  await client.connect();
  const { rows } = await client.query<{ pid: number }>(
    "select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()",
  );
  await client.end();
  return rows.map(({ pid }) => pid);
}

test.each(platforms)(
  'on %s a database that is frozen: live at once, not ready within two seconds, health unknown; and ready when it goes on',
  async (platform) => {
    await boot(platform, 4);
    expect((await timed('/health/ready')).status).toBe(200);
    const frozen = [...(await backends()), server.pid];
    for (const pid of frozen) process.kill(pid, 'SIGSTOP');
    try {
      const begunAt = performance.now();
      let answer = await timed('/health/ready');
      // For as long as the last answer counts.
      while (answer.status === 200) answer = await timed('/health/ready');
      expect(answer.status).toBe(503);
      expect(performance.now() - begunAt).toBeLessThan(2_500);
      const live = await timed('/health/live');
      expect(live.status).toBe(200);
      expect(live.ms).toBeLessThan(500);
      const health = await timed('/health');
      expect(health.status).toBe(503);
      expect(JSON.parse(health.body)).toMatchObject({
        status: 'unknown',
        reasons: [{ code: 'health.storage-silent' }],
      });
    } finally {
      for (const pid of frozen) process.kill(pid, 'SIGCONT');
    }
    await untilReady();
  },
);

test.each(platforms)(
  'on %s a pool that is exhausted: live, and not ready until there is a connection again',
  async (platform) => {
    await boot(platform, 2);
    const client = new pg.Client(server.url);
    await client.connect();
    const { rows } = await client.query<{ name: string }>(
      "select format('%I.%I', schemaname, tablename) as name from pg_tables where tablename in ('job', 'run', 'cursor', 'worker') and schemaname not like 'pg_%'",
    );
    await client.query(`begin; lock table ${rows.map(({ name }) => name).join()} in access exclusive mode`);
    const scheduler = app.app.get(SchedulerService);
    const waiting = Array.from({ length: 4 }, (_, i) => scheduler.getJob(`job-${i}`).catch(() => null));
    let answer = await timed('/health/ready');
    while (answer.status === 200) answer = await timed('/health/ready');
    expect(answer.status).toBe(503);
    expect((await timed('/health/live')).status).toBe(200);
    await client.query('rollback');
    await client.end();
    await Promise.all(waiting);
    await untilReady();
  },
);
