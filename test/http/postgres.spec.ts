import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChronisHttpModule } from '../../lib/http/index.js';
import { ChronisModule, DefinitionService, SchedulerService } from '../../lib/index.js';
import { HttpApp } from '../support/http.app.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';
import { fitting } from './http.chronis.js';

const schema = freshSchema('rest');
const client = new pg.Client(databaseUrl());
let app: HttpApp;

beforeAll(async () => {
  await client.connect();
  const chronis = { log: false as const, autoStart: false, allowUnknownHandler: true };
  const imports = [
    ChronisHttpModule.forRoot({ user: () => ({ id: 'amy@example.com' }), readTimeout: 300 }),
    ChronisModule.forRoot({ ...chronis, storage: newStorage({ schema }) }),
  ];
  app = await HttpApp.boot('express', { imports });
  const send = app.send.bind(app);
  app.send = async (method, path, sent) =>
    fitting(method, path.replace('/chronis/', ''), await send(method, path, sent));
});
afterAll(async () => {
  await app.close();
  await client.query(`drop schema "${schema}" cascade`);
  await client.end();
});

const scheduler = () => app.app.get(SchedulerService);
const post = (path: string, body: object = {}) => app.send('POST', `/chronis/${path}`, { body });

test('what cannot be put on record is not done', async () => {
  await post('jobs', { id: 'report', handler: 'report', every: '1h' });
  await client.query(`alter table "${schema}".audit rename to hidden`);
  const tries = [
    await post('jobs/report/pause', { reason: 'hot' }),
    await post('jobs', { id: 'other', handler: 'report', every: '1h' }),
    await post('jobs/report/runs'),
    await post('pauses', { scope: { all: true } }),
  ];
  await client.query(`alter table "${schema}".hidden rename to audit`);
  expect(tries.map(({ status }) => status >= 500)).toEqual([true, true, true, true]);
  expect((await scheduler().getJob('report'))!.paused).toBeNull();
  expect(await scheduler().getJob('other')).toBeNull();
  expect((await scheduler().getRuns()).items).toEqual([]);
  expect(await scheduler().getPauses()).toEqual([]);

  expect((await post('jobs/report/pause', { reason: 'hot' })).status).toBe(200);
  expect((await app.send('DELETE', '/chronis/jobs/report')).status).toBe(204);
  // It stays when the job is gone.
  const { json } = await app.send('GET', '/chronis/audit?jobId=report');
  expect(json.items.map(({ action, actor }: any) => [action, actor])).toEqual([
    ['delete', 'amy@example.com'],
    ['pause', 'amy@example.com'],
    ['create', 'amy@example.com'],
  ]);
});

test('of changes to one revision one takes effect', async () => {
  await post('jobs', { id: 'racing', handler: 'report', every: '1h' });
  const changes = await Promise.all(
    ['2h', '3h', '4h', '5h'].map((every) =>
      app.send('PATCH', '/chronis/jobs/racing', { body: { every }, headers: { 'if-match': '"1"' } }),
    ),
  );
  const statuses = changes.map(({ status }) => status);
  expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 412, 412, 412]);
  expect((await scheduler().getJob('racing'))!.revision).toBe(2);
});

test('who sends a job several times at once, with one key, has one job', async () => {
  const headers = { 'idempotency-key': 'once' };
  const body = { handler: 'mail', in: 0, payload: { to: 7 } };
  const tries = await Promise.all(
    Array.from({ length: 8 }, () => app.send('POST', '/chronis/jobs', { body, headers })),
  );
  expect(tries.map(({ status }) => status)).toEqual(Array(8).fill(201));
  expect(new Set(tries.map(({ json }) => json.id)).size).toBe(1);
});

test('a bulk action that is sent several times at once, with one key, is begun once, and all tell of it', async () => {
  for (let nr = 0; nr < 3; nr++) await post('jobs', { id: `many-${nr}`, handler: 'many', every: '1h' });
  const headers = { 'idempotency-key': 'many' };
  const body = { action: 'pause', filter: { handler: 'many' }, expected: 3 };
  const tries = await Promise.all(
    Array.from({ length: 8 }, () => app.send('POST', '/chronis/bulk-actions', { body, headers })),
  );
  expect(tries.map(({ status }) => status)).toEqual(Array(8).fill(202));
  const [id, ...others] = new Set(tries.map(({ json }) => json.id));
  expect(others).toEqual([]);
  for (;;) {
    const { json } = await app.send('GET', `/chronis/bulk-actions/${id}`);
    if (json.state === 'running') continue;
    expect(json).toMatchObject({ state: 'done', matched: 3, changed: 3, filter: body.filter, failed: [] });
    break;
  }
  const { rows } = await client.query(`select actor, state from "${schema}".bulk_action`);
  expect(rows).toEqual([{ actor: 'amy@example.com', state: 'done' }]);
  const { json } = await app.send('GET', '/chronis/audit?action=pauseMany');
  expect(json.items).toMatchObject([{ count: 3, actor: 'amy@example.com' }]);
});

test('pages have each job once, while others come and go', async () => {
  const jobs = Array.from({ length: 300 }, (_, nr) => ({
    id: `page-${String(nr).padStart(3, '0')}`,
    handler: 'paged',
    every: '1h',
  }));
  await scheduler().createMany(jobs as never);
  const seen: string[] = [];
  for (let cursor: string | null = '', turn = 0; cursor !== null; turn++) {
    const query = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const { json } = await app.send('GET', `/chronis/jobs?handler=paged&limit=50&fields=id${query}`);
    seen.push(...json.items.map(({ id }: { id: string }) => id));
    cursor = json.nextCursor;
    await scheduler().createJob({ id: `page-000-${turn}`, handler: 'paged', every: '1h' });
    if (seen.length > 1) await scheduler().deleteJob(seen[turn]!);
  }
  expect(seen).toEqual(jobs.map(({ id }) => id));
});

