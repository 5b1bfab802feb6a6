import { Injectable } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { allRoutes } from '../../lib/http/routes/all.routes.js';
import { Interval, workflow, WorkflowService } from '../../lib/index.js';
import { HttpChronis } from './http.chronis.js';

@Injectable()
class Reports {
  @Interval('1h', { id: 'declared' })
  report(): void {}
}

let chronis: HttpChronis;
beforeEach(async () => {
  chronis = await HttpChronis.boot('express', { user: () => ({ id: 'amy' }) }, undefined, [Reports]);
  const { scheduler, http } = chronis;
  scheduler.registerHandler('fail', () => Promise.reject(new Error('not today')));
  scheduler.registerHandler('pay', (context) => context.open());
  scheduler.registerHandler('ask', async ({ waitFor }) => waitFor('answer'));
  scheduler.registerHandler('work', () => undefined);
  http.app.get(WorkflowService).register(workflow('order').manual('approve'));
  await scheduler.createJob({ id: 'job', handler: 'work', every: '1h' });
  for (const handler of ['fail', 'pay', 'ask']) await scheduler.createJob({ id: handler, handler, in: 0 });
});
afterEach(async () => {
  await Promise.all([chronis.close(), chronis.clock.advanceBy(60_000)]);
});

/** Has all happen that is due. */
const work = async () => {
  if (!chronis.scheduler.running) await chronis.scheduler.start();
  for (let turns = 0; turns < 20; turns++) await chronis.clock.advanceBy(100);
};
const runOf = async (jobId: string) => (await chronis.scheduler.getRuns({ jobId })).items[0]!.id;
const begun = async () => {
  const { json } = await chronis.post('workflows', { workflow: 'order', params: 7, key: 'o-1' });
  await work();
  return json.runId as string;
};
const ended = async () => {
  const runId = await begun();
  await chronis.post(`workflows/${runId}/steps/approve/fail`, { error: 'no' });
  await work();
  return runId;
};
const key = { 'idempotency-key': 'k-1' };

/** The path of each change, after what it needs, and what is sent. */
const requests: Record<string, [() => string | Promise<string>, object?]> = {
  pauseJob: [() => 'jobs/job/pause', { reason: 'month end' }],
  resumeJob: [
    async () => {
      await chronis.scheduler.pauseJob('job');
      return 'jobs/job/resume';
    },
  ],
  resetJob: [
    async () => {
      await chronis.scheduler.updateJob('declared', { every: '2h' });
      return 'jobs/declared/reset';
    },
  ],
  cancelJob: [
    async () => {
      await chronis.scheduler.runNow('job');
      return 'jobs/job/cancel';
    },
  ],
  runJob: [() => 'jobs/job/runs'],
  backfillJob: [
    () => 'jobs/job/backfills',
    { from: '1970-01-01T00:00:00Z', until: '2100-01-01T00:00:00Z', limit: 10_000 },
  ],
  retryRun: [async () => `runs/${await runOf('fail')}/retry`],
  discardRun: [async () => `runs/${await runOf('fail')}/discard`],
  cancelRun: [async () => `runs/${await runOf('pay')}/cancel`],
  completeRun: [async () => `runs/${await runOf('pay')}/complete`, { result: 7 }],
  failRun: [async () => `runs/${await runOf('pay')}/fail`, { error: 'stolen' }],
  signalRun: [async () => `runs/${await runOf('ask')}/signal`, { name: 'answer', payload: { yes: true } }],
  pauseScope: [() => 'pauses', { scope: { queue: 'mail' }, reason: 'hot' }],
  startWorkflow: [() => 'workflows', { workflow: 'order', params: 1 }],
  pauseWorkflow: [async () => `workflows/${await begun()}/pause`],
  resumeWorkflow: [
    async () => {
      const runId = await begun();
      await chronis.post(`workflows/${runId}/pause`);
      return `workflows/${runId}/resume`;
    },
  ],
  cancelWorkflow: [async () => `workflows/${await begun()}/cancel`],
  retryWorkflow: [async () => `workflows/${await ended()}/retry`],
  completeStep: [async () => `workflows/${await begun()}/steps/approve/complete`, { result: 1 }],
  failStep: [async () => `workflows/${await begun()}/steps/approve/fail`, { error: 'too dear' }],
};

