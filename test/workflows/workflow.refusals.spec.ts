import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SchedulerService, WorkflowService, workflow, type DefinedWorkflow } from '../../lib/index.js';
import { ChronisTesting } from '../../lib/testing/index.js';

const boom = (): never => {
  throw new Error('boom');
};

describe('what is refused of a workflow', () => {
  let chronis: ChronisTesting;
  let workflows: WorkflowService;
  let scheduler: SchedulerService;

  beforeEach(async () => {
    chronis = await ChronisTesting.create();
    workflows = chronis.app.get(WorkflowService);
    ({ scheduler } = chronis);
  });
  afterEach(() => chronis.close());

  async function begun(defined: DefinedWorkflow<any, any, any>, options: object = {}): Promise<string> {
    workflows.register(defined);
    const { runId } = await workflows.start(defined.name, options);
    await chronis.runDue();
    return runId;
  }

  const pruned = async (): Promise<void> => {
    await chronis.advanceBy('2h');
    expect(await workflows.prune({ olderThan: '1h' })).toBe(1);
  };

  test('of one that was pruned is told so, and its key is taken as before', async () => {
    const runId = await begun(workflow('failing').step('a', boom), { key: 'k' });
    await pruned();
    expect(await workflows.get(runId)).toBeNull();
    expect(await workflows.graph(runId)).toBeNull();
    const gone = `There is no workflow of the run "${runId}". It was failed, and was pruned since, so its steps are gone. Start it anew by scheduler.retryRun("${runId}").`;
    for (const call of [
      () => workflows.retry(runId),
      () => workflows.pause(runId),
      () => workflows.resume(runId),
      () => workflows.cancel(runId),
    ])
      await expect(call()).rejects.toThrow(gone);
    expect(await workflows.start('failing', { key: 'k' })).toEqual({ runId, status: 'existing' });
    const { id } = await scheduler.retryRun(runId);
    await chronis.runDue();
    expect(await workflows.get(id)).toMatchObject({ state: 'failed', retryOf: runId });
  });

  test.each([
    ['cancelled', (runId: string) => workflows.cancel(runId), 'scheduler.runNow("k")'],
    ['timed_out', () => chronis.advanceBy('1h'), 'scheduler.retryRun('],
  ] as const)('of one that was pruned after it was %s', async (state, end, advice) => {
    const runId = await begun(workflow('waiting', { timeout: '30m' }).manual('m'), { key: 'k' });
    await end(runId);
    expect(await workflows.get(runId)).toMatchObject({ state });
    await pruned();
    expect(await workflows.get(runId)).toBeNull();
    await expect(workflows.retry(runId)).rejects.toThrow(`It was ${state}, and was pruned since`);
    await expect(workflows.retry(runId)).rejects.toThrow(advice);
  });

  test('before it has begun it is known, also where it was cancelled then', async () => {
    workflows.register(workflow('waiting').manual('m'));
    const { runId } = await workflows.start('waiting', { key: 'k', delay: '1d' });
    await workflows.cancel(runId);
    expect(await workflows.get(runId)).toMatchObject({ state: 'cancelled', openedAt: null });
    await expect(workflows.retry(runId)).rejects.toThrow('it had not begun');
  });

  test('names the option that is wrong', async () => {
    const flow = workflow('failing')
      .step('a', boom)
      .step('b', () => 1, { after: 'a' });
    const runId = await begun(flow);
    for (const from of ['b', 'nope', 'm#1', ''])
      await expect(workflows.retry(runId, { from })).rejects.toMatchObject({ option: 'from' });
    const wrong = workflows.complete({ runId, step: 'm#1' });
    await expect(wrong).rejects.toMatchObject({ option: 'ref.step' });
  });

  test('of the run of a step names the retry of its workflow, and of a workflow its own', async () => {
    const runId = await begun(workflow('failing').step('a', boom));
    const [{ runId: step }] = (await workflows.graph(runId))!.steps;
    for (const call of [
      () => workflows.complete(step!),
      () => workflows.fail(step!, 'no'),
      () => scheduler.complete(step!),
      () => scheduler.signal(step!, 'go'),
      () => scheduler.complete(runId),
    ])
      await expect(call()).rejects.toThrow(`workflows.retry("${runId}")`);
    scheduler.registerHandler('job', boom);
    await scheduler.schedule('job', { in: 0 });
    const [job] = await chronis.runDue();
    await expect(scheduler.complete(job.runId)).rejects.toThrow('retryRun()');
  });

  test('for lack of the code of an inner workflow says how to register that', async () => {
    const inner = workflow('inner').step('i', () => 1);
    const outer = workflow('outer').step('n', inner);
    workflows.register(outer);
    const refused = workflows.start(outer);
    await expect(refused).rejects.toThrow(
      'The workflow "outer", step "n": No workflow "inner" is known here or to any worker.',
    );
    await expect(refused).rejects.toThrow('workflows.register(…)');
  });
});

describe('what a step waits for that is a workflow', () => {
  test('is that one, which may be paused', async () => {
    const chronis = await ChronisTesting.create();
    const workflows = chronis.app.get(WorkflowService);
    const inner = workflow('inner', { timeout: '1d' }).manual('m');
    const outer = workflow('outer')
      .step('n', inner)
      .step('open', (ctx) => ctx.open({ deadline: '1h' }));
    for (const each of [inner, outer]) workflows.register(each);
    const { runId } = await workflows.start(outer);
    await chronis.runDue();
    const waits = async (): Promise<(string | null)[]> =>
      (await workflows.graph(runId))!.steps.map(({ waitsFor }) => waitsFor);
    const most = 'It may take until 2026-01-02T00:00:00.000Z.';
    const open = 'It waits for complete() or fail() until 2026-01-01T01:00:00.000Z.';
    expect(await waits()).toEqual([`It is a workflow of its own. ${most}`, open]);
    await workflows.pause((await workflows.graph(runId))!.steps[0].runId!);
    const paused = `It is a workflow of its own, and is paused: it goes on once that is resumed. ${most}`;
    expect(await waits()).toEqual([paused, open]);
    await chronis.close();
  });
});
