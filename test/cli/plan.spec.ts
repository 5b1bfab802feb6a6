import { fileURLToPath } from 'node:url';
import type { Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ChronisEvents, type ChronisEventMap, type Job, type StorageAdapter } from '../../lib/index.js';
import { addRecurring, startWorker } from '../../lib/testing/laws/fixture.js';
import type { PlannedApp } from '../../lib/cli/planned.app.js';
import { databaseUrl, freshSchema } from '../support/schema.js';
import { newStorage } from '../support/postgres.subject.js';
import { chronis, document } from './cli.call.js';
import { AppModule as ReleaseOne } from './plan.app/release.one.js';
import { HooksModule } from './plan.app/with.hooks.js';
import { AppModule as ReleaseTwo } from './plan.app/release.two.js';

const fileOf = (name: string): string => fileURLToPath(new URL(`plan.app/${name}.ts`, import.meta.url));
const two = ['plan', '--app', fileOf('release.two')];
const client = new pg.Client(databaseUrl());
let schema: string;

beforeAll(() => client.connect());
afterAll(() => client.end());
beforeEach(() => {
  schema = freshSchema('plan');
  process.env.PLAN_URL = databaseUrl();
  process.env.PLAN_SCHEMA = schema;
});
afterEach(async () => {
  await client.query(`drop schema if exists "${schema}" cascade`);
  delete process.env.PLAN_PAUSES;
  delete process.env.PLAN_PRIORITY;
});

/** Starts a release, tells what its sync did, and ends it. */
async function deploy(
  module: Type,
  meanwhile: () => Promise<void> = async () => undefined,
): Promise<ChronisEventMap['jobs.synced']> {
  let synced!: ChronisEventMap['jobs.synced'];
  const listener = {
    provide: 'listener',
    inject: [ChronisEvents],
    useFactory: (events: ChronisEvents) => events.on('jobs.synced', (event) => void (synced = event)),
  };
  const root = { module: class Root {}, imports: [module], providers: [listener] };
  const app = await NestFactory.createApplicationContext(root, { logger: false, abortOnError: false });
  try {
    await meanwhile();
  } finally {
    await app.close();
  }
  return synced;
}

async function inStorage<T>(work: (storage: StorageAdapter) => Promise<T>): Promise<T> {
  const storage = newStorage({ schema });
  await storage.init();
  try {
    return await work(storage);
  } finally {
    await storage.close();
  }
}

async function storedJobs(): Promise<Map<string, Job>> {
  const { items } = await inStorage((storage) => storage.queryJobs({}, { limit: 100 }));
  return new Map(items.map((job) => [job.id, job]));
}

/** Every row of every table. */
async function rows(): Promise<object> {
  const { rows: tables } = await client.query<{ name: string }>(
    `select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables where schemaname = $1 order by 1`,
    [schema],
  );
  const all: Record<string, unknown> = {};
  for (const { name } of tables) {
    all[name] = (await client.query(`select t::text as row from ${name} t order by 1`)).rows;
  }
  return all;
}

const ids = (jobs: readonly { id: string }[]): string[] => jobs.map(({ id }) => id).toSorted();

