import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { StorageAdapter } from '../../lib/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { databaseUrl } from '../support/schema.js';
import { newJob } from '../support/engine.js';
import { check, type Seen } from './chaos.checker.js';
import { readLedger } from './ledger.js';
import { notesSql } from './notes.sql.js';

/** A record in which all is well: three instants of one job, all run; and what each check must find when it is not. */
describe('the checker of the chaos test', () => {
  const name = `checker_${randomBytes(5).toString('hex')}`;
  const url = new URL(databaseUrl());
  url.pathname = `/${name}`;
  const admin = new pg.Client(databaseUrl());
  const client = new pg.Client(url.href);

  const start = Date.UTC(2026, 0, 1);
  const at = (second: number): Date => new Date(start + second * 1_000);

  beforeAll(async () => {
    await admin.connect();
    await admin.query(`create database "${name}"`);
    await client.connect();
    const storage = typeOrmStorage({ url: url.href, migrate: 'auto' }).create() as StorageAdapter;
    await storage.init();
    const trigger = {
      type: 'interval',
      every: 1_000,
      anchor: at(0).toISOString(),
      startAt: at(1).toISOString(),
      endAt: at(3).toISOString(),
    } as const;
    const metadata = { everyMs: 1_000 };
    const jobs = ['plain', 'unique', 'transaction'].map((manner) =>
      newJob(start, {
        id: `${manner}-quick`,
        source: 'code',
        app: 'chaos',
        trigger,
        metadata,
        nextAt: start + 1_000,
      }),
    );
    await storage.insertJobs(jobs, 'raise');
    await storage.close();
    await client.query(notesSql);
    await client.query(`update chronis.job set created_at = $1`, [at(0)]);
    await client.query(`delete from chronis.run where origin <> 'reserved'`);
  });

  afterAll(async () => {
    await client.end();
    await admin.query(`drop database "${name}" with (force)`);
    await admin.end();
  });

  beforeEach(async () => {
    await client.query(
      `truncate chronis.attempt, chronis.gap, chaos.plain_effect, chaos.unique_effect, chaos.transaction_effect, chaos.one_off, chaos.fault, chronis.worker`,
    );
    for (const [i, manner] of ['plain', 'unique', 'transaction'].entries()) {
      for (let second = 1; second <= 3; second++) await succeed(manner, i * 10 + second, second);
    }
  });

  async function attempt(
    job: string,
    runId: number,
    second: number,
    given: {
      fence?: number;
      outcome?: string;
      final?: boolean;
      worker?: string;
      startedAt?: Date;
      finishedAt?: Date;
    } = {},
  ): Promise<void> {
    const {
      fence = 1,
      outcome = 'succeeded',
      final = true,
      worker = 'w',
      startedAt = at(second),
      finishedAt = at(second),
    } = given;
    await client.query(
      `insert into chronis.attempt (run_id, namespace, job_id, handler, queue, origin, nominal_at, attempt, fence, worker, outcome, final, started_at, finished_at)
       values ($1, 'default', $2, 'work', 'default', 'schedule', $3, $4, $4, $5, $6, $7, $8, $9)`,
      [runId, job, at(second), fence, worker, outcome, final, startedAt, finishedAt],
    );
  }

  async function effect(manner: string, runId: number, second: number): Promise<void> {
    const columns = { plain: ', id', unique: '', transaction: ', attempt' }[manner]!;
    const values = { plain: ', gen_random_uuid()', unique: '', transaction: ', 1' }[manner]!;
    await client.query(
      `insert into chaos.${manner}_effect (run_id, job_id, nominal_at, pid${columns}) values ($1, $2, $3, 1${values})`,
      [runId, `${manner}-quick`, at(second)],
    );
  }

  async function succeed(manner: string, runId: number, second: number): Promise<void> {
    await attempt(`${manner}-quick`, runId, second);
    await effect(manner, runId, second);
  }

  const found = async (faults: Seen['faults'] = []): Promise<string[]> => {
    const query = async <Row extends object>(text: string, values?: unknown[]) =>
      (await client.query<Row>(text, values)).rows;
    const { attempts } = await readLedger(query);
    const oneOffs = (await query<{ job_id: string }>('select job_id from chaos.one_off')).map(
      ({ job_id }) => ({ id: job_id, confirmedAt: start }),
    );
    await client.query('truncate chaos.one_off, chaos.fault');
    const seen: Seen = {
      leaseMs: 3_000,
      slackMs: 1_000,
      period: { startAt: 0, endAt: 0 },
      sameClock: true,
      // Each attempt was executed, by a worker that the table need not know.
      executions: attempts.map(({ runId, jobId, nominalAt, attempt, pid, startedAt, finishedAt }) => ({
        runId,
        jobId,
        nominalAt,
        attempt,
        pid: pid ?? 0,
        beganAt: startedAt ?? finishedAt,
        endedAt: finishedAt,
        ended: 'done' as const,
      })),
      loops: [],
      proxyStalls: [],
      silences: [],
      deaf: [],
      sightings: [],
      changes: [],
      faults,
      oneOffs,
    };
    return Object.keys((await check(query, seen)).report.found);
  };

  test('finds nothing where all is well', async () => {
    expect(await found()).toEqual([]);
  });

  test('finds an instant without a verdict, unless it is in a gap', async () => {
    await client.query(`delete from chronis.attempt where run_id = 2`);
    await client.query(`delete from chaos.plain_effect where run_id = 2`);
    expect(await found()).toEqual(['instants without a verdict']);
    await client.query(
      `insert into chronis.gap (job_uid, namespace, job_id, from_at, until_at, verdict, count, reason)
       values (1, 'default', 'plain-quick', $1, $1, 'skipped', 1, '')`,
      [at(2)],
    );
    expect(await found()).toEqual([]);
  });

  test('finds the last instants missing, and the first', async () => {
    await client.query(`delete from chronis.attempt where run_id in (1, 13)`);
    await client.query(`delete from chaos.plain_effect where run_id = 1`);
    await client.query(`delete from chaos.unique_effect where run_id = 13`);
    expect(await found()).toEqual(['instants without a verdict']);
  });

  test('finds an instant that was created twice', async () => {
    await attempt('unique-quick', 99, 2);
    expect(await found()).toEqual(['instants with two verdicts', 'instants created twice']);
  });

  test('finds a run with two verdicts and one without', async () => {
    await attempt('plain-quick', 1, 1, { fence: 2 });
    expect(await found()).toContain('runs without exactly one verdict');
    await client.query(`update chronis.attempt set final = false where run_id = 1`);
    expect(await found()).toContain('runs without exactly one verdict');
  });

  test('finds a one-off that never ended', async () => {
    await client.query(`insert into chaos.one_off values ('plain-one-off-1')`);
    expect(await found()).toEqual(['one-offs without exactly one verdict']);
  });

  test('finds a stale result beside the one of the new owner', async () => {
    await attempt('plain-quick', 1, 1, { outcome: 'lost', final: false });
    expect(await found()).toEqual(['stale writes accepted']);
  });

  test('finds a committed transaction whose attempt did not succeed', async () => {
    await client.query(`update chronis.attempt set outcome = 'failed' where run_id = 21`);
    expect(await found()).toEqual(['stale writes accepted']);
  });

  test('finds doubled effects, which a lost attempt excuses in the plain manner only', async () => {
    await effect('plain', 1, 1);
    await effect('transaction', 21, 1);
    expect(await found()).toEqual(['doubles (plain)', 'doubles (transaction)']);
    await attempt('plain-quick', 1, 1, { fence: 0, outcome: 'lost', final: false });
    await attempt('transaction-quick', 21, 1, { fence: 0, outcome: 'lost', final: false });
    expect(await found()).toEqual(['doubles (transaction)']);
  });

  test('finds a success without an effect', async () => {
    await client.query(`delete from chaos.transaction_effect where run_id = 22`);
    expect(await found()).toEqual(['succeeded without an effect (transaction)']);
  });

  test('finds a recovery from kill -9 that took longer than the lease and the slack', async () => {
    await client.query(
      `insert into chronis.worker (id, name, app, host, pid, version, zone_data, queues, handlers, started_at, lease_until)
       values ('dead', '', '', '', 7, '', '', '{}', '{}', $1, $1)`,
      [at(0)],
    );
    const lost = { fence: 0, outcome: 'lost', final: false, worker: 'dead', finishedAt: at(5) };
    await attempt('plain-quick', 2, 2, lost);
    const kill = { kind: 'kill', pid: 7, at: at(2).getTime(), until: at(2).getTime() };
    const goesOn = (second: number): Promise<unknown> =>
      client.query(
        `update chronis.attempt set started_at = $1, finished_at = $1 where run_id = 2 and final`,
        [at(second)],
      );
    await goesOn(5.9);
    expect(await found([kill])).toEqual([]);
    await goesOn(6.1);
    expect(await found([kill])).toEqual(['late recoveries']);
    // Whoever has locked rows of the job keeps it from going on.
    const lock = { ...kill, kind: 'lock-dead', pid: null, until: at(3).getTime() };
    expect(await found([kill, { ...lock, jobs: ['plain-quick'] }])).toEqual([]);
    expect(await found([kill, { ...lock, jobs: ['plain-slow'] }])).toEqual(['late recoveries']);
  });
});
