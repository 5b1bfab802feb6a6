import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  InvalidOptionError,
  StorageDamagedError,
  StorageError,
  StorageInUseError,
  type StorageAdapter,
} from '../../lib/index.js';
import { openDatabase } from '../../lib/sqlite/sqlite.driver.js';
import { sqliteStorage } from '../../lib/sqlite/index.js';
import { ManualClock } from '../../lib/testing/index.js';
import {
  addOneOff,
  addRecurring,
  claimOne,
  fireOne,
  ref,
  settle,
  startWorker,
} from '../../lib/testing/laws/fixture.js';
import { temporaryFolder } from '../support/file.subject.js';

let folder: string;
let path: string;
let clock: ManualClock;
let opened: StorageAdapter[];

beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder, 'jobs.db');
  clock = new ManualClock();
  opened = [];
});

afterEach(async () => {
  for (const storage of opened) await storage.close();
  rmSync(folder, { recursive: true });
});

async function open(): Promise<StorageAdapter> {
  const storage = await sqliteStorage({ path, clock, driver: 'better-sqlite3' }).create();
  await storage.init();
  opened.push(storage);
  return storage;
}

function query(sql: string): unknown[] {
  const database = openDatabase(path, 'better-sqlite3');
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

test('what it makes is for its user alone, and what was there stays as it was', async () => {
  const storage = await open();
  await addOneOff(storage, {});
  for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o077, name).toBe(0);
  await storage.close();
  chmodSync(path, 0o640);
  await open();
  expect(statSync(path).mode & 0o777).toBe(0o640);
});

test('everything is there after a restart', async () => {
  const first = await open();
  const job = await addRecurring(first, { payload: { of: ['a'] } });
  const worker = await startWorker(first);
  await settle(first, await fireOne(first, worker), { result: 'done' });
  const attempts = await first.queryAttempts({}, { limit: 10 });
  await first.close();
  const second = await open();
  expect(await second.queryAttempts({}, { limit: 10 })).toEqual(attempts);
  expect(await second.getJob(ref('job'))).toMatchObject({ payload: job.payload, runCount: 1 });
});

test('what a process held that is gone is lost at once, and is claimed again', async () => {
  const first = await open();
  await addOneOff(first);
  const run = await claimOne(first, await startWorker(first));
  await first.close();
  const second = await open();
  expect((await second.releaseLost()).runs).toMatchObject([{ runId: run.id, verdict: null }]);
  expect(await claimOne(second, await startWorker(second))).toMatchObject({
    id: run.id,
    fence: run.fence + 1,
  });
});

test('a lock of a process that is gone is free, and its fence goes on', async () => {
  const first = await open();
  const lock = await first.lock.acquire('key', 'one', 60_000);
  await first.close();
  const second = await open();
  expect(await second.lock.acquire('key', 'other', 60_000)).toEqual({
    key: 'key',
    owner: 'other',
    fence: lock!.fence + 1,
  });
});

test('jobs, runs, attempts, gaps and workers can be read by SQL, also while the process goes on', async () => {
  const storage = await open();
  await addRecurring(storage, { id: 'report', name: 'Report' });
  await addOneOff(storage, { id: 'mail' });
  const worker = await startWorker(storage);
  const run = await fireOne(storage, worker);
  await settle(storage, run, { outcome: 'failed', error: 'boom' });
  await storage.pauseJob(ref('report'), { reason: 'holidays', by: 'me' });
  expect(query(`select id, name, kind, run_count, last_verdict, next_run_at from jobs order by id`)).toEqual([
    { id: 'mail', name: null, kind: 'one-off', run_count: 0, last_verdict: null, next_run_at: null },
    {
      id: 'report',
      name: 'Report',
      kind: 'recurring',
      run_count: 1,
      last_verdict: 'failed',
      next_run_at: null,
    },
  ]);
  expect(query(`select run_id, job_id, outcome, error, final, finished_at from attempts`)).toEqual([
    {
      run_id: run.id,
      job_id: 'report',
      outcome: 'failed',
      error: 'boom',
      final: 1,
      finished_at: new Date(clock.now()).toISOString(),
    },
  ]);
  expect(query(`select job_id, namespace, handler, verdict from runs order by job_id`)).toEqual([
    { job_id: 'mail', namespace: 'default', handler: 'work', verdict: null },
    { job_id: 'report', namespace: 'default', handler: 'work', verdict: 'failed' },
  ]);
  expect(query(`select job_id, verdict, reason, until_at from gaps`)).toEqual([
    { job_id: 'report', verdict: 'paused', reason: 'holidays', until_at: null },
  ]);
  expect(query(`select worker_id, app from workers`)).toEqual([{ worker_id: worker.workerId, app: 'shop' }]);
});

