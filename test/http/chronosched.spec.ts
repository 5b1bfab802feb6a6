import pg from 'pg';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { SystemClock, TaskExecutor, type ChronisOptions } from '../../lib/index.js';
import { platforms, type Platform } from '../support/http.app.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';
import { HttpChronis } from './http.chronis.js';

const ran: unknown[] = [];

@TaskExecutor('cmd')
class Shell implements TaskExecutor {
  readonly schema = z.object({ command: z.string(), shell: z.boolean() });
  execute(task: unknown): Promise<void> {
    ran.push(task);
    return Promise.resolve();
  }
}

let chronis: HttpChronis;
afterEach(async () => {
  ran.length = 0;
  await Promise.all([chronis.close(), chronis.clock.advanceBy(60_000)]);
});

const bootOn = async (platform: Platform, options = {}, more: ChronisOptions = {}) =>
  (chronis = await HttpChronis.boot(platform, { chronosched: true, ...options }, undefined, [Shell], more));
const call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  chronis.chronosched(method, path, body, headers);
const get = async (path: string) => (await call('GET', path)).json;
/** As curl sends it: no body, and no type of one. */
const bare = async (path: string) => {
  const answer = await fetch(`${chronis.http.url}/api/v1/${path}`, { method: 'POST' });
  return { status: answer.status, json: (await answer.json()) as any };
};
/** The clock goes on until there is the answer. */
const during = async <T>(sent: Promise<T>): Promise<T> => {
  let isOver = false;
  const over = sent.finally(() => (isOver = true));
  while (!isOver) {
    await chronis.clock.advanceBy(50);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return over;
};

const schema = freshSchema('chronosched');
afterAll(async () => {
  const client = new pg.Client(databaseUrl());
  await client.connect();
  await client.query(`drop schema if exists "${schema}" cascade`);
  await client.end();
});
const onPostgres = () => ({ storage: newStorage({ schema }), clock: new SystemClock() });

/** The calls of the README of Chronosched, in their order. */
describe.each([
  ...platforms.map((platform) => [platform, 'memory'] as const),
  ['express', 'postgres'] as const,
])('the paths of Chronosched on %s, with the jobs in %s,', (platform, storage) => {
  test('go as its README goes: a job is due five minutes after its parent was completed', async () => {
    await bootOn(platform, {}, storage === 'memory' ? {} : onPostgres());
    const made = await call('POST', 'namespaces', { name: 'demo', description: 'Demo namespace' });
    expect([made.status, made.json]).toMatchObject([201, { id: 'demo', name: 'demo' }]);
    expect((await get('namespaces')).items).toEqual([
      { id: 'demo', name: 'demo', description: 'Demo namespace' },
    ]);

    const parent = await call('POST', 'namespaces/demo/definitions', {
      name: 'ParentJob',
      version: 1,
      kind: 'cmd',
      payloadTemplate: { cmd: 'echo Parent && sleep 1 && echo Done Parent' },
    });
    expect([parent.status, parent.json]).toMatchObject([
      201,
      { id: 'ParentJob@1', payloadTemplate: { cmd: 'echo Parent && sleep 1 && echo Done Parent' } },
    ]);
    const child = await call('POST', 'namespaces/demo/definitions', {
      name: 'DelayedChild',
      version: 1,
      kind: 'cmd',
      payloadTemplate: { cmd: 'echo Delayed Child && date' },
      delayInterval: '5 minutes',
    });
    expect(child.json).toMatchObject({ id: 'DelayedChild@1', delayInterval: '5 minutes', kind: 'cmd' });

    const dag = await call('POST', 'namespaces/demo/dags', { name: 'delayed_run' });
    expect([dag.status, dag.json]).toMatchObject([201, { namespaceId: 'demo', name: 'delayed_run' }]);
    const dagPath = `namespaces/demo/dags/${dag.json.id}`;
    const first = await call('POST', `${dagPath}/jobs`, { defId: parent.json.id });
    const second = await call('POST', `${dagPath}/jobs`, { defId: child.json.id });
    expect([first.status, first.json, second.json]).toMatchObject([
      201,
      { dagId: dag.json.id, defId: 'ParentJob@1', status: 'pending' },
      { defId: 'DelayedChild@1', status: 'pending' },
    ]);
    const edge = { parentJobId: first.json.id, childJobId: second.json.id };
    const linked = await call('POST', `${dagPath}/dependencies`, edge);
    expect([linked.status, linked.json]).toEqual([201, { ...edge, dependencyType: 'data' }]);
    expect(await get(dagPath)).toMatchObject({ state: 'draft', runId: null });

    await chronis.scheduler.start();
    const completed = await during(bare(`namespaces/demo/jobs/${first.json.id}/complete`));
    expect([completed.status, completed.json]).toMatchObject([200, { status: 'succeeded' }]);
    const now = storage === 'memory' ? chronis.clock.now() : Date.now();
    const waiting = await get(`namespaces/demo/jobs/${second.json.id}`);
    expect(waiting).toMatchObject({ status: 'queued' });
    const dueInMs = Date.parse(waiting.dueAt as string) - now;
    expect(dueInMs).toBeGreaterThan(290_000);
    expect(dueInMs).toBeLessThanOrEqual(300_000);
    expect(await get(dagPath)).toMatchObject({ state: 'active' });
  });
});

describe.each(platforms)('the paths of Chronosched on %s', (platform) => {
  const boot = (options = {}) => bootOn(platform, options);

  test('have jobs executed by workers in the order of their dependencies, once the DAG is started', async () => {
    await boot();
    await call('POST', 'definitions/bulk', {
      definitions: ['Root', 'Child5s', 'Leaf'].map((name) => ({
        name,
        kind: 'cmd',
        payloadTemplate: { cmd: `echo ${name}` },
        ...(name === 'Child5s' && { delayInterval: '5s' }),
      })),
    });
    const { id } = (await call('POST', 'dags', { name: 'demo' })).json;
    const jobs: string[] = [];
    for (const defId of ['Root', 'Child5s@1', 'Leaf'])
      jobs.push((await call('POST', `dags/${id}/jobs`, { defId })).json.id as string);
    const [root, child5s, leaf] = jobs;
    const dependencies = [
      { parentJobId: root, childJobId: child5s },
      { parentJobId: child5s, childJobId: leaf, dependencyType: 'order-only' },
    ];
    const linked = await call('POST', `dags/${id}/dependencies/bulk`, { dependencies });
    expect([linked.status, linked.json.items]).toMatchObject([201, dependencies]);
    expect((await get(`dags/${id}/dependencies`)).items).toMatchObject(dependencies);
    expect((await get('dags')).items).toMatchObject([{ id, name: 'demo' }]);

    await chronis.scheduler.start();
    const started = await bare(`dags/${id}/start`);
    expect([started.status, started.json]).toMatchObject([201, { status: 'created' }]);
    expect((await bare(`dags/${id}/start`)).json).toEqual({ ...started.json, status: 'existing' });
    await chronis.clock.advanceBy(4_000);
    expect((await get(`dags/${id}/jobs`)).items.map(({ status }: any) => status)).toEqual([
      'succeeded',
      'queued',
      'pending',
    ]);
    await chronis.clock.advanceBy(4_000);
    expect((await get(`jobs/${leaf}`)).status).toBe('succeeded');
    expect(ran).toMatchObject(
      ['Root', 'Child5s', 'Leaf'].map((name) => ({ command: `echo ${name}`, shell: true })),
    );
    expect(await get(`dags/${id}`)).toMatchObject({ state: 'succeeded' });

    const late = await call('POST', `dags/${id}/jobs`, { defId: 'Root' });
    expect([late.status, late.json.code]).toEqual([409, 'http.dag-begun']);
    expect((await call('DELETE', `dags/${id}`)).status).toBe(204);
    expect([(await call('GET', `dags/${id}`)).json.code, (await get('dags')).items]).toEqual([
      'http.no-dag',
      [],
    ]);
    const pruned = await bare('admin/prune');
    expect(pruned.json.dags).toBe(1);
    expect(pruned.json.definitions).toBeGreaterThan(0);
  });

  test('have a definition with cronSpec run again and again', async () => {
    await boot();
    const made = await call('POST', 'definitions', {
      name: 'Every5s',
      kind: 'cmd',
      cronSpec: '@every 5s',
      payloadTemplate: { cmd: 'echo CRON_5S' },
    });
    expect([made.status, made.json]).toMatchObject([201, { id: 'Every5s@1', cronSpec: '@every 5s' }]);
    expect(await get('scheduler/reload')).toEqual({ schedules: 1 });
    expect(await get('jobs/Every5s')).toMatchObject({ defId: 'Every5s@1', dagId: null });
    await chronis.scheduler.start();
    await chronis.clock.advanceBy(15_000);
    expect(ran).toHaveLength(3);
    const next = await call('POST', 'definitions', {
      name: 'Every5s',
      kind: 'cmd',
      cronSpec: '@every 10s',
      payloadTemplate: { cmd: 'echo CRON_10S' },
    });
    expect(next.json).toMatchObject({ id: 'Every5s@2' });
    expect(await get('jobs/Every5s')).toMatchObject({ defId: 'Every5s@2' });
    expect((await get('definitions')).items.map(({ id }: any) => id)).toEqual(['Every5s@2']);
    expect(await get('definitions/Every5s@1')).toMatchObject({ cronSpec: '@every 5s', deleted: false });
    expect(await get('healthz')).toEqual({ status: 'ok' });
  });

  test('end a job that nobody executes by complete and fail, and run what failed again', async () => {
    await boot();
    await call('POST', 'definitions', { name: 'Approve', kind: 'cmd', payloadTemplate: { cmd: 'true' } });
    const { id } = (await call('POST', 'dags', { name: 'ask' })).json;
    const jobs: string[] = [];
    for (const _ of [1, 2])
      jobs.push(
        (await call('POST', `dags/${id}/jobs`, { defId: 'Approve', manual: true })).json.id as string,
      );
    const [first, second] = jobs;
    await call('POST', `dags/${id}/dependencies`, { parentJobId: first, childJobId: second });
    const early = await call('POST', `jobs/${second}/complete`);
    expect([early.status, early.json.code]).toEqual([409, 'http.dag-job-waits']);
    expect((await call('POST', `jobs/${first}/retry`)).json.code).toBe('http.dag-not-begun');
    await chronis.scheduler.start();
    const failed = await during(call('POST', `jobs/${first}/fail`, { error: 'declined' }));
    expect([failed.status, failed.json]).toMatchObject([200, { status: 'failed' }]);
    await chronis.clock.advanceBy(1_000);
    expect(await get(`dags/${id}`)).toMatchObject({ state: 'failed' });
    const again = await call('POST', `jobs/${first}/retry`);
    expect(again.status).toBe(200);
    await chronis.clock.advanceBy(1_000);
    expect(await get(`jobs/${first}`)).toMatchObject({ status: 'ready' });
    await during(call('POST', `jobs/${first}/complete`, { result: { by: 'ada' } }));
    await during(bare(`jobs/${second}/complete`));
    await chronis.clock.advanceBy(1_000);
    expect(await get(`dags/${id}`)).toMatchObject({ state: 'succeeded' });
  });

  test('tell which part of a request is wrong', async () => {
    await boot();
    const { id } = (await call('POST', 'dags', { name: 'demo' })).json;
    await call('POST', 'definitions', { name: 'a', kind: 'cmd', payloadTemplate: { cmd: 'true' } });
    const wrong = async (path: string, body: object) => {
      const { status, json } = await call('POST', path, body);
      return [status, json.issues?.[0].path ?? json.code];
    };
    expect(await wrong('definitions', { name: 'x', kind: 7 })).toEqual([400, 'kind']);
    expect(await wrong('definitions', { name: 'x', kind: 'cmd', payload: {} })).toEqual([400, 'payload']);
    expect(
      await wrong('definitions', { name: 'x', kind: 'cmd', cronSpec: '* * * * *', delayInterval: '5s' }),
    ).toEqual([400, 'delayInterval']);
    expect(await wrong('dags', { name: 'a/b' })).toEqual([400, 'name']);
    expect(await wrong(`dags/${id}/jobs`, { defId: 'b' })).toEqual([404, 'http.no-definition']);
    expect(await wrong('dags/nothing/jobs', { defId: 'a' })).toEqual([404, 'http.no-dag']);
    const job = (await call('POST', `dags/${id}/jobs`, { defId: 'a' })).json.id as string;
    const edge = { parentJobId: job, childJobId: 'other.job' };
    expect(await wrong(`dags/${id}/dependencies`, edge)).toEqual([400, 'childJobId']);
    expect(await wrong(`dags/${id}/dependencies`, { parentJobId: job, childJobId: job })).toEqual([
      400,
      'CHRONIS_INVALID_WORKFLOW',
    ]);
    expect(await wrong('namespaces/a/dags', { name: 'x', namespace: 'b' })).toEqual([400, 'namespace']);
    expect((await call('GET', 'jobs/nothing')).json.code).toBe('http.no-dag-job');
    const bulk = await call('POST', 'definitions/bulk', {
      definitions: [{ name: 'b', kind: 'cmd', payloadTemplate: { cmd: 'true' } }, { name: 'c' }],
    });
    expect(bulk.json.items).toMatchObject([
      { status: 'created', id: 'b@1' },
      { status: 'rejected', problem: { status: 400 } },
    ]);
  });

  test('add all jobs that many add at once', async () => {
    await boot();
    await call('POST', 'definitions', { name: 'a', kind: 'cmd', payloadTemplate: { cmd: 'true' } });
    const { id } = (await call('POST', 'dags', { name: 'demo' })).json;
    const sent = Array.from({ length: 6 }, () => call('POST', `dags/${id}/jobs`, { defId: 'a' }));
    const ids = (await Promise.all(sent)).map(({ json }) => json.id as string);
    expect((await get(`dags/${id}/jobs`)).items.map((job: any) => job.id as string).toSorted()).toEqual(
      ids.toSorted(),
    );
    expect(new Set(ids).size).toBe(6);
  });

  test('refuse a change of a DAG that somebody starts meanwhile, which goes on as it was started', async () => {
    await boot();
    await call('POST', 'definitions', { name: 'a', kind: 'cmd', payloadTemplate: { cmd: 'true' } });
    const { id } = (await call('POST', 'dags', { name: 'demo' })).json;
    await call('POST', `dags/${id}/jobs`, { defId: 'a' });
    const before = await get(`dags/${id}`);
    // Called when something is about to be changed, after all has been looked at.
    const { storage } = chronis;
    const audited = storage.audited.bind(storage);
    let calls = 0;
    storage.audited = async (note) => {
      storage.audited = audited;
      calls++;
      expect((await bare(`dags/${id}/start`)).status).toBe(201);
      return audited(note);
    };
    const late = await call('POST', `dags/${id}/jobs`, { defId: 'a' });
    expect([calls, late.status, late.json.code]).toEqual([1, 409, 'http.dag-begun']);
    expect((await get(`dags/${id}`)).version).toBe(before.version);
    expect((await get(`dags/${id}/jobs`)).items).toHaveLength(1);
  });

  test('are not there unless they are wanted, and elsewhere where that is said', async () => {
    await boot({ chronosched: false });
    expect((await call('GET', 'dags')).status).toBe(404);
    await chronis.close();
    await boot({ chronosched: { path: 'sched' } });
    expect((await chronis.http.send('GET', '/sched/dags')).json).toEqual({ items: [], nextCursor: null });
    await expect(HttpChronis.boot(platform, { chronosched: { path: 'chronis' } })).rejects.toThrow(
      'has the path of the API',
    );
    await expect(HttpChronis.boot(platform, { chronosched: { paths: 'x' } as never })).rejects.toThrow(
      'path',
    );
    await expect(HttpChronis.boot(platform, { chronosched: 'yes' as never })).rejects.toThrow('must be true');
  });

  test('see nothing of another tenant', async () => {
    await boot({ tenant: ({ headers }: any) => headers['x-tenant'] as string });
    const of = (tenant: string) => ({ 'x-tenant': tenant });
    const made = await call('POST', 'dags', { name: 'own' }, of('acme'));
    expect([made.status, made.json.namespaceId]).toEqual([201, 'tenant:acme']);
    expect((await call('GET', 'dags', undefined, of('globex'))).json.items).toEqual([]);
    expect((await call('GET', `dags/${made.json.id}`, undefined, of('globex'))).status).toBe(404);
    expect((await call('GET', `dags/${made.json.id}`, undefined, of('acme'))).status).toBe(200);
    const reaching = await call(
      'GET',
      `namespaces/tenant:acme/dags/${made.json.id}`,
      undefined,
      of('globex'),
    );
    expect(reaching.status).toBe(400);
    expect((await call('POST', 'admin/prune', {}, of('acme'))).status).toBe(403);
  });
});
