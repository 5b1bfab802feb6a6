import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UnrecoverableError } from '../../lib/index.js';
import { RealApp } from '../support/real.app.js';
import { databaseUrl, freshSchema } from '../support/schema.js';
import { newStorage } from '../support/postgres.subject.js';
import { chronis, document } from './cli.call.js';

const schema = freshSchema('cli');
const at = (): string[] => ['--storage', databaseUrl(), '--schema', schema];

describe('beside a process that runs jobs', () => {
  let app: RealApp;

  beforeAll(async () => {
    app = await RealApp.boot('postgres', {
      storage: newStorage({ schema }),
      app: 'shop',
      name: 'worker-1',
    });
    app.scheduler.registerHandler('fails', () => {
      throw new UnrecoverableError('It is broken.\nFor good.');
    });
    app.scheduler.registerHandler('works', () => ({ done: true }));
    app.scheduler.registerHandler('opens', (context) => context.open());
    await app.scheduler.offerHandler('works');
  });
  afterAll(() => app.app.close());

  test('jobs of its handlers are made, and run', async () => {
    const made = ['jobs', 'create', '--id', 'nightly', '--handler', 'works', '--manual', '--app', 'shop'];
    expect((await chronis([...made, ...at()])).code).toBe(0);
    const { run, outcome } = await document([
      'jobs',
      'run',
      'nightly',
      '--wait',
      '--timeout',
      '30s',
      ...at(),
    ]);
    expect(outcome).toMatchObject({ verdict: 'succeeded', result: { done: true } });
    const shown = await document(['runs', 'show', run.id, ...at()]);
    expect(shown).toMatchObject({ run: null, attempts: [{ outcome: 'succeeded', final: true }], steps: [] });
  });

  test('a run that fails is a dead letter, which is retried, and discarded', async () => {
    const made = ['jobs', 'create', '--id', 'broken', '--handler', 'fails', '--manual', '--app', 'shop'];
    await chronis([...made, ...at()]);
    const ran = await chronis(['jobs', 'run', 'broken', '--wait', '--timeout', '30s', ...at()]);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('It is broken.');
    const { runs } = await document(['runs', '--failed', '--job', 'broken', ...at()]);
    expect(runs).toMatchObject([{ jobId: 'broken', state: 'failed' }]);
    const [{ id }] = runs;
    expect((await chronis(['runs', 'retry', '999999999', ...at()])).code).toBe(1);
    expect(await document(['runs', 'retry', '--all', '--job', 'broken', '--dry-run', ...at()])).toEqual({
      found: 1,
      changed: 0,
    });
    for (const action of ['retry', 'discard']) {
      const trial = ['runs', action, id, '--dry-run', ...at()];
      expect((await chronis([...trial, '--yes'])).stdout).toBe(
        `${id}\twould be ${action === 'retry' ? 'retried' : 'discarded'}\n`,
      );
      // Nobody is asked, as nothing is done.
      expect(await document(trial)).toMatchObject({ found: 1, changed: 0 });
      const none = await document(['runs', action, '999999999', '--dry-run', ...at()]);
      expect(none.error.code).toBe('CHRONIS_RUN_NOT_FOUND');
    }
    expect((await document(['runs', '--failed', '--job', 'broken', ...at()])).runs).toMatchObject([{ id }]);
    const retried = await document(['runs', 'retry', id, ...at()]);
    expect(retried).toMatchObject({ changed: 1, runs: [{ retryOf: id }] });
    const again = await document(['runs', 'retry', id, '--dry-run', ...at()]);
    expect(again.error.code).toMatch(/^CHRONIS_RUN_NOT_F/);
    await app.scheduler.waitForRun(retried.runs[0].id);
    expect((await chronis(['runs', 'discard', '--all', ...at()])).code).toBe(64);
    expect(await document(['runs', 'discard', '--all', '--yes', ...at()])).toEqual({ found: 1, changed: 1 });
    expect((await document(['runs', '--failed', ...at()])).runs).toEqual([]);
  });

  test('an open run gets its verdict', async () => {
    const made = ['jobs', 'create', '--id', 'opened', '--handler', 'opens', '--in', '0', '--app', 'shop'];
    await chronis([...made, ...at()]);
    const { id } = (await app.scheduler.getRuns({ jobId: 'opened' })).items[0]!;
    const ended = app.scheduler.waitForRun(id);
    const args = ['runs', 'complete', id, '--result', '{"paid":12}', ...at()];
    expect(await chronis(args)).toEqual({ code: 0, stdout: `${id}\tsucceeded\n`, stderr: '' });
    expect(await ended).toMatchObject({ verdict: 'succeeded', result: { paid: 12 } });
    const late = await chronis(['runs', 'fail', id, ...at()]);
    expect(late.code).toBe(1);
  });

  test('pauses stop its queues, and are told', async () => {
    const pause = ['pauses', 'add', '--queue', 'default', '--reason', 'moving', '--by', 'ops', ...at()];
    expect((await chronis(pause)).code).toBe(0);
    expect((await document(['pauses', ...at()])).pauses).toMatchObject([
      { scope: { queue: 'default' }, reason: 'moving', by: 'ops' },
    ]);
    const { queues } = await document(['queues', ...at()]);
    expect(queues).toMatchObject([{ queue: 'default', workers: 1, paused: { reason: 'moving' } }]);
    expect((await chronis(['pauses', 'remove', '--queue', 'default', ...at()])).code).toBe(0);
    expect((await chronis(['pauses', 'remove', '--queue', 'default', ...at()])).code).toBe(1);
  });

  test('the worker is there, and the health is well; of another app it is not', async () => {
    const { workers } = await document(['workers', ...at()]);
    expect(workers).toMatchObject([{ name: 'worker-1', app: 'shop', live: true, queues: ['default'] }]);
    expect(await document(['health', '--app', 'shop', '--here', ...at()])).toMatchObject({
      healthy: true,
      problems: [],
      workers: [{ name: 'worker-1' }],
    });
    const { code, stdout } = await chronis(['health', '--app', 'mall', ...at()]);
    expect(code).toBe(2);
    expect(stdout).toContain('No process of the app "mall" runs jobs.');
  });

  test('the command line is no worker, declares nothing and orphans nothing', async () => {
    const before = await app.scheduler.queryJobs();
    await chronis(['jobs', ...at()]);
    expect((await document(['workers', '--all', ...at()])).workers).toHaveLength(1);
    expect(await app.scheduler.queryJobs()).toEqual(before);
  });

  test('the server is named by the variables of other tools as well', async () => {
    const { hostname, port, username, pathname, password } = new URL(databaseUrl());
    const PG = { PGHOST: hostname, PGPORT: port, PGUSER: username, PGDATABASE: pathname.slice(1) };
    const env = {
      ...PG,
      ...(password && { PGPASSWORD: decodeURIComponent(password) }),
      CHRONIS_SCHEMA: schema,
    };
    expect((await document(['workers'], { env })).workers).toHaveLength(1);
    const url = { DATABASE_URL: databaseUrl(), CHRONIS_SCHEMA: schema };
    expect((await document(['workers'], { env: url })).workers).toHaveLength(1);
  });
});

