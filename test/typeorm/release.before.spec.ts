import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Capability, NewJob, StorageAdapter } from '../../lib/index.js';
import { migrationSql, schemaVersion } from '../../lib/typeorm/index.js';
import { newJob } from '../support/engine.js';
import { newStorage } from '../support/postgres.subject.js';
import { ReleaseBefore } from '../support/release.before.js';
import { freshSchema } from '../support/schema.js';

let before: ReleaseBefore;
let storage: StorageAdapter;
let schema: string;

beforeEach(async () => {
  schema = freshSchema('before');
  before = new ReleaseBefore(schema, 'worker-before', 'shop');
  await before.open();
  storage = newStorage({ schema });
});

afterEach(async () => {
  await storage.close();
  await before.close();
});

const due = (given: Partial<NewJob>): NewJob => newJob(Date.now() - 1_000, given);
const every = (given: Partial<NewJob>): NewJob =>
  due({ trigger: { type: 'cron', expression: '0 * * * *' }, ...given });

async function worker(app: string): Promise<Capability> {
  const can = { app, queues: ['default'], handlers: ['work'] };
  const about = { name: app, generation: null, host: 'h', pid: 1, version: '0.2.0', zoneData: '2025b' };
  await storage.register({ id: `worker of ${app}`, ...about, ...can, retention: null }, 3_600_000);
  return { workerId: `worker of ${app}`, ...can };
}

async function claimed(can: Capability): Promise<string[]> {
  return (await storage.claim(can, 100)).runs.map(({ jobId }) => jobId).toSorted();
}

async function fireAll(can: Capability, room: number): Promise<string[]> {
  const { cursors } = await storage.dueCursors(can, 100);
  const firings = cursors.map(({ jobUid, nominalAt, revision, fired }) => ({
    ...{ jobUid, nominalAt, revision, fired: fired + 1, overlap: 'allow' as const, gaps: [] },
    ...{ nextAt: nominalAt + 3_600_000, until: nominalAt },
    births: [{ nominalAt, dueAt: nominalAt, missed: 0 }],
  }));
  await storage.fire(can, firings, room);
  return cursors.map(({ jobId }) => jobId);
}

test('what the release before has stored is that of its app once the schema is migrated', async () => {
  await before.install();
  await before.register();
  await before.declare(every({ id: 'born' }));
  expect(await before.fire(0)).toEqual(['born']);
  await before.declare(every({ id: 'declared' }));
  await before.createOneOff(due({ id: 'made' }));
  await storage.init();
  expect(await before.query(`select value from "${schema}".meta where key = 'schema_version'`)).toEqual([
    { value: String(schemaVersion) },
  ]);
  const [billing, shop] = [await worker('billing'), await worker('shop')];
  expect(await fireAll(billing, 10)).toEqual([]);
  // Made at run time, it has no app: it is for whoever has the handler, as it was.
  expect(await claimed(billing)).toEqual(['made']);
  expect(await claimed(shop)).toEqual(['born']);
  expect(await fireAll(shop, 0)).toEqual(['declared']);
  expect(await claimed(shop)).toEqual(['declared']);
});

test('the migration tries again when it meets a statement of the release before that holds what it needs, and needs what it holds', async () => {
  await before.install();
  await before.query('begin');
  await before.query(`lock table "${schema}".cursor in row exclusive mode`);
  const migrated = storage.init();
  const waiting = `select count(*)::int as waiting from pg_locks where not granted and relation = '"${schema}".cursor'::regclass`;
  const other = new ReleaseBefore(schema, 'other', 'shop');
  await other.open();
  while ((await other.query<{ waiting: number }>(waiting))[0]!.waiting === 0) continue;
  await before.query(`lock table "${schema}".run in row exclusive mode`);
  await before.query('commit');
  await migrated;
  expect(await storage.countJobs({})).toBe(0);
  await other.leave();
});

test('the migration waits for a transaction that stays open, and the workers of the release before go on meanwhile', async () => {
  await before.install();
  await before.register();
  await before.createOneOff(due({ id: 'made' }));
  const application = new ReleaseBefore(schema, 'application', 'shop');
  await application.open();
  await application.query('begin');
  await application.query(`lock table "${schema}".run in row exclusive mode`);
  const migrated = storage.init();
  const waiting = `select count(*)::int as waiting from pg_locks where not granted and relation = '"${schema}".run'::regclass`;
  while ((await application.query<{ waiting: number }>(waiting))[0]!.waiting === 0) continue;
  await before.query(`set statement_timeout = '4s'`);
  expect(await before.work()).toEqual(['made']);
  await application.query('rollback');
  await application.leave();
  await migrated;
  expect(await storage.countJobs({})).toBe(0);
});

test('what the release before has stored gets its app beside work that goes on, and what is locked gets it at a later start', async () => {
  await before.install();
  await before.register();
  for (const id of ['a', 'b']) await before.declare(every({ id }));
  await before.fire(0);
  for (const statement of migrationSql({ schema, from: 1 }).split(';\n')) await before.query(statement);
  const apps = `select job_id, app from "${schema}".run where origin <> 'reserved' order by job_id`;
  await before.query('begin');
  await before.query(`select from "${schema}".run where job_id = 'a' and origin <> 'reserved' for update`);
  await storage.init();
  expect(await before.query(apps)).toEqual([
    { job_id: 'a', app: null },
    { job_id: 'b', app: 'shop' },
  ]);
  await before.query('rollback');
  const later = newStorage({ schema, migrate: 'check' });
  await later.init();
  await later.close();
  expect(await before.query(apps)).toEqual([
    { job_id: 'a', app: 'shop' },
    { job_id: 'b', app: 'shop' },
  ]);
  expect(await before.query(`select from "${schema}".meta where key = 'apps_unfilled'`)).toEqual([]);
});