test('what is planned is what the deploy then changes, and the plan itself changes nothing', async () => {
  await deploy(ReleaseOne);
  await inStorage((storage) =>
    storage.pauseJob({ namespace: 'default', id: 'nightly' }, { reason: null, by: null }),
  );
  const before = await rows();
  const plan = (await document(two)) as PlannedApp;
  expect(await rows()).toEqual(before);
  expect((await chronis(two)).code).toBe(2);

  expect(ids(plan.created)).toEqual(['noon', 'weekly']);
  expect(plan.changed.map(({ id, from, kind, fields }) => ({ id, from, kind, fields }))).toEqual([
    { id: 'daily', from: 'daily', kind: 'changed', fields: ['schedule', 'maxRetries'] },
    { id: 'poller', from: 'poll', kind: 'renamed', fields: [] },
  ]);
  expect(ids(plan.gone)).toEqual(['old']);
  expect(plan).toMatchObject({ isEmpty: false, taken: [], unchanged: 1, booted: [], lacks: [] });
  expect(plan.workflows).toEqual({
    created: ['parcel'],
    changed: [{ name: 'order', fromVersion: 1 }],
    gone: [{ name: 'refund', version: 1 }],
  });
  const weekly = plan.created.find(({ id }) => id === 'weekly')!;
  expect(weekly.after.schedule).toContain('Monday');
  const daily = plan.changed[0]!;
  expect([daily.before.schedule, daily.after.schedule]).toEqual([
    'At 09:00 in Asia/Seoul, every day',
    'At 07:00 in Asia/Seoul, every day',
  ]);

  const was = await storedJobs();
  const synced = await deploy(ReleaseTwo, async () => {
    // What no live worker declares is noted first, and orphaned when the grace is over.
    const orphan = (): Promise<{ id: string }[]> =>
      inStorage((storage) => storage.orphanUndeclared('shop', 0));
    expect(ids([...(await orphan()), ...(await orphan())])).toEqual(ids(plan.gone));
  });
  const is = await storedJobs();
  expect(ids(synced.created)).toEqual(ids(plan.created));
  expect(ids(synced.changed)).toEqual(ids(plan.changed));
  for (const job of [...plan.created, ...plan.changed]) {
    expect(is.get(job.id)!.nextRunAt!.toISOString(), job.id).toBe(job.after.next[0]);
  }
  for (const { from, before: told } of plan.changed) {
    expect(was.get(from)!.nextRunAt!.toISOString(), from).toBe(told.next[0]);
  }
  expect(is.get('daily')!.policies.maxRetries).toBe(2);
  expect([is.has('poll'), is.get('poller')!.createdAt]).toEqual([false, was.get('poll')!.createdAt]);
  const versions = await inStorage(async (storage) => {
    const { items } = await storage.definitions!.queryDefinitions({ latest: true }, {});
    return Object.fromEntries(items.map(({ name, version }) => [name, version]));
  });
  expect(versions).toEqual({ order: 2, parcel: 1, refund: 1 });
});

test('nothing is to be changed where the same release is deployed', async () => {
  await deploy(ReleaseTwo);
  const { code, stdout } = await chronis(two);
  expect(stdout).toBe('Jobs of the app "shop": 0 new, 0 changed, 0 gone, 5 unchanged.\n');
  expect(code).toBe(0);
});

test('people read what is new, changed and gone, with what the clocks do', async () => {
  await deploy(ReleaseOne);
  const { stdout } = await chronis(two);
  expect(stdout).toContain('Jobs of the app "shop": 2 new, 2 changed, 1 gone, 1 unchanged.\n');
  expect(stdout).toMatch(/\+ weekly \(Reports\.weekly\)\n {4}At 02:30 in Europe\/Berlin, .*; next 20/);
  expect(stdout).toMatch(
    /~ daily \(Reports\.daily\) is changed: schedule, maxRetries\n {4}before: At 09:00.*\n {4}after: {2}At 07:00/,
  );
  expect(stdout).toMatch(/~ poller \(Reports\.poll\) is "poll" renamed/);
  expect(stdout).toMatch(/- old is orphaned/);
  expect(stdout).toContain('~ workflow order: runs that begin later are of a version after 1\n');
});

test('a changed job that is paused is told as that', async () => {
  await deploy(ReleaseOne);
  await inStorage((storage) =>
    storage.pauseJob({ namespace: 'default', id: 'daily' }, { reason: null, by: null }),
  );
  const { stdout } = await chronis(two);
  expect(stdout).toMatch(
    /~ daily .*\n.*next none\n.*next none\n {4}paused, and stays so until it is resumed\n/,
  );
});

