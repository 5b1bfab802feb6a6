import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UnrecoverableError, WorkflowService, workflow } from '../../lib/index.js';
import { ChronisTesting } from '../../lib/testing/index.js';

/** What is refused of workflows names what they are, and a way that works. */
describe('what is refused of a workflow', () => {
  let chronis: ChronisTesting;
  let workflows: WorkflowService;
  let fails = true;

  beforeEach(async () => {
    fails = true;
    chronis = await ChronisTesting.create();
    workflows = chronis.app.get(WorkflowService);
    const mayFail = (): void => {
      if (fails) throw new UnrecoverableError('no');
    };
    const pay = workflow('pay').step('charge', mayFail);
    workflows.register(pay);
    workflows.register(workflow('order').step('pay', pay));
  });
  afterEach(() => chronis.close());

  async function failed(key?: string, name = 'pay'): Promise<string> {
    const { runId } = await workflows.start(name, key === undefined ? {} : { key });
    await chronis.runDue();
    expect(await workflows.get(runId)).toMatchObject({ state: 'failed' });
    return runId;
  }

  const messageOf = (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => 'It was done.',
      (error: Error) => error.message,
    );

  test('once it was retried as a job: the run that has taken its place', async () => {
    const runId = await failed();
    fails = false;
    const { id } = await chronis.scheduler.retryRun(runId);
    await chronis.runDue();
    expect(await messageOf(workflows.retry(runId))).toContain(`the run "${id}" has taken its place`);
  });

  test('that has failed, and is to be cancelled: its verdict, and how it goes on', async () => {
    const runId = await failed('kept');
    const call = chronis.scheduler.cancelRun(runId);
    await expect(call).rejects.toMatchObject({ code: 'CHRONIS_RUN_HAS_VERDICT', verdict: 'failed' });
    expect(await messageOf(call)).toContain(`workflows.retry("${runId}")`);
  });

  test('that was cancelled before it had begun, and is not kept: that, and not to give the id that was given', async () => {
    const { runId } = await workflows.start('pay', { delay: '1h' });
    await workflows.cancel(runId);
    const message = await messageOf(workflows.retry(runId));
    expect(message).toContain('It was cancelled before it had begun, and is not kept.');
  });

  test('that has not begun, and is to be paused: what holds its job', async () => {
    const { runId } = await workflows.start('pay', { delay: '1h', key: 'later' });
    expect(await messageOf(workflows.pause(runId))).toContain('scheduler.pauseJob("later")');
    expect(await messageOf(workflows.resume(runId))).toContain('resumeJob("later")');
    await chronis.scheduler.pauseJob('later');
    await chronis.advanceBy('2h');
    expect(await workflows.get(runId)).toMatchObject({ state: 'paused', openedAt: null });
  });

  test('that was pruned: that, by all ids and names of its steps, and also where it was a step itself', async () => {
    const runId = await failed('old', 'order');
    const inner = (await workflows.graph(runId))!.steps[0].runId!;
    await chronis.advanceBy('2s');
    await workflows.prune({ olderThan: '1s' });
    const pruned = 'It was failed, and was pruned since';
    expect(await messageOf(workflows.retry(runId))).toContain(pruned);
    expect(await messageOf(workflows.retry(inner))).toContain(pruned);
    expect(await messageOf(workflows.complete({ runId, step: 'pay' }))).toContain(pruned);
  });

  test('whose key another one has: whose it is', async () => {
    await failed('taken');
    const message = await messageOf(workflows.start('order', { key: 'taken' }));
    expect(message).toContain('It is one of "pay", and the start is of "order"');
    expect(message).not.toContain('onConflict');
  });

  test('that has succeeded, and gets a signal for a step of it: no retry, as that would be refused', async () => {
    fails = false;
    const { runId } = await workflows.start('pay', { key: 'done' });
    await chronis.runDue();
    const step = (await workflows.graph(runId))!.steps[0].runId!;
    const message = await messageOf(chronis.scheduler.signal(step, 'late', 1));
    expect(message).toContain('its workflow has succeeded');
    expect(message).not.toContain('workflows.retry');
  });
});
