import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sqliteStorage } from '../../lib/sqlite/index.js';
import { DoctorGround } from '../typeorm/doctor/doctor.ground.js';
import {
  addOneOff,
  addRecurring,
  claimOne,
  hour,
  settle,
  startWorker,
} from '../../lib/testing/laws/fixture.js';
import { chronis, document, inFolder } from './cli.call.js';

const ground = DoctorGround.forEachTest();

test('the doctor finds nothing where nothing is wrong, and says so', async () => {
  const { code, stdout, stderr } = await chronis(['doctor', '--storage', ground.url]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^127\.0\.0\.1:\d+\/doctor_\w+: \d\d checks, nothing is wrong\.\n$/);
});

test('findings come with what mends them, and 2; passwords are shown nowhere', async () => {
  await addRecurring(ground.storage, { dueInMs: -hour });
  await ground.sql('drop index chronis.run_claim');
  const at = ['--storage', ground.url];
  const { code, stdout } = await chronis(['doctor', ...at]);
  expect(code).toBe(2);
  expect(stdout).toContain('error doctor.no-worker\n  No worker is alive');
  expect(stdout).toContain('warning doctor.missing-index\n');
  expect(stdout).toContain('\n  psql: create index concurrently "run_claim" on "chronis"."run"');
  const found = await document(['doctor', ...at]);
  expect(found).toMatchObject({
    healthy: false,
    schema: 'chronis',
    unchecked: [],
    findings: [{ code: 'doctor.no-worker', severity: 'error' }, { code: 'doctor.missing-index' }],
  });
  expect(stdout + JSON.stringify(found)).not.toContain('sesame');
});

test('options are those of diagnose()', async () => {
  await addRecurring(ground.storage, { dueInMs: -hour });
  const { code } = await chronis(['doctor', '--overdue-after', '2h', '--storage', ground.url]);
  expect(code).toBe(0);
  const many = ['doctor', '--overdue-after', '2h', '--dead-letters', '0', '--storage', ground.url];
  expect((await chronis(many)).stderr).toContain('--dead-letters: must be a whole number from 1');
  const wrong = await chronis(['doctor', '--overdue-after', 'soon', '--storage', ground.url]);
  expect(wrong.stderr).toContain('overdueAfter');
  expect(wrong.code).not.toBe(0);
});

test('where the schema cannot be looked at, for locks or time, nothing is said to be well, and 1', async () => {
  const locking = await ground.other();
  await locking.query('begin; lock table chronis.meta in access exclusive mode');
  const asked = ['doctor', '--timeout', '1s', '--storage', ground.url];
  const { code, stdout } = await chronis(asked);
  expect(stdout).toMatch(/: \d+ checks, nothing is wrong in these; 1 could not be made\.\n/);
  expect(stdout).toMatch(/not checked: schema \(.*timeout.*nothing of the tables was looked at\)/);
  expect(code).toBe(1);
  expect(await document(asked)).toMatchObject({
    healthy: null,
    findings: [],
    unchecked: [{ check: 'schema', lacksRight: false }],
  });
  // What is found is worse than what is not known.
  const found = await chronis([...asked, '--listen-url', ground.urlOf('postgres')]);
  expect(found.code).toBe(2);
  expect(found.stdout).toContain('1 finding; 1 check could not be made.');
  const health = await chronis(['health', '--timeout', '1', '--storage', ground.url]);
  expect(health.code).toBe(1);
  await locking.query('rollback');
  expect((await chronis(['doctor', '--storage', ground.url])).code).toBe(0);
});

test('a check that the role may not make says nothing of the others', async () => {
  await ground.sql(
    `do $$ begin create role reader login; exception when duplicate_object then null; end $$; grant usage on schema chronis to reader; grant select, insert, update, delete on all tables in schema chronis to reader; revoke select on pg_catalog.pg_prepared_xacts from public`,
  );
  const asked = ['doctor', '--storage', ground.urlOf(ground.database, 'reader')];
  const { code, stdout } = await chronis(asked);
  expect(stdout).toMatch(
    /nothing is wrong in these; 1 could not be made\.\n\nnot checked: prepared transactions \(permission denied/,
  );
  expect(code).toBe(0);
  expect(await document(asked)).toMatchObject({ healthy: true, unchecked: [{ lacksRight: true }] });
});

test('a server that is away is a failure, not a finding', async () => {
  const { code, stderr } = await chronis(['doctor', '--storage', 'postgres://x:sesame@127.0.0.1:1/none']);
  expect(code).toBe(1);
  expect(stderr).toContain('PostgreSQL at 127.0.0.1:1/none cannot be examined');
  expect(stderr).not.toContain('sesame');
});

test('of a file the work is looked at', async () => {
  await inFolder(async (folder) => {
    const at = ['--storage', `file:${folder}/jobs.yaml`];
    const make = ['jobs', 'create', '--handler', 'work', '--allow-unknown-handler', ...at];
    await chronis([...make, '--id', 'later', '--every', '1h']);
    expect(await chronis(['doctor', ...at])).toMatchObject({ code: 0 });
    await chronis([...make, '--id', 'late', '--at', '2020-01-01T00:00Z']);
    await chronis(['pauses', 'add', '--queue', 'mail', '--by', 'ops', ...at]);
    const { code, stdout } = await chronis(['doctor', '--forgotten-after', '1ms', ...at]);
    expect(code).toBe(2);
    expect(stdout).toContain(
      'doctor.no-worker\n  No process works on this file, and 1 of its jobs is overdue',
    );
    expect(stdout).toContain('run: chronis pauses remove --queue mail');
  });
});

test('of a file dead letters are counted', async () => {
  await inFolder(async (folder) => {
    const at = ['--storage', `sqlite:${folder}/jobs.db`];
    const storage = await sqliteStorage({ path: join(folder, 'jobs.db') }).create();
    await storage.init();
    const worker = await startWorker(storage);
    for (const id of ['a', 'b']) {
      await addOneOff(storage, { id });
      await settle(storage, await claimOne(storage, worker), { outcome: 'failed', error: 'boom' });
    }
    await storage.close();
    const { code, stdout } = await chronis(['doctor', '--dead-letters', '2', ...at]);
    expect(stdout).toContain('warning doctor.dead-letters\n  2 runs have given up and are kept');
    expect(stdout).toContain('run: chronis runs --failed');
    expect(code).toBe(2);
    expect(await chronis(['doctor', '--dead-letters', '3', ...at])).toMatchObject({ code: 0 });
  });
});

test('why and forecast answer for a job', async () => {
  const at = ['--storage', ground.url];
  await addOneOff(ground.storage, { id: 'once', dueInMs: hour });
  const { items } = await ground.storage.queryJobs({}, {});
  const instant = items[0]!.nextRunAt!.toISOString();
  const { code, stdout } = await chronis(['why', 'once', instant, ...at]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^"once" will run at .*\n$/);
  expect(await document(['why', 'once', '2020-01-01T00:00Z', ...at])).toMatchObject({
    jobId: 'once',
    answer: 'did-not-run',
    cause: 'not-in-schedule',
  });
  expect(await chronis(['why', 'none', instant, ...at])).toMatchObject({ code: 1 });
  expect(await document(['forecast', ...at])).toMatchObject({ runs: 1, jobs: 1, held: 0, bucketMs: 60_000 });
  const shown = await chronis(['forecast', ...at]);
  expect(shown.stdout).toMatch(/: 1 run of 1 job\nFROM\tRUNS\n20\S+Z\t1\n$/);
});
