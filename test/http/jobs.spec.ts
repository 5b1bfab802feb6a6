import { afterEach, describe, expect, test } from 'vitest';
import { platforms } from '../support/http.app.js';
import { HttpChronis } from './http.chronis.js';

describe.each(platforms)('jobs over REST on %s', (platform) => {
  let chronis: HttpChronis;
  afterEach(() => chronis.close());

  const boot = async (options = {}) => (chronis = await HttpChronis.boot(platform, options));

  test('are created, read, changed and deleted', async () => {
    await boot();
    const body = {
      id: 'report',
      handler: 'report',
      cron: '0 9 * * *',
      payload: { to: 'all' },
      maxRetries: 2,
    };
    const created = await chronis.post('jobs', body);
    expect([created.status, created.headers.get('etag')]).toEqual([201, '"1"']);
    expect(created.json).toMatchObject({ id: 'report', state: 'pending', payload: { to: 'all' } });
    const read = await chronis.get('jobs/report');
    expect([read.status, read.json]).toEqual([200, created.json]);
    expect(read.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(read.headers.get('cache-control')).toBe('no-store');

    const changed = await chronis.http.send('PATCH', '/chronis/jobs/report', {
      body: { every: '1h' },
      headers: { 'if-match': '"1"' },
    });
    expect([changed.status, changed.headers.get('etag')]).toEqual([200, '"2"']);
    expect(changed.json.trigger).toMatchObject({ type: 'interval', every: 3_600_000 });
    const gone = await chronis.http.send('DELETE', '/chronis/jobs/report');
    expect([gone.status, gone.json]).toEqual([204, '']);
    expect((await chronis.get('jobs/report')).json).toMatchObject({
      type: 'urn:nestjs-chronis:CHRONIS_JOB_NOT_FOUND',
      title: 'Not Found',
      status: 404,
      code: 'CHRONIS_JOB_NOT_FOUND',
      detail: expect.stringContaining('"report"'),
    });
  });

  test('that somebody else has changed are not changed: 412', async () => {
    await boot();
    await chronis.scheduler.createJob({ id: 'report', handler: 'report', every: '1h' });
    await chronis.scheduler.updateJob('report', { every: '2h' });
    const { status, headers, json } = await chronis.http.send('PATCH', '/chronis/jobs/report', {
      body: { every: '3h' },
      headers: { 'if-match': '"1"' },
    });
    expect([status, json.code]).toEqual([412, 'CHRONIS_STALE_JOB']);
    expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(await chronis.scheduler.getJob('report')).toMatchObject({ trigger: { every: 7_200_000 } });
    for (const etag of ['3', 'W/"3"', '*']) {
      const headers = { 'if-match': etag };
      const { json } = await chronis.http.send('PATCH', '/chronis/jobs/report', { body: {}, headers });
      expect([etag, json.status, json.code]).toEqual([etag, 400, 'http.if-match']);
    }
    // What does not look at it does not act as if it did.
    const paused = await chronis.post('jobs/report/pause', {}, { 'if-match': '"1"' });
    expect([paused.status, paused.json.code]).toEqual([400, 'http.if-match']);
  });

  test('are told anew to who has the revision already, as their state changes without it', async () => {
    await boot();
    await chronis.scheduler.createJob({ id: 'report', handler: 'report', every: '1h' });
    const { status, json } = await chronis.get('jobs/report', { 'if-none-match': '"1"' });
    expect([status, json.id]).toEqual([200, 'report']);
  });

  test('are listed without their payloads, by conditions, in pages', async () => {
    await boot();
    for (const id of ['a1', 'a2', 'a3', 'b1']) {
      await chronis.scheduler.createJob({
        id,
        handler: id[0]!,
        every: '1h',
        metadata: { tag: id, deep: { nr: 1 } },
        payload: { large: true },
      });
    }
    const first = await chronis.get('jobs?handler=a&limit=2&total=true');
    expect(first.json).toMatchObject({
      items: [{ id: 'a1' }, { id: 'a2' }],
      total: { value: 3, relation: 'eq' },
    });
    expect(first.json.items[0]).not.toHaveProperty('payload');
    const cursor = encodeURIComponent(first.json.nextCursor);
    const second = await chronis.get(`jobs?handler=a&limit=2&cursor=${cursor}`);
    expect(second.json).toMatchObject({ items: [{ id: 'a3' }], nextCursor: null });
    expect(second.json).not.toHaveProperty('total');

    const ids = async (query: string) =>
      (await chronis.get(`jobs?${query}`)).json.items.map(({ id }: { id: string }) => id);
    expect(await ids('q=b')).toEqual(['b1']);
    expect(await ids('handler=a&handler=b&state=pending')).toEqual(['a1', 'a2', 'a3', 'b1']);
    expect(await ids('metadata.tag=a2')).toEqual(['a2']);
    expect(await ids(`metadata=${encodeURIComponent('{"deep":{"nr":1},"tag":"a3"}')}`)).toEqual(['a3']);
    expect((await chronis.get('jobs?fields=id,nextRunAt&limit=1')).json.items).toEqual([
      { id: 'a1', nextRunAt: expect.stringMatching(/^\d{4}-.*Z$/) },
    ]);
  });

  test.each([
    ['jobs?stat=failed', 'stat', 'Did you mean "state"?'],
    ['jobs?state=broken', 'state', 'broken'],
    ['jobs?limit=201', 'limit', 'must be from 1 to 200'],
    ['jobs?limit=ten', 'limit', 'must be a whole number'],
    ['jobs?limit=1&limit=2', 'limit', 'more than once'],
    ['jobs?total=yes', 'total', 'must be true or false'],
    ['jobs?metadata={', 'metadata', 'must be JSON'],
    ['jobs?fields=payload', 'fields', 'There are: '],
    ['jobs?__proto__=1', '__proto__', 'This request takes'],
    ['jobs/a?id=b', 'id', 'in the path already'],
  ])('%s is refused with the culprit and the fix', async (path, culprit, text) => {
    await boot();
    const { status, json } = await chronis.get(path);
    expect([status, json.code]).toEqual([400, 'CHRONIS_INVALID_OPTION']);
    expect(json.issues[0].path).toBe(culprit);
    expect(json.detail).toContain(text);
  });

  test('of any id are found, by the path or beside it', async () => {
    await boot();
    for (const id of ['a/b.c', '%2F', 'x?y#z', 'ümläut 🎉', '-', '<img onerror=alert(1)>']) {
      await chronis.scheduler.createJob({ id, handler: 'work', every: '1h' });
      const { status, json } = await chronis.get(`jobs/${encodeURIComponent(id)}`);
      expect([status, json.id]).toEqual([200, id]);
    }
    for (const id of ['..', '.', 'x'.repeat(255)]) {
      await chronis.scheduler.createJob({ id, handler: 'work', every: '1h' });
      const { status, json } = await chronis.post(`jobs/-/pause?id=${encodeURIComponent(id)}`, {
        reason: 'r',
      });
      expect([status, json.id, json.state]).toEqual([200, id, 'paused']);
    }
  });

  test('are created once by one Idempotency-Key, which counts for a day', async () => {
    await boot();
    const key = { 'idempotency-key': 'order-7' };
    const body = { handler: 'mail', in: 0, payload: { to: 7 } };
    const tries = await Promise.all([1, 2, 3].map(() => chronis.post('jobs', body, key)));
    expect(tries.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(new Set(tries.map(({ json }) => json.id)).size).toBe(1);
    expect(await chronis.scheduler.countJobs()).toBe(1);
    const other = await chronis.post('jobs', { ...body, payload: { to: 8 } }, key);
    expect([other.status, other.json.code]).toEqual([422, 'http.idempotency-key-reused']);
    const job = await chronis.scheduler.getJob(tries[0]!.json.id as string);
    expect(job!.policies.keepMs).toBe(86_400_000);
    // Of a job it is part of the id. What is asked of a job has keys of its own.
    const runs = [1, 2].map(() => chronis.post(`jobs/${job!.id}/runs`, {}, key));
    const [first, second] = await Promise.all(runs);
    expect([first!.status, second!.status, second!.json.id]).toEqual([201, 201, first!.json.id]);
  });

  test('are paused, resumed, cancelled, run and backfilled', async () => {
    await boot();
    await chronis.scheduler.createJob({ id: 'report', handler: 'report', every: '1h' });
    const paused = await chronis.post('jobs/report/pause', { reason: 'too hot', until: '2h' });
    expect(paused.json).toMatchObject({ state: 'paused', paused: { reason: 'too hot' } });
    expect((await chronis.post('jobs/report/resume', {})).json).toMatchObject({ paused: null });
    const made = await chronis.post('jobs/report/runs', {});
    expect([made.status, made.json]).toMatchObject([201, { jobId: 'report', origin: 'manual' }]);
    expect((await chronis.post('jobs/report/cancel', {})).json).toEqual({ runs: 1 });
    await chronis.clock.advanceBy(5 * 3_600_000);
    const now = chronis.clock.now();
    const stretch = { from: now - 3 * 3_600_000, until: now - 3_600_000, dryRun: true };
    const filled = await chronis.post('jobs/report/backfills', stretch);
    expect([filled.status, filled.json.runIds]).toEqual([200, []]);
    expect((await chronis.post('jobs/report/backfills', { from: now })).json.detail).toBe(
      'until: is missing in the body.',
    );
  });

  test('take no key of the body that nobody would read, nor one that is meant for code', async () => {
    await boot();
    await chronis.scheduler.createJob({ id: 'report', handler: 'report', every: '1h' });
    for (const key of ['manager', 'namespace', 'reasn', '__proto__', 'constructor']) {
      const { status, json } = await chronis.post('jobs/report/pause', `{${JSON.stringify(key)}: {"a": 1}}`);
      expect([key, status]).toEqual([key, 400]);
      if (json.code) expect(json.issues[0].path).toBe(key);
    }
    for (const body of ['[]', '"text"', '7']) {
      const { status } = await chronis.post('jobs/report/pause', body);
      expect([body, status]).toEqual([body, 400]);
    }
    expect((await chronis.post('jobs', { handler: 'x', every: '1h', manager: {} })).json.detail).toContain(
      'manager: The body takes',
    );
  });
});