test('the release before works on beside ours, and runs what ours has made', async () => {
  await storage.init();
  await before.register();
  await storage.insertJobs(
    [due({ id: 'one-off', app: 'shop' }), every({ id: 'schedule', app: 'shop' })],
    'raise',
  );
  expect(await before.fire(0)).toEqual(['schedule']);
  expect((await before.work()).toSorted()).toEqual(['one-off', 'schedule']);
  const { items } = await storage.queryAttempts({ jobId: 'one-off' }, {});
  expect(items).toMatchObject([{ outcome: 'succeeded', worker: 'worker-before' }]);
});

test('what the release before makes beside ours is run, and its schedules are those of their app from the first firing on', async () => {
  await storage.init();
  await before.register();
  await before.createOneOff(due({ id: 'made' }));
  await before.declare(every({ id: 'declared' }));
  const [billing, shop] = [await worker('billing'), await worker('shop')];
  expect(await fireAll(billing, 10)).toEqual(['declared']);
  expect(await claimed(billing)).toEqual(['made']);
  expect(await claimed(shop)).toEqual(['declared']);
  const cursors = await before.query<{ app: string | null }>(`select app from "${schema}".cursor`);
  expect(cursors).toEqual([{ app: 'shop' }]);
  expect(await storage.queryWorkers()).toMatchObject([
    { id: 'worker-before', retention: null },
    { retention: null },
    { retention: null },
  ]);
});

test('an open run is not that of the release before until its deadline, when it executes it, and then it ends once', async () => {
  await storage.init();
  await before.register();
  await storage.insertJobs([due({ id: 'late' }), due({ id: 'early' }), due({ id: 'endless' })], 'raise');
  const ours = await worker('shop');
  const deadlines: Record<string, number | null> = { late: -1_000, early: 3_600_000, endless: null };
  const { runs } = await storage.claim(ours, 10);
  const now = await storage.now();
  await storage.settle(
    runs.map(({ id: runId, fence, worker: by, jobId }) => ({
      ...{
        runId,
        fence,
        worker: by,
        outcome: 'opened',
        startedAt: now,
        finishedAt: now,
        error: null,
        result: null,
      },
      retryAt: deadlines[jobId] === null ? null : now + deadlines[jobId]!,
    })),
  );
  expect(await before.work()).toEqual(['late']);
  const idOf = (jobId: string): string => runs.find((run) => run.jobId === jobId)!.id;
  const end = (jobId: string): Promise<boolean> =>
    storage.settleOpen(idOf(jobId), ({ id: runId, fence, worker: by }) => ({
      ...{ runId, fence, worker: by, outcome: 'succeeded', startedAt: now, finishedAt: now },
      ...{ retryAt: null, error: null, result: null },
    }));
  expect([await end('late'), await end('early'), await end('endless')]).toEqual([false, true, true]);
  const finals = (await storage.queryAttempts({ finalOnly: true }, {})).items;
  expect(finals.map(({ jobId, worker: by }) => `${jobId} by ${by}`).toSorted()).toEqual([
    'early by outside',
    'endless by outside',
    'late by worker-before',
  ]);
});

test('a run that the release before executes at its deadline is a retry like any other where that says so, and open no more', async () => {
  await storage.init();
  await before.register();
  await storage.insertJobs([due({ id: 'late', app: 'shop' })], 'raise');
  const ours = await worker('shop');
  const [run] = (await storage.claim(ours, 10)).runs;
  const now = await storage.now();
  const times = { startedAt: now, finishedAt: now, retryAt: now - 1_000 };
  const opened = {
    runId: run!.id,
    fence: run!.fence,
    worker: ours.workerId,
    outcome: 'opened',
    ...times,
  } as const;
  await storage.settle([{ ...opened, error: null, result: null }]);
  expect(await before.claim()).toEqual(['late']);
  // As its settlement of a failure with a retry leaves the row: it knows nothing of the mark.
  await before.query(
    `update "${schema}".run set worker = null, started_at = null, due_at = now() - interval '1 second'`,
  );
  expect((await storage.queryRuns({}, {})).items).toMatchObject([{ state: 'waiting' }]);
  const [again] = (await storage.claim(ours, 10)).runs;
  expect(again).toMatchObject({ id: run!.id, attempt: 2 });
  expect(again).not.toHaveProperty('openedAt');
});

test('what is changed at run time is void once the release before has written another declaration', async () => {
  await storage.init();
  await before.declare(every({ id: 'declared', definitionHash: 'h1' }));
  const ref = { namespace: 'default', id: 'declared' };
  const changed = { payload: { declared: null, at: 0, by: 'ada' } };
  await storage.updateJob(ref, { payload: 'changed', changed });
  expect(await storage.getJob(ref)).toMatchObject({ changed: { payload: { by: 'ada' } } });
  await before.redeclare(every({ id: 'declared', definitionHash: 'h1', payload: 'theirs' }));
  expect(await storage.getJob(ref)).toMatchObject({ changed: { payload: { by: 'ada' } } });
  await before.redeclare(every({ id: 'declared', definitionHash: 'h2', payload: 'of their code' }));
  expect(await storage.getJob(ref)).toMatchObject({ payload: 'of their code', changed: null });
});
