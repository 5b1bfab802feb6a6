import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AuditAction, SchedulerService, WorkflowService } from '../../lib/index.js';
import { queryAudit } from '../../lib/typeorm/auditing.js';
import { queryRuns } from '../../lib/typeorm/record.queries.js';
import { tableNames } from '../../lib/typeorm/sql/table.names.js';
import { TransactionalApp } from '../support/transactional.app.js';

const ada = { by: 'ada', note: 'why' };
const job = { id: 'a', handler: 'work' };

describe('who has asked, on PostgreSQL', () => {
  let app: TransactionalApp;
  let scheduler: SchedulerService;
  let workflows: WorkflowService;

  const sent: string[] = [];

  beforeAll(async () => {
    const query = Reflect.get(pg.Client.prototype, 'query') as (...given: unknown[]) => unknown;
    vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (
      this: pg.Client,
      ...given: unknown[]
    ) {
      const [config] = given as [string | { text: string }];
      sent.push(typeof config === 'string' ? config : config.text);
      return Reflect.apply(query, this, given);
    } as never);
    app = await TransactionalApp.create('audit');
    ({ scheduler, workflows } = await app.boot());
    scheduler.registerHandler('work', () => undefined);
  });
  afterAll(async () => {
    await app.close();
    vi.restoreAllMocks();
  });
  beforeEach(async () => {
    await app.empty();
    await app.client.query(`delete from "${app.schema}".audit`);
  });

  const actions = async (): Promise<AuditAction[]> =>
    (await scheduler.getAudit()).items.map(({ action }) => action).toReversed();

  test('is committed, or rolled back, with the transaction of the caller', async () => {
    const undone = new Error('undone');
    for (const error of [undone, null]) {
      const work = app.source.transaction(async (manager) => {
        await scheduler.withActor(ada, async () => {
          await scheduler.createIntervalJob({ ...job, hours: 1 }, { manager });
          await scheduler.updateJob('a', { priority: 3 }, { manager });
          await scheduler.pauseJob('a', { manager });
          await scheduler.deleteJob('a', { manager });
        });
        expect((await scheduler.getAudit({}, { manager })).items).toHaveLength(4);
        expect(await actions()).toEqual([]);
        if (error) throw error;
      });
      if (error) await expect(work).rejects.toBe(error);
      else await work;
      expect(await actions()).toEqual(error ? [] : ['create', 'update', 'pause', 'delete']);
    }
  });

  test.each([
    ['of the storage', null],
    ['of the caller', 'manager'],
  ])('what cannot be put on record is not done, in a transaction %s', async (_, whose) => {
    await scheduler.createIntervalJob({ ...job, hours: 1 });
    const { schema, client } = app;
    await client.query(`alter table "${schema}".audit add constraint full_up check (actor <> 'ada')`);
    const pause = (options: object) => scheduler.withActor(ada, () => scheduler.pauseJob('a', options));
    try {
      if (whose === null) await expect(pause({})).rejects.toThrow('full_up');
      else {
        await app.source.transaction(async (manager) => {
          await expect(pause({ manager })).rejects.toThrow('full_up');
          await app.insert(manager);
        });
      }
    } finally {
      await client.query(`alter table "${schema}".audit drop constraint full_up`);
    }
    expect((await scheduler.getJob('a'))!.paused).toBeNull();
  });

  test('costs no statement where nobody is named, and writes by one where somebody is', async () => {
    const statements = async (work: () => Promise<unknown>): Promise<string[]> => {
      sent.length = 0;
      await work();
      return sent.filter((text) => text.includes(app.schema));
    };
    await scheduler.createIntervalJob({ ...job, hours: 1 });
    await scheduler.runNow('a');
    const alone = await statements(() => scheduler.runNow('a'));
    const nobody = await statements(() => scheduler.withActor(null, () => scheduler.runNow('a')));
    const named = await statements(() => scheduler.withActor(ada, () => scheduler.runNow('a')));
    expect(nobody).toEqual(alone);
    expect(named).toHaveLength(alone.length + 1);
    expect(named.filter((text) => text.includes('"audit"'))).toHaveLength(1);
  });

  test('is one entry for many calls at once, each in its own name', async () => {
    await scheduler.createIntervalJob({ ...job, hours: 1 });
    const names = Array.from({ length: 20 }, (_, nth) => `user${nth}`);
    await Promise.all(names.map((by) => scheduler.withActor({ by }, () => scheduler.runNow('a'))));
    const { items } = await scheduler.getAudit();
    expect(items.map(({ actor }) => actor).toSorted()).toEqual(names.toSorted());
    expect(new Set(items.map(({ runId }) => runId)).size).toBe(20);
  });

  test('is one entry for a change of many in several steps', async () => {
    const jobs = Array.from({ length: 250 }, (_, nth) => ({ id: `job${nth}`, handler: 'work', every: '1h' }));
    await scheduler.createMany(jobs);
    await scheduler.withActor(ada, () => scheduler.pauseMany({ handler: 'work' }));
    const [entry, ...others] = (await scheduler.getAudit()).items;
    expect(others).toEqual([]);
    expect(entry).toMatchObject({
      action: 'pauseMany',
      count: 250,
      details: { filter: { handler: 'work' } },
    });
  });

  test('is on record for a workflow that is started', async () => {
    workflows.register((await import('../../lib/index.js')).workflow('asking').manual('ask'));
    await scheduler.withActor(ada, () => workflows.start('asking', { key: 'one' }));
    expect(await actions()).toEqual(['workflow.start']);
  });

  test.each([
    ['all of it', {}, 'audit_time'],
    ['a namespace', { namespace: 'n1' }, 'audit_namespace'],
    ['a job', { namespace: 'n1', jobId: 'j1' }, 'audit_job'],
    ['a run', { runId: '77' }, 'audit_run'],
    ['an actor', { actor: 'user7' }, 'audit_actor'],
    ['an action', { action: 'reset' as const }, 'audit_action'],
    ['a request', { actor: 'user7', requestKey: 'k7' }, 'audit_request'],
    ['a stretch of time', { from: new Date(1_000_000), until: new Date(1_100_000) }, 'audit_time'],
  ])('is found by %s with an index', async (_, filter, index) => {
    const { client, schema } = app;
    await client.query(`
      insert into "${schema}".audit (at, action, actor, namespace, job_id, run_id, count, request_key)
      select to_timestamp(n), case when n % 1000 = 0 then 'reset' else 'runNow' end, 'user' || n % 1000, 'n' || n % 10, 'j' || n % 500, n, 1, 'k' || n
      from generate_series(1, 50000) n; analyze "${schema}".audit`);
    const plans: string[] = [];
    const queries = {
      run: async (text: string, values: readonly unknown[] = []) => {
        const { rows } = await client.query(`explain (analyze, costs off) ${text}`, [null, ...values]);
        plans.push(rows.map((row: { 'QUERY PLAN': string }) => row['QUERY PLAN']).join('\n'));
        return [];
      },
    };
    await queryAudit(queries as never, tableNames(schema, ''), filter, { limit: 50 });
    // Few rows may be sorted: what counts is that no others are read.
    expect(plans[0]).toMatch(new RegExp(` ${index}\\b`));
    expect(plans[0]).not.toContain('Seq Scan');
  });

  test('is told with a list of 200 runs by one statement, and by the index of runs', async () => {
    const { client, schema } = app;
    await scheduler.createIntervalJob({ ...job, hours: 1 });
    await scheduler.pauseJob('a');
    const ids: string[] = [];
    for (let nth = 0; nth < 200; nth++) ids.push((await scheduler.runNow('a')).id);
    await client.query(
      `
      insert into "${schema}".audit (at, action, actor, namespace, job_id, run_id, count)
      select to_timestamp(n), 'runNow', 'user' || n % 1000, 'default', 'a', coalesce(($1::bigint[])[n], n), 1
      from generate_series(1, 50000) n`,
      [ids],
    );
    await client.query(`analyze "${schema}".audit`);
    sent.length = 0;
    const { items } = await scheduler.getRuns({ jobId: 'a', limit: 200 });
    expect(sent).toHaveLength(1);
    expect(items.map(({ requestedBy }) => requestedBy)).toEqual(
      Array.from({ length: 200 }, (_, nth) => `user${200 - nth}`),
    );
    const explained: string[] = [];
    const queries = {
      run: async (text: string, values: readonly unknown[] = []) => {
        const { rows } = await client.query(`explain (analyze, costs off) ${text}`, [null, ...values]);
        explained.push(rows.map((row: { 'QUERY PLAN': string }) => row['QUERY PLAN']).join('\n'));
        return [];
      },
    };
    await queryRuns(queries as never, tableNames(schema, ''), { jobId: 'a' }, { limit: 200 });
    expect(explained[0]).toMatch(/Index (Only )?Scan using audit_run on audit .*loops=20[01]\)/);
    expect(explained[0]).not.toMatch(/Seq Scan on audit/);
  });
});