test('a handler that a job made at run time needs, and the release lacks, is something that is found', async () => {
  await deploy(ReleaseTwo);
  await inStorage(async (storage) => {
    const worker = await startWorker(storage, { app: 'shop', handlers: ['hand'] });
    await addRecurring(storage, { id: 'dyn', app: 'shop', handler: 'hand' });
    await storage.unregister(worker.workerId);
  });
  const { code, stdout } = await chronis(two);
  expect(stdout).toContain(
    '! 1 job made at run time needs the handler "hand", such as "dyn", which this release lacks.\n',
  );
  expect(code).toBe(2);
});

test('an id that somebody made at run time is told, as a start is refused', async () => {
  await deploy(ReleaseOne);
  await inStorage((storage) => addRecurring(storage, { id: 'noon' }));
  const { taken, created } = (await document(two)) as PlannedApp;
  expect(taken).toEqual([{ namespace: 'default', id: 'noon', place: 'Reports.noon' }]);
  expect(ids(created)).toEqual(['weekly']);
  await expect(deploy(ReleaseTwo)).rejects.toThrow(/noon/);
});

test('jobs that hooks make are told and not made; what else hooks change stops the plan', async () => {
  await deploy(ReleaseOne);
  const before = await rows();
  const hooks = ['plan', '--app', fileOf('with.hooks'), '--export', 'HooksModule'];
  expect(await document(hooks)).toMatchObject({
    isEmpty: true,
    booted: [{ namespace: 'default', id: 'sweep', action: 'created' }],
  });
  expect((await chronis(hooks)).stdout).toContain('* sweep is created by a hook of the application.\n');
  process.env.PLAN_PAUSES = '1';
  const { code, stderr } = await chronis(hooks);
  expect(code).toBe(1);
  expect(stderr).toMatch(/A plan changes nothing, but .* it called pauseScope\(\)/);
  expect(await rows()).toEqual(before);
});

test('what a hook says again of a stored job is told where it changes something', async () => {
  await deploy(HooksModule);
  const before = await rows();
  const hooks = ['plan', '--app', fileOf('with.hooks'), '--export', 'HooksModule'];
  expect(await document(hooks)).toMatchObject({ isEmpty: true, booted: [] });
  process.env.PLAN_PRIORITY = '7';
  expect(await document(hooks)).toMatchObject({
    booted: [{ namespace: 'default', id: 'sweep', action: 'changed' }],
  });
  const { code, stdout } = await chronis(hooks);
  expect([code, stdout]).toEqual([2, expect.stringContaining('* sweep is changed by a hook')]);
  expect(await rows()).toEqual(before);
});

test('tables are not made for a plan', async () => {
  const { code, stderr } = await chronis(two);
  expect(code).toBe(1);
  expect(stderr).toContain('no tables of Chronis');
  const { rows: found } = await client.query('select from pg_namespace where nspname = $1', [schema]);
  expect(found).toEqual([]);
});

test.each(['Dynamic', 'Promised', 'PromisedClass'])(
  'a module that is exported as %s is planned',
  async (name) => {
    const { code, stderr } = await chronis(['plan', '--app', fileOf('in.shapes'), '--export', name]);
    expect(stderr).toContain('keeps its jobs in memory');
    expect(code).toBe(1);
  },
);

test.each([
  [['plan'], '--app is missing'],
  [['plan', '--app', 'nowhere.js'], 'there is no '],
  [['plan', '--app', '.'], 'is no file. Give the compiled module'],
  [[...two, '--boot-timeout', '2d'], '--boot-timeout: may be 1d at most'],
  [
    ['plan', '--app', fileOf('by.default')],
    'exports no "AppModule". Give its name by --export; there are: default.',
  ],
  [
    ['plan', '--app', fileOf('in.shapes'), '--export', 'Settings'],
    'exports a "Settings" that is no module. Give its name by --export; there are: Dynamic.',
  ],
  [[...two, '--export', 'Other'], 'exports no "Other". Give its name by --export; there are: AppModule.'],
])('%j makes no sense', async (args, message) => {
  const { code, stderr } = await chronis(args);
  expect(stderr).toContain(message);
  expect(code).toBe(64);
});
