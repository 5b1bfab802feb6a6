import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Job, StorageAdapter } from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/index.js';
import { everyMs, newJob } from '../support/engine.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const page = readFileSync(new URL('../../docs/reference/tables.md', import.meta.url), 'utf8');
const pause = { reason: 'audit', by: 'ops' };
const hour = 3_600_000;

describe('the tables as people read them', () => {
  const schema = freshSchema('readable');
  const client = new pg.Client(databaseUrl());
  let storage: StorageAdapter;

  beforeAll(async () => {
    await client.connect();
    storage = newStorage({ schema });
    await storage.init();
    const now = await storage.now();
    const worker = { workerId: 'w', app: 'test', queues: ['default', 'slow'], handlers: ['work', 'mail'] };
    const about = {
      retention: null,
      generation: null,
      host: 'host',
      pid: 1,
      version: '0',
      zoneData: '2026a',
    };
    await storage.register({ id: 'w', name: 'w', ...about, ...worker }, hour);
    await storage.insertJobs(
      [
        newJob(now, { id: 'runs', ...everyMs(now, hour), nextAt: now - 1_000 }),
        newJob(now, { id: 'once runs', nextAt: now - 1_000 }),
      ],
      'raise',
    );
    const { cursors } = await storage.dueCursors(worker, 10);
    for (const { jobUid, nominalAt, revision } of cursors) {
      const births = [{ nominalAt, dueAt: nominalAt, missed: 0 }];
      const firing = { jobUid, nominalAt, revision, fired: 1, until: nominalAt, nextAt: nominalAt + hour };
      await storage.fire(worker, [{ ...firing, births, gaps: [], overlap: 'skip' }], 10);
    }
    const { runs } = await storage.claim(worker, 10);
    expect(runs).toHaveLength(1);
    await storage.insertJobs(
      [
        newJob(now, { id: 'later', ...everyMs(now, hour) }),
        newJob(now, { id: 'once later', nextAt: now + hour, payload: { to: 'a' }, metadata: { tenant: 1 } }),
        newJob(now, { id: 'late', nextAt: now - 60_000 }),
        newJob(now, { id: 'paused', ...everyMs(now, hour) }),
        newJob(now, { id: 'once paused', nextAt: now + hour }),
        newJob(now, { id: 'by hand', trigger: { type: 'manual' }, nextAt: null }),
        newJob(now, { id: 'slow', queue: 'slow', ...everyMs(now, hour) }),
        newJob(now, { id: 'mail', handler: 'mail', nextAt: now + hour }),
        newJob(now, { id: 'over', ...everyMs(now, hour), nextAt: null }),
      ],
      'raise',
    );
    for (const id of ['paused', 'once paused']) await storage.pauseJob({ namespace: 'default', id }, pause);
    await storage.pauseScope({ kind: 'queue', name: 'slow' }, pause);
    await storage.pauseScope({ kind: 'handler', name: 'mail' }, pause);
  });

  afterAll(async () => {
    await storage.close();
    await client.query(`drop schema "${schema}" cascade`);
    await client.end();
  });

  test('and the views have a comment each, and so has each of their columns', async () => {
    const { rows } = await client.query<{ name: string }>(
      `select c.relname || coalesce('.' || a.attname, '') as name
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
         left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       where n.nspname = $1 and c.relkind in ('r', 'p', 'v') and not c.relispartition
         and (obj_description(c.oid, 'pg_class') is null or (a.attnum is not null and col_description(c.oid, a.attnum) is null))`,
      [schema],
    );
    expect(rows.map(({ name }) => name)).toEqual([]);
  });

  test('have a view of all jobs that says what the scheduler says', async () => {
    const shown = ({ id, state, pausedBy, nextRunAt, trigger, paused, ...job }: Job): unknown => ({
      ...{ id, state, paused_by: pausedBy, next_run_at: nextRunAt, trigger_type: trigger.type },
      ...{ paused_reason: paused?.reason ?? null, paused_who: paused?.by ?? null },
      ...{ payload: job.payload, metadata: job.metadata, run_count: String(job.runCount), app: job.app },
    });
    const { items } = await storage.queryJobs({}, {});
    const expected = items.map((job) => shown(job));
    expect(new Set(items.map(({ state }) => state))).toEqual(
      new Set(['pending', 'running', 'paused', 'completed']),
    );
    expect(items.map(({ pausedBy }) => pausedBy)).toEqual(
      expect.arrayContaining([null, 'job', 'queue', 'handler']),
    );
    const columns = Object.keys(expected[0] as object).join();
    const { rows } = await client.query(
      `select ${columns} from "${schema}".jobs_view order by namespace, id`,
    );
    expect(rows).toEqual(expected);
  });

  test('have a view of all runs that says what the scheduler says, and what is late', async () => {
    const { items } = await storage.queryRuns({}, {});
    const { rows } = await client.query(
      `select id, job_id, state, due_at, started_at, worker, late_by is not null as late, paused_by
       from "${schema}".runs_view order by id desc`,
    );
    expect(rows).toEqual(
      items.map(({ id, jobId, state, dueAt, startedAt, worker }) => ({
        ...{ id, job_id: jobId, state, due_at: dueAt, started_at: startedAt, worker, late: jobId === 'late' },
        paused_by: jobId === 'once paused' ? 'job' : jobId === 'mail' ? 'handler' : null,
      })),
    );
    expect(new Set(items.map(({ state }) => state))).toEqual(new Set(['running', 'waiting', 'paused']));
  });

  test.each(['jobs_view', 'runs_view', 'run_steps_view', 'flows_history_view', 'flow_steps_history_view'])(
    'have all columns of %s in the reference',
    async (view) => {
      const { rows } = await client.query<{ name: string }>(
        `select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 order by attnum`,
        [`"${schema}".${view}`],
      );
      const section = page.split(`### ${view}`)[1]!.split(/^#/m)[0]!;
      const list = section.trim().split('\n\n').at(-1)!;
      expect([...list.matchAll(/`(\w+)`/g)].map(([, name]) => name)).toEqual(rows.map(({ name }) => name));
    },
  );

  const blocks = [...page.matchAll(/```sql\n([\s\S]*?)```/g)].flatMap(([, text]) => text!.split(/;\n/));
  const queries = blocks.filter((text) => /\S/.test(text));
  test.each(queries.map((text) => [/-- (.*)/.exec(text)![1]!, text]))(
    'answer to the ready query: %s',
    async (_, text) => {
      await client.query(text.replaceAll('chronis.', `"${schema}".`));
    },
  );

  test('answer to as many ready queries as the reference has', () => {
    expect(queries.length).toBeGreaterThanOrEqual(8);
  });
});

describe('a publication for all tables', () => {
  const name = freshSchema('published');
  const admin = new pg.Client(databaseUrl());
  const url = new URL(databaseUrl());
  url.pathname = `/${name}`;
  const dayMs = 86_400_000;

  beforeAll(async () => {
    await admin.connect();
    await admin.query(`create database "${name}"`);
  });

  afterAll(async () => {
    await admin.query(`drop database "${name}" with (force)`);
    await admin.end();
  });

  test('lets pauses begin and end, and the record be pruned, in the partitions of days as well', async () => {
    const clock = new ManualClock(Math.floor(Date.now() / dayMs) * dayMs);
    const storage = newStorage({ url: url.href, schema: 'chronis', clock });
    await storage.init();
    const client = new pg.Client(url.href);
    await client.connect();
    try {
      await client.query('create publication everything for all tables');
      // As days are that the release before has made beside ours.
      const { rows: days } = await client.query<{ name: string }>(
        `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'chronis.attempt'::regclass`,
      );
      expect(days.length).toBeGreaterThan(3);
      for (const day of days) await client.query(`alter table ${day.name} replica identity default`);
      const scope = { kind: 'queue', name: 'q' } as const;
      for (let i = 0; i < 2; i++) await storage.pauseScope(scope, pause);
      expect(await storage.resumeScope(scope, () => ({ nextAt: null, gap: null }))).toBe(true);
      const of = (outcome: string, at: number): unknown[] => [outcome, new Date(at)];
      for (const at of [clock.now(), clock.now() - 40 * dayMs])
        for (const outcome of ['succeeded', 'failed'])
          await client.query(
            `insert into chronis.attempt (run_id, namespace, job_id, handler, queue, origin, nominal_at, attempt, fence, outcome, final, finished_at)
             values (1, 'default', 'job', 'work', 'default', 'at', $2, 1, 1, $1, true, $2)`,
            of(outcome, at),
          );
      await clock.advanceBy(3 * dayMs);
      // Of one verdict: row by row, out of days that stay and out of the default partition.
      // A day of the record at a time.
      for (let day = 0; day < 50; day++)
        await storage.prune({ defaultMs: 365 * dayMs, byVerdict: { succeeded: dayMs } });
      const { rows } = await client.query(`select outcome from chronis.attempt`);
      expect(rows).toEqual([{ outcome: 'failed' }, { outcome: 'failed' }]);
      const bare = await client.query(
        `select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'chronis' and c.relkind in ('r', 'p') and c.relreplident <> 'f'
           and not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary)`,
      );
      expect(bare.rows).toEqual([]);
    } finally {
      await client.end();
      await storage.close();
    }
  });
});
