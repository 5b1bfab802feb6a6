import { afterEach, describe, expect, test } from 'vitest';
import { allRoutes } from '../../lib/http/routes/all.routes.js';
import { changes } from '../../lib/http/route.js';
import { Interval, workflow, WorkflowService, type AuditAction } from '../../lib/index.js';
import { platforms } from '../support/http.app.js';
import { HttpChronis } from './http.chronis.js';

/** What is there before the request. */
interface Found {
  failed: string;
  open: string;
  waiting: string;
  going: string;
  held: string;
  broken: string;
}

interface Change {
  path: (found: Found) => string;
  body?: object;
  action: AuditAction;
}

const note = 'asked by ops';
const job = (rest = '') => ({ path: () => `jobs/report${rest}` });
const run = (which: 'failed' | 'open' | 'waiting', rest: string) => ({
  path: (found: Found) => `runs/${found[which]}/${rest}`,
});
const flow = (which: 'going' | 'held' | 'broken', rest: string) => ({
  path: (found: Found) => `workflows/${found[which]}/${rest}`,
});

class Declared {
  @Interval('1h', { id: 'declared' })
  work(): void {}
}

/** Each route that changes something, by its name. */
const changing: Record<string, Change> = {
  createJob: { path: () => 'jobs', body: { id: 'new', handler: 'work', every: '1h' }, action: 'create' },
  updateJob: { ...job(), body: { every: '2h' }, action: 'update' },
  deleteJob: { ...job(), action: 'delete' },
  pauseJob: { ...job('/pause'), body: { reason: 'hot' }, action: 'pause' },
  resumeJob: { path: () => 'jobs/stopped/resume', action: 'resume' },
  resetJob: { path: () => 'jobs/declared/reset', action: 'reset' },
  cancelJob: { path: () => 'jobs/later/cancel', action: 'cancel' },
  runJob: { ...job('/runs'), action: 'runNow' },
  backfillJob: { ...job('/backfills'), body: { from: 0, until: 3_600_000 }, action: 'backfill' },
  retryRun: { ...run('failed', 'retry'), action: 'retryRun' },
  cancelRun: { ...run('waiting', 'cancel'), action: 'cancelRun' },
  discardRun: { ...run('failed', 'discard'), action: 'discardRun' },
  completeRun: { ...run('open', 'complete'), action: 'complete' },
  failRun: { ...run('open', 'fail'), body: { error: 'no' }, action: 'fail' },
  signalRun: { ...run('open', 'signal'), body: { name: 'go' }, action: 'signal' },
  pauseScope: { path: () => 'pauses', body: { scope: { queue: 'mails' } }, action: 'pauseScope' },
  resumeScope: { path: () => 'pauses?queue=slow', action: 'resumeScope' },
  startWorkflow: { path: () => 'workflows', body: { workflow: 'order' }, action: 'workflow.start' },
  pauseWorkflow: { ...flow('going', 'pause'), action: 'workflow.pause' },
  resumeWorkflow: { ...flow('held', 'resume'), action: 'workflow.resume' },
  cancelWorkflow: { ...flow('going', 'cancel'), action: 'workflow.cancel' },
  retryWorkflow: { ...flow('broken', 'retry'), action: 'workflow.retry' },
  completeStep: { ...flow('going', 'steps/approve/complete'), action: 'workflow.complete' },
  failStep: { ...flow('going', 'steps/approve/fail'), body: { error: 'no' }, action: 'workflow.fail' },
  beginBulkAction: {
    path: () => 'bulk-actions',
    body: { action: 'pause', ids: ['report'] },
    action: 'pauseMany',
  },
};
/** Of one that is over it changes nothing, and of one that goes on it leaves less of what is on record when that ends. */
const notOnRecord = ['abortBulkAction'];
const routes = allRoutes.filter((route) => changes(route));

test('each route that changes something is among these', () => {
  const named = [...Object.keys(changing), ...notOnRecord];
  expect(named.toSorted()).toEqual(routes.map(({ name }) => name).toSorted());
});

describe.each(platforms)('a change over REST on %s', (platform) => {
  let chronis: HttpChronis;
  afterEach(async () => {
    await Promise.all([chronis.close(), chronis.clock.advanceBy(60_000)]);
  });

  const boot = async (): Promise<Found> => {
    const user = ({ headers }: any) => ({ id: headers['x-user'] as string });
    chronis = await HttpChronis.boot(platform, { user }, undefined, [Declared]);
    const { scheduler, clock } = chronis;
    scheduler.registerHandler('work', () => undefined);
    scheduler.registerHandler('fail', () => Promise.reject(new Error('no')));
    scheduler.registerHandler('open', (context) => context.open());
    const workflows = chronis.http.app.get(WorkflowService);
    workflows.register(workflow('order').manual('approve'));
    workflows.register(workflow('broken').step('a', () => Promise.reject(new Error('no'))));
    for (const id of ['report', 'stopped']) await scheduler.createJob({ id, handler: 'work', every: '1h' });
    await scheduler.pauseJob('stopped');
    for (const handler of ['fail', 'open']) await scheduler.createJob({ id: handler, handler, in: 0 });
    await scheduler.createJob({ id: 'later', handler: 'work', in: '3h' });
    await scheduler.pause({ queue: 'slow' });
    const [going, held, broken] = [
      await workflows.start('order'),
      await workflows.start('order'),
      await workflows.start('broken'),
    ];
    await scheduler.start();
    for (let turn = 0; turn < 20; turn++) await clock.advanceBy(100);
    await Promise.all([scheduler.stop(), clock.advanceBy(60_000)]);
    await workflows.pause(held.runId);
    await scheduler.updateJob('declared', { every: '2h' });
    const { items } = await scheduler.getRuns();
    const of = (jobId: string) => items.find((each) => each.jobId === jobId)!.id;
    return {
      ...{ failed: of('fail'), open: of('open'), waiting: of('later') },
      ...{ going: going.runId, held: held.runId, broken: broken.runId },
    };
  };

  test.each(Object.entries(changing))('is on record: %s', async (name, { path, body = {}, action }) => {
    const found = await boot();
    expect((await chronis.get('audit', { 'x-user': 'bob' })).json.items).toEqual([]);
    const { method } = routes.find((route) => route.name === name)!;
    const { status, json } = await chronis.http.send(method, `/chronis/${path(found)}`, {
      body: { ...body, note },
      headers: { 'x-user': 'amy@example.com', 'x-request-id': 'req-7' },
    });
    expect([status < 300, json], JSON.stringify(json)).toEqual([true, json]);
    const entries = async () => (await chronis.get('audit', { 'x-user': 'bob' })).json.items;
    // That of many is done beside the request.
    while (status === 202 && (await entries()).length === 0);
    expect(await entries()).toMatchObject([{ action, actor: 'amy@example.com', note, requestId: 'req-7' }]);
  });
});