describe('a read that takes longer than readTimeout', () => {
  test('is ended in the database, told as 503, and the connections go on as before', async () => {
    await client.query(`begin; lock table "${schema}".job in access exclusive mode`);
    const begun = Date.now();
    const reads = await Promise.all(
      ['jobs', 'jobs/none', 'jobs?state=failed'].map((path) => app.send('GET', `/chronis/${path}`)),
    );
    // Of the loop and of changes this is not: they wait for as long as before.
    const change = app.send('DELETE', '/chronis/jobs/none');
    const { rows } = await waitingFor(1);
    await client.query('rollback');
    expect(reads.map(({ status }) => status)).toEqual([503, 503, 503]);
    expect(Date.now() - begun).toBeLessThan(5_000);
    const { json, headers } = reads[0]!;
    expect(headers.get('retry-after')).toBe('5');
    expect(json).toMatchObject({ code: 'CHRONIS_STORAGE' });
    expect(json.detail).toContain('did not answer within the 300 ms that this read may take');
    expect(json.detail).toContain('readTimeout');
    expect(rows).toHaveLength(1);
    expect((await change).status).toBe(404);
    const after = await Promise.all(Array.from({ length: 8 }, () => app.send('GET', '/chronis/jobs')));
    expect(new Set(after.map(({ status }) => status))).toEqual(new Set([200]));
    const left = await client.query(
      `select from pg_stat_activity where state like 'idle in transaction%' and query like '%"${schema}"%'`,
    );
    expect(left.rows).toEqual([]);
  });
});

/** What waits for a lock on a table of ours. */
async function waitingFor(count: number): Promise<pg.QueryResult> {
  for (;;) {
    const found = await client.query(
      `select l.pid from pg_locks l join pg_class c on c.oid = l.relation where not l.granted and c.relname = 'job' and c.relnamespace = $1::regnamespace`,
      [schema],
    );
    if (found.rows.length === count) return found;
  }
}

test('a foreign cursor is refused', async () => {
  for (const cursor of ['x', 'WyJhIl0', "'; drop table job; --"]) {
    const path = `/chronis/jobs?cursor=${encodeURIComponent(cursor)}`;
    const { status, json } = await app.send('GET', path);
    expect([cursor, status, json.code]).toEqual([cursor, 400, 'CHRONIS_INVALID_OPTION']);
  }
});

/** The text of an answer: what would be lost is lost once it is parsed. */
const textOf = async (path: string) => (await app.get(`/chronis/${path}`)).body;
const odd = '{"id":9007199254740993,"rate":1e400,"deep":[[[0.10]]]}';

test('payloads, results and params go out as they are stored, with numbers that JavaScript cannot hold', async () => {
  await post('jobs', { id: 'odd', handler: 'report', every: '1h', payload: 1 });
  await post('jobs', { id: 'once', handler: 'report', in: 0, payload: 1 });
  await client.query(`update "${schema}".job set payload = $1 where id = 'odd'`, [odd]);
  await client.query(`update "${schema}".run set payload = $1 where job_id = 'once'`, [odd]);
  expect(await textOf('jobs/odd')).toContain(`"payload":${odd}`);
  // A change of something else leaves it as it is.
  await client.query(`update "${schema}".job set metadata = '{"nr":9007199254740993}' where id = 'odd'`);
  for (const id of ['odd', 'once']) {
    const changed = await app.send('PATCH', `/chronis/jobs/${id}`, { body: { maxRetries: 2, queue: 'q' } });
    expect([changed.status, changed.json.queue]).toEqual([200, 'q']);
    expect(await textOf(`jobs/${id}`)).toContain(`"payload":${odd}`);
  }
  expect(await textOf('jobs/odd')).toMatch(/"nr": ?9007199254740993/);
  expect(await textOf('jobs/once')).toContain(`"payload":${odd}`);

  const { id } = (await scheduler().getRuns({ jobId: 'once' })).items[0]!;
  await client.query(
    `insert into "${schema}".attempt (run_id, job_id, namespace, handler, queue, origin, nominal_at, attempt, fence, worker, outcome, final, started_at, finished_at, result)
     values ($1, 'once', 'default', 'report', 'default', 'at', now(), 1, 1, 'w', 'succeeded', true, now(), now(), $2)`,
    [id, odd],
  );
  await client.query(
    `insert into "${schema}".run_step (run_id, name, kind, position, attempt, started_at, finished_at, ended, result)
     values ($1, 'charge', 'step', 0, 1, now(), now(), 1, $2)`,
    [id, odd],
  );
  expect(await textOf(`runs/${id}`)).toContain(`"result":${odd}`);
  expect(await textOf(`runs/${id}/steps`)).toContain(`"result":${odd}`);

  await app.app.get(DefinitionService).define({ name: 'flow', steps: [{ name: 'a', manual: true }] });
  const { runId } = await app.app.get(DefinitionService).start('flow', { params: 1 });
  await client.query(
    `insert into "${schema}".flow (run_id, active, steps, version, depth, opened_at, workflow, namespace, app, time_zone, params, nominal_at)
     values ($1, 0, 0, 1, 0, now(), 'flow', 'default', 'default', 'UTC', $2, now())`,
    [runId, odd],
  );
  expect(await textOf(`workflows/${runId}`)).toContain(`"params":${odd}`);
  expect(await textOf(`workflows/${runId}/graph`)).toContain(`"params":${odd}`);
});
