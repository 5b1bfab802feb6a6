import { afterEach, describe, expect, test } from 'vitest';
import { workflow, WorkflowService } from '../../lib/index.js';
import { platforms } from '../support/http.app.js';
import { HttpChronis } from './http.chronis.js';

interface Asking {
  headers: Record<string, string | undefined>;
}

const user = ({ headers }: Asking) => (headers['x-user'] === undefined ? null : { id: headers['x-user'] });

describe.each(platforms)('operating over REST on %s', (platform) => {
  let chronis: HttpChronis;
  afterEach(async () => {
    await Promise.all([chronis.close(), chronis.clock.advanceBy(60_000)]);
  });

  const boot = async (options = {}) => (chronis = await HttpChronis.boot(platform, options));

  /** Starts the loop, and lets everything happen that is due. */
  const work = async () => {
    if (!chronis.scheduler.running) await chronis.scheduler.start();
    for (let turns = 0; turns < 20; turns++) await chronis.clock.advanceBy(100);
  };

  test('a run that failed is found by its kind, looked at, retried and discarded', async () => {
    await boot();
    let fails = true;
    chronis.scheduler.registerHandler('mail', ({ logger, progress }) => {
      progress(0.5, { sent: 0, apiKey: 'k' });
      logger.warn('about to send', { to: 'a' });
      if (fails) throw new Error('no such address');
      return { sent: 1 };
    });
    await chronis.scheduler.createJob({ id: 'mail', handler: 'mail', in: 0 });
    await work();
    const failures = await chronis.get('failures');
    expect(failures.json.items).toMatchObject([{ handler: 'mail', gaveUp: 1, sample: { jobId: 'mail' } }]);
    const { fingerprint, sample } = failures.json.items[0];
    const listed = await chronis.get(`runs?fingerprint=${fingerprint}&state=failed&state=lost`);
    expect(listed.json.items).toMatchObject([{ id: sample.runId, state: 'failed' }]);
    const one = await chronis.get(`runs/${sample.runId}`);
    expect(one.json).toMatchObject({
      run: {
        lastFingerprint: fingerprint,
        progress: { fraction: 0.5, details: { sent: 0, apiKey: '***' }, attempt: 1 },
      },
      attempts: [{ outcome: 'failed', final: true }],
    });
    const log = await chronis.get(`runs/${sample.runId}/logs`);
    expect(log.json.items).toMatchObject([{ level: 'warn', message: 'about to send', fields: { to: 'a' } }]);
    expect(log.json.tail).toEqual(expect.any(String));

    fails = false;
    const retried = await chronis.post(`runs/${sample.runId}/retry`, {});
    expect([retried.status, retried.json.retryOf]).toEqual([201, sample.runId]);
    await work();
    const attempts = await chronis.get(`attempts?runId=${retried.json.id}`);
    expect(attempts.json.items).toMatchObject([{ outcome: 'succeeded', result: { sent: 1 } }]);
    // Its row is gone, and its record stays.
    expect((await chronis.get(`runs/${retried.json.id}`)).json).toMatchObject({
      run: null,
      attempts: [{ outcome: 'succeeded' }],
    });
    const again = await chronis.post(`runs/${retried.json.id}/retry`, {});
    expect([again.status, again.json.code]).toEqual([404, 'CHRONIS_RUN_NOT_FOUND']);
    expect((await chronis.get('runs/77777')).json.code).toBe('CHRONIS_RUN_NOT_FOUND');
  });

  test('an open run gets its verdict, and a signal that has nothing to wait for it is refused', async () => {
    await boot();
    chronis.scheduler.registerHandler('pay', (context) => context.open());
    for (const id of ['one', 'two']) await chronis.scheduler.createJob({ id, handler: 'pay', in: 0 });
    await work();
    const open = (await chronis.get('runs?state=open')).json.items as { id: string; jobId: string }[];
    const idOf = (jobId: string) => open.find((run) => run.jobId === jobId)!.id;
    expect((await chronis.post(`runs/${idOf('one')}/complete`, { result: { paid: 7 } })).status).toBe(204);
    const failed = await chronis.post(`runs/${idOf('two')}/fail`, { error: 'card was stolen' });
    expect([failed.status, failed.json]).toEqual([200, { retryAt: null }]);
    const { json } = await chronis.get(`attempts?runId=${idOf('two')}&finalOnly=true`);
    expect(json.items[0].error).toMatch(/^Error: card was stolen$/);
    const twice = await chronis.post(`runs/${idOf('two')}/complete`, {});
    expect([twice.status, twice.json.code]).toEqual([409, 'CHRONIS_RUN_HAS_VERDICT']);
    const signal = await chronis.post(`runs/${idOf('two')}/signal`, { name: 'go', payload: 1 });
    expect([signal.status, signal.json.code]).toEqual([409, 'CHRONIS_RUN_HAS_VERDICT']);
    expect((await chronis.post(`runs/${idOf('two')}/fail`, { error: 7 })).json.detail).toBe(
      'error: must be a text that says why.',
    );
  });

  test('why, what, when: explanation, coverage, preview, forecast, gaps', async () => {
    await boot();
    await chronis.scheduler.createJob({ id: 'report', handler: 'report', every: '1h' });
    await chronis.clock.advanceBy(3 * 3_600_000);
    const next = (await chronis.get('jobs/report/preview?count=2')).json;
    expect(next.occurrences).toHaveLength(2);
    const at = next.occurrences[0].at as string;
    const why = await chronis.get(`jobs/report/explanation?at=${at}`);
    expect(why.json).toMatchObject({ answer: 'will-run', cause: 'no-handler' });
    expect((await chronis.get('jobs/report/explanation')).json.code).toBe('CHRONIS_INVALID_SCHEDULE');
    const until = chronis.clock.now() + 3_600_000;
    const covered = await chronis.get(`jobs/report/coverage?from=${until - 5 * 3_600_000}&until=${until}`);
    expect(covered.json.instants.length).toBeGreaterThan(2);
    const forecast = await chronis.get('forecast?bucket=1h');
    expect([forecast.json.runs, forecast.json.bucketMs]).toEqual([24, 3_600_000]);
    expect((await chronis.get('gaps?jobId=report')).json).toEqual({ items: [], nextCursor: null });
  });

  test('scopes are paused and resumed, and the queue says so', async () => {
    await boot();
    await chronis.scheduler.createJob({ id: 'mail', handler: 'mail', in: 0, queue: 'mails' });
    const paused = await chronis.post('pauses', { scope: { queue: 'mails' }, reason: 'provider is down' });
    expect([paused.status, paused.json]).toMatchObject([
      200,
      { scope: { queue: 'mails' }, reason: 'provider is down' },
    ]);
    expect((await chronis.get('pauses')).json.items).toHaveLength(1);
    const resume = (query: string) => chronis.http.send('DELETE', `/chronis/pauses?${query}`);
    expect((await resume('queue=mails&handler=mail')).status).toBe(400);
    expect((await resume('all=false')).status).toBe(400);
    expect((await resume('queue=others')).json.code).toBe('http.not-paused');
    expect((await resume('queue=mails')).status).toBe(204);
    await chronis.clock.advanceBy(1);
    expect((await chronis.get('queues')).json.items).toMatchObject([
      { queue: 'mails', due: 1, paused: null },
    ]);
    await work();
    expect((await chronis.get('workers')).json.items).toMatchObject([{ running: 0 }]);
    expect((await chronis.get('status')).json.state).toBe('working');
    expect((await chronis.get('health')).json).toMatchObject({ storage: { kind: 'memory', answers: true } });
  });

  test('who has asked is on record, with why; nobody known may do nothing', async () => {
    await boot({ user });
    const as = { 'x-user': 'amy@example.com', 'x-request-id': 'req-7' };
    const body = { id: 'report', handler: 'report', every: '1h', note: 'wanted by sales' };
    expect((await chronis.post('jobs', body, as)).status).toBe(201);
    const paused = await chronis.post('jobs/report/pause', { reason: 'hot', note: 'asked by ops' }, as);
    expect(paused.json.paused.by).toBe('amy@example.com');
    const { json } = await chronis.get('audit', as);
    expect(json.items).toMatchObject([
      {
        action: 'pause',
        actor: 'amy@example.com',
        note: 'asked by ops',
        requestId: 'req-7',
        jobId: 'report',
      },
      { action: 'create', actor: 'amy@example.com', note: 'wanted by sales', jobId: 'report' },
    ]);
    expect((await chronis.get('audit?action=create', as)).json.items).toHaveLength(1);
    for (const { status, json } of [await chronis.get('jobs'), await chronis.post('jobs/report/resume', {})])
      expect([status, json.code]).toEqual([401, 'http.no-user']);
  });

  test('without an option for that it was somebody anonymous', async () => {
    await boot();
    await chronis.post('jobs', { id: 'report', handler: 'report', every: '1h' });
    expect((await chronis.get('audit')).json.items).toMatchObject([{ action: 'create', actor: 'anonymous' }]);
  });

  test('a workflow is started once by its key, looked at, decided by hand, failed and retried', async () => {
    await boot();
    const order = workflow('order')
      .step('pack', () => 'packed')
      .manual('approve', { after: 'pack' });
    chronis.http.app.get(WorkflowService).register(order);
    const body = { workflow: 'order', key: 'order-7', params: { nr: 7 } };
    const made = await chronis.post('workflows', body);
    const again = await chronis.post('workflows', body);
    expect([made.status, again.status, again.json.runId]).toEqual([201, 200, made.json.runId]);
    await work();
    const { runId } = made.json;
    expect((await chronis.get(`workflows/${runId}`)).json).toMatchObject({
      state: 'active',
      params: { nr: 7 },
    });
    const graph = await chronis.get(`workflows/${runId}/graph`);
    expect(graph.json.steps).toMatchObject([
      { name: 'pack', state: 'succeeded' },
      { name: 'approve', manual: true, waitsFor: expect.stringContaining('complete()') },
    ]);
    const failed = await chronis.post(`workflows/${runId}/steps/approve/fail`, { error: 'too dear' });
    expect([failed.status, failed.json]).toEqual([200, { retryAt: null }]);
    await work();
    expect((await chronis.get('workflows?state=failed')).json.items).toMatchObject([{ runId }]);
    const over = await chronis.post(`workflows/${runId}/pause`, {});
    expect([over.status, over.json.code]).toEqual([409, 'CHRONIS_WORKFLOW_RUN_STATE']);
    const retried = await chronis.post(`workflows/${runId}/retry`, {});
    expect(retried.status).toBe(201);
    await work();
    const now = retried.json.runId as string;
    expect((await chronis.post(`workflows/${now}/pause`, {})).status).toBe(204);
    expect((await chronis.post(`workflows/${now}/resume`, {})).status).toBe(204);
    expect((await chronis.post(`workflows/${now}/steps/approve/complete`, { result: 1 })).status).toBe(204);
    await work();
    expect((await chronis.get(`workflows/${now}`)).json.state).toBe('succeeded');
    expect((await chronis.post(`workflows/${now}/cancel`, {})).status).toBe(409);
    expect((await chronis.get('workflows/77777/graph')).json.code).toBe('CHRONIS_WORKFLOW_RUN_NOT_FOUND');
  });
});