test('tables are looked at, printed and brought up to date', async () => {
  const other = freshSchema('cli');
  const there = ['--storage', databaseUrl(), '--schema', other];
  expect(await document(['migrate', '--check', ...there])).toMatchObject({ version: 0, migrated: false });
  expect((await chronis(['migrate', '--check', ...there])).code).toBe(2);
  const dry = await chronis(['migrate', '--dry-run', ...there]);
  expect(dry).toMatchObject({ code: 0, stderr: '' });
  expect(dry.stdout).toContain('There are no tables yet');
  // No other command makes them.
  const early = await chronis(['jobs', ...there]);
  expect(early.code).toBe(1);
  expect(early.stderr).toContain(`The schema "${other}" has no tables of Chronis`);
  const { stdout: sql } = await chronis(['migrate', '--sql', ...there]);
  expect(sql).toContain(`create table "${other}"."job"`);
  expect((await chronis(['migrate', '--sql', '--from', '0', '--schema', other])).stdout).toBe(sql);
  expect(await document(['migrate', ...there])).toMatchObject({ migrated: true });
  expect((await chronis(['migrate', '--check', ...there])).code).toBe(0);
  expect((await chronis(['migrate', '--sql', ...there])).stdout).toContain('nothing is to be done');
  expect((await chronis(['jobs', ...there])).code).toBe(0);
});

test('passwords are never told: not by errors, nor by the log', async () => {
  for (const storage of [
    'postgres://root:s3cr%2Ft-w0rd@127.0.0.1:1/none',
    'postgres://root@127.0.0.1:1/none?password=s3cr%2Ft-w0rd',
    'postgres://root:s3cr/t-w0rd@127.0.0.1:1/none',
  ]) {
    for (const more of [[], ['--json']]) {
      const { code, stdout, stderr } = await chronis([
        'jobs',
        '--log-level',
        'debug',
        '--storage',
        storage,
        ...more,
      ]);
      expect(code, storage).not.toBe(0);
      expect(stderr).not.toBe('');
      expect(stdout + stderr, storage).not.toMatch(/s3cr|t-w0rd/);
    }
  }
});
