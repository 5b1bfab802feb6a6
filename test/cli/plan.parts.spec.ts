import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PlannedApp } from '../../lib/cli/planned.app.js';
import type { Job, StorageAdapter } from '../../lib/index.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';
import { chronis, document } from './cli.call.js';
import { AppModule as WithFiles } from './plan.app/with.files.js';
import { AppModule as WithInstances } from './plan.app/with.instances.js';

const fileOf = (name: string): string => fileURLToPath(new URL(`plan.app/${name}.ts`, import.meta.url));
const files = ['plan', '--app', fileOf('with.files')];
const next = ['plan', '--app', fileOf('with.instances'), '--export', 'NextModule'];
const client = new pg.Client(databaseUrl());
let schema: string;
let folder: string;

beforeAll(() => client.connect());
afterAll(() => client.end());
beforeEach(() => {
  schema = freshSchema('plan');
  folder = mkdtempSync(join(tmpdir(), 'chronis-plan-'));
  process.env.PLAN_URL = databaseUrl();
  process.env.PLAN_SCHEMA = schema;
  process.env.PLAN_JOBS = folder;
});
afterEach(async () => {
  await client.query(`drop schema if exists "${schema}" cascade`);
  rmSync(folder, { recursive: true });
});

async function deploy(module: Type): Promise<void> {
  const app = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  await app.close();
}

async function storedJobs(): Promise<Map<string, Job>> {
  const storage: StorageAdapter = newStorage({ schema });
  await storage.init();
  try {
    const { items } = await storage.queryJobs({}, { limit: 100 });
    return new Map(items.map((job) => [job.id, job]));
  } finally {
    await storage.close();
  }
}

/** Every row of every table. */
async function rows(): Promise<object> {
  const { rows: tables } = await client.query<{ name: string }>(
    `select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables where schemaname = $1 order by 1`,
    [schema],
  );
  const all: Record<string, unknown> = {};
  for (const { name } of tables)
    all[name] = (await client.query(`select t::text as row from ${name} t order by 1`)).rows;
  return all;
}

function put(id: string, schedule: string): void {
  const job = { job_id: id, schedule, task: { type: 'execute_command', command: '/bin/true' } };
  writeFileSync(join(folder, `${id}.json`), JSON.stringify(job));
}

const ids = (jobs: readonly { id: string }[]): string[] => jobs.map(({ id }) => id);

describe('of jobs in files', () => {
  beforeEach(async () => {
    put('mirror', '0 2 * * *');
    put('report', '0 5 * * *');
    put('clean', '0 6 * * *');
    await deploy(WithFiles);
  });

  test('what is planned is what the deploy then changes, and the plan itself changes nothing', async () => {
    put('report', '0 7 * * *');
    put('noon', '0 12 * * *');
    rmSync(join(folder, 'clean.json'));
    const before = await rows();
    const plan = (await document(files)) as PlannedApp;
    expect(await rows()).toEqual(before);
    expect((await chronis(files)).code).toBe(2);
    expect(plan.created).toMatchObject([{ id: 'noon', place: 'noon.json:1:1' }]);
    expect(plan.changed).toMatchObject([{ id: 'report', kind: 'changed', fields: ['schedule'] }]);
    expect(plan.gone).toMatchObject([{ id: 'clean', outcome: 'orphaned' }]);
    expect(plan).toMatchObject({ isEmpty: false, unchanged: 2, warnings: [], taken: [] });

    await deploy(WithFiles);
    const stored = await storedJobs();
    expect([...stored.keys()].toSorted()).toEqual(['clean', 'daily', 'mirror', 'noon', 'report']);
    for (const job of [...plan.created, ...plan.changed])
      expect(stored.get(job.id)!.nextRunAt!.toISOString(), job.id).toBe(job.after.next[0]);
    expect(stored.get('clean')!.state).toBe('orphaned');
    expect(await document(files)).toMatchObject({ isEmpty: true, unchanged: 4 });
    expect((await chronis(files)).code).toBe(0);
  });

  test('a file that is broken is told, and its jobs are not taken for gone', async () => {
    writeFileSync(join(folder, 'report.json'), '{ "job_id": "report", ');
    const { code, stdout } = await chronis(files);
    expect(stdout).toMatch(/! The job file .*report\.json:1:\d+: /);
    expect(code).toBe(2);
    expect(await document(files)).toMatchObject({ isEmpty: true, gone: [] });
  });

  test('a folder that is empty is told, and believed by nobody', async () => {
    for (const id of ['mirror', 'report', 'clean']) rmSync(join(folder, `${id}.json`));
    const plan = (await document(files)) as PlannedApp;
    expect(plan).toMatchObject({ gone: [], warnings: [expect.stringContaining('is empty')] });
  });

  test('programs that jobs bring along are not looked for, as that would be a change', async () => {
    const task = { type: 'binary', sha256: 'a'.repeat(64) };
    writeFileSync(join(folder, 'own.json'), JSON.stringify({ job_id: 'own', schedule: '0 1 * * *', task }));
    expect(await document(files)).toMatchObject({ created: [{ id: 'own' }], warnings: [] });
  });

  test('a release that does not read the folder any more lets its jobs go', async () => {
    const plan = (await document([...files, '--export', 'WithoutFiles'])) as PlannedApp;
    expect(ids(plan.gone)).toEqual(['clean', 'mirror', 'report']);
    expect(plan).toMatchObject({ created: [], changed: [], unchanged: 1 });
  });
});

describe('of several instances', () => {
  test('each is told by its name, with its jobs and workflows and what hooks make in it', async () => {
    await deploy(WithInstances);
    const before = await rows();
    const plan = (await document(next)) as PlannedApp;
    expect(await rows()).toEqual(before);
    expect(plan).toMatchObject({ instance: 'shop', app: 'shop', isEmpty: true, unchanged: 1, booted: [] });
    expect(plan.instances).toMatchObject([
      {
        instance: 'reports',
        app: 'reports',
        isEmpty: false,
        created: [{ id: 'poll' }],
        changed: [{ id: 'nightly', fields: expect.arrayContaining(['schedule']) }],
        workflows: { created: ['monthly'] },
        booted: [{ id: 'sweep', action: 'created' }],
        lacks: [],
      },
    ]);
    expect(plan.instances).toHaveLength(1);
    const { code, stdout, stderr } = await chronis(next);
    expect(stdout).toContain(
      'Jobs of the app "shop" (instance "shop"): 0 new, 0 changed, 0 gone, 1 unchanged.\n',
    );
    expect(stdout).toContain(
      'Jobs of the app "reports" (instance "reports"): 1 new, 1 changed, 0 gone, 0 unchanged.\n',
    );
    expect(stderr).toContain('The instance "cache" keeps its jobs in memory');
    expect(code).toBe(2);
  });

  test('nothing is to be changed where the same release is deployed', async () => {
    await deploy(WithInstances);
    const same = ['plan', '--app', fileOf('with.instances')];
    expect((await chronis(same)).code).toBe(0);
  });

  test('where all are in memory there is nothing to plan', async () => {
    const { code, stderr } = await chronis([...next.slice(0, 3), '--export', 'MemoryModule']);
    expect(stderr).toContain('keeps its jobs in memory: nothing is stored that could change');
    expect(code).toBe(1);
  });
});