test('what retention has deleted is gone from the tables too', async () => {
  const storage = await open();
  await addRecurring(storage);
  await settle(storage, await fireOne(storage, await startWorker(storage)));
  expect(query('select run_id from attempts')).toHaveLength(1);
  await clock.advanceBy(1_000_000);
  expect(await storage.prune({ defaultMs: 1_000, byVerdict: {} })).toMatchObject({ attempts: 1 });
  expect(query('select run_id from attempts')).toEqual([]);
});

test('a second one on the file is refused by name, and nothing of the first is changed', async () => {
  const first = await open();
  await addOneOff(first);
  const error = await open().catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(StorageInUseError);
  expect((error as Error).message).toContain(`${path} is in use by the process ${process.pid} on `);
  expect(await first.getJob(ref('job'))).not.toBeNull();
  await first.close();
  expect(await (await open()).getJob(ref('job'))).not.toBeNull();
});

test('a database of something else, and a file that is none, are refused and left as they are', async () => {
  const other = openDatabase(path, 'better-sqlite3');
  other.exec('create table customers (id integer)');
  other.close();
  await expect(open()).rejects.toThrow(`${path} is a database of something else`);
  rmSync(path);
  writeFileSync(path, 'Dear diary, '.repeat(1_000));
  await expect(open()).rejects.toThrow(StorageDamagedError);
  expect(readFileSync(path, 'utf8')).toMatch(/^Dear diary/);
  expect(existsSync(`${path}.lock`)).toBe(false);
});

test.each([
  ['by a lock of another program', 'pragma locking_mode = exclusive; begin exclusive;'],
  ['by a write of another program, which may be one that has lost it', 'begin immediate;'],
])('a database that is held %s is told as that, not as damaged', async (_, sql) => {
  await (await open()).close();
  const other = openDatabase(path, 'better-sqlite3');
  other.exec(sql);
  try {
    const error = await open().catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(StorageError);
    expect(error).not.toBeInstanceOf(StorageDamagedError);
    expect((error as Error).message).toBe(`${path} cannot be opened: database is locked`);
  } finally {
    other.close();
  }
  await open();
});

test('a database whose pages are damaged, and one whose rows are, is refused as that', async () => {
  const storage = await open();
  await addOneOff(storage);
  await storage.close();
  const content = readFileSync(path);
  const other = openDatabase(path, 'better-sqlite3');
  other.exec(`update chronis_jobs set row = '{'`);
  other.close();
  await expect(open()).rejects.toThrow(StorageDamagedError);
  writeFileSync(path, content.fill(0x5a, 4_096));
  await expect(open()).rejects.toThrow(StorageDamagedError);
});

test.each([
  [{}, 'path: has to be the path of a file'],
  [{ path: ':memory:' }, 'path: has to be a file'],
  [{ path: 'a.db', driver: 'sqlite3' }, 'driver: has to be one of auto, node:sqlite, better-sqlite3'],
  [{ path: 'a.db', recordLimit: 0 }, 'recordLimit: has to be a whole number above 0'],
  [{ path: 'a.db', url: 'x' }, 'url: is no option of sqliteStorage()'],
  ['a.db', 'options: sqliteStorage() takes an object, { path }'],
])('options that are wrong are refused: %j', (options, message) => {
  expect(() => sqliteStorage(options as never)).toThrow(InvalidOptionError);
  expect(() => sqliteStorage(options as never)).toThrow(message);
});

test('where this Node has no module the error names what to use', async () => {
  if (Number(process.versions.node.split('.')[0]) >= 22) return;
  const storage = await sqliteStorage({ path, driver: 'node:sqlite' }).create();
  await expect(storage.init()).rejects.toThrow('npm install better-sqlite3@12');
  expect(existsSync(`${path}.lock`)).toBe(false);
});