describe('with an Idempotency-Key', () => {
  test('every change by POST takes it', () => {
    const posts = allRoutes.filter(({ method }) => method === 'POST');
    expect(posts.filter(({ takesKey }) => takesKey === undefined)).toEqual([]);
    const byRecord = posts.filter(({ takesKey }) => takesKey !== true).map(({ name }) => name);
    expect(Object.keys(requests).toSorted()).toEqual(byRecord.toSorted());
  });

  test.each(Object.keys(requests))(
    '%s is done once, and the second is answered as the first',
    async (name) => {
      await work();
      const [before, body = {}] = requests[name]!;
      const path = await before();
      const entries = async () => (await chronis.scheduler.getAudit({ limit: 500 })).items.length;
      const known = await entries();
      const first = await chronis.post(path, { ...body, note: 'please' }, key);
      expect(first.status).toBeLessThan(300);
      expect(await entries()).toBe(known + 1);
      await work();
      const second = await chronis.post(path, { ...body, note: 'did it work?' }, key);
      expect([second.status, second.json]).toEqual([first.status, first.json]);
      expect(second.headers.get('etag')).toBe(first.headers.get('etag'));
      expect(await entries()).toBe(known + 1);
      // Another key is another request, which is done, or is too late.
      const other = await chronis.post(path, body, { 'idempotency-key': 'k-2' });
      if (other.status >= 300) expect([404, 409]).toContain(other.status);
      else expect(await entries()).toBe(known + (name === 'resetJob' ? 1 : 2));
    },
  );

  test('of several at once one is done, and all are answered alike', async () => {
    const tries = await Promise.all(Array.from({ length: 8 }, () => chronis.post('jobs/job/runs', {}, key)));
    expect(tries.map(({ status }) => status)).toEqual(Array(8).fill(201));
    expect(new Set(tries.map(({ json }) => json.id)).size).toBe(1);
    expect((await chronis.scheduler.getRuns({ jobId: 'job' })).items).toHaveLength(1);
  });

  test('another request with the same key is refused, and not done', async () => {
    await chronis.post('jobs/job/pause', { reason: 'a' }, key);
    for (const [path, body] of [
      ['jobs/job/pause', { reason: 'b' }],
      ['jobs/ask/pause', { reason: 'a' }],
      ['jobs/job/runs', {}],
    ] as const) {
      const { status, json } = await chronis.post(path, body, key);
      expect([path, status, json.code]).toEqual([path, 422, 'http.idempotency-key-reused']);
    }
    expect((await chronis.scheduler.getJob('job'))!.paused!.reason).toBe('a');
    expect((await chronis.scheduler.getAudit()).items).toHaveLength(1);
  });

  test('one that was refused may be sent again', async () => {
    expect((await chronis.post('jobs/none/runs', {}, key)).status).toBe(404);
    await chronis.scheduler.createJob({ id: 'none', handler: 'work', every: '1h' });
    expect((await chronis.post('jobs/none/runs', {}, key)).status).toBe(201);
  });

  test('one whose run is over and gone is answered with that run', async () => {
    const first = await chronis.post('jobs/job/runs', {}, key);
    await work();
    expect((await chronis.scheduler.getRuns({ jobId: 'job' })).items).toEqual([]);
    expect((await chronis.post('jobs/job/runs', {}, key)).json).toEqual(first.json);
    // The audit shows it, as its document says.
    const { json } = await chronis.get('audit');
    expect(json.items).toMatchObject([{ action: 'runNow', request: { answer: { id: first.json.id } } }]);
  });

  test('keys of tenants, and of several users, are apart', async () => {
    await chronis.close();
    const asked = ({ headers }: { headers: Record<string, any> }) => headers['x-tenant'] ?? null;
    const user = ({ headers }: { headers: Record<string, any> }) => ({ id: headers['x-user'] ?? 'amy' });
    chronis = await HttpChronis.boot('express', { user, tenant: asked });
    const { scheduler } = chronis;
    for (const of of [scheduler, scheduler.forTenant('a'), scheduler.forTenant('b')])
      await of.createJob({ id: 'job', handler: 'work', every: '1h' });
    const senders: Record<string, string>[] = [
      {},
      { 'x-tenant': 'a' },
      { 'x-tenant': 'b' },
      { 'x-user': 'ben' },
    ];
    const ids = new Set<string>();
    for (const sender of [...senders, ...senders]) {
      const { status, json } = await chronis.post('jobs/job/runs', {}, { ...key, ...sender });
      expect(status).toBe(201);
      ids.add(json.id as string);
    }
    expect(ids.size).toBe(4);
  });

  test('is refused where it could not be kept', async () => {
    await chronis.close();
    chronis = await HttpChronis.boot('express');
    await chronis.scheduler.createJob({ id: 'job', handler: 'work', every: '1h' });
    Object.assign(chronis.storage, { queryAudit: undefined, audited: undefined });
    const { status, json } = await chronis.post('jobs/job/runs', {}, key);
    expect([status, json.detail]).toEqual([400, expect.stringContaining('cannot be kept')]);
    expect((await chronis.scheduler.getRuns()).items).toEqual([]);
  });
});
