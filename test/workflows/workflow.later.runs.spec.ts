import { afterEach, describe, expect, test } from 'vitest';
import {
  InvalidOptionError,
  RunHasVerdictError,
  WorkflowService,
  workflow,
  type DefinedWorkflow,
  type RunContext,
} from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

describe('the id of a run that was retried', () => {
  let apps: NestApp[] = [];
  let mails: string[] = [];
  let isDown = true;

  afterEach(async () => {
    for (const app of apps) await app.close();
    apps = [];
    mails = [];
    isDown = true;
  });

  async function boot(
    ...defined: DefinedWorkflow<any, any, any>[]
  ): Promise<NestApp & { workflows: WorkflowService }> {
    const app = await NestApp.boot();
    apps.push(app);
    const workflows = app.app.get(WorkflowService);
    for (const each of defined) workflows.register(each);
    return Object.assign(app, { workflows });
  }

  const order = async ({ runId, step, waitFor }: RunContext): Promise<unknown> => {
    await step('ask', () => void mails.push(runId));
    if (isDown) throw new Error('down');
    return waitFor('approved');
  };

  test('leads a signal to the run that has taken its place: of a step, an instance, a step of a workflow in it, a job', async () => {
    const inner = workflow('inner').step('order', order);
    const outer = workflow('outer')
      .step('list', () => ['x'])
      .map('each', order, { after: 'list' })
      .step('plain', order)
      .step('in', inner);
    const app = await boot(inner, outer);
    app.scheduler.registerHandler('order', order);
    const { runId } = await app.workflows.start(outer, { key: 'k' });
    await app.scheduler.createDateJob({ id: 'j', handler: 'order', in: 0 });
    await app.settle();
    for (let retries = 0; retries < 2; retries++) {
      const [dead] = (await app.scheduler.getRuns({ jobId: 'j' })).items;
      await app.scheduler.retryRun(dead!.id);
      isDown = retries === 0;
      await app.workflows.retry(runId);
      await app.settle();
    }
    const asked = [...new Set(mails)];
    for (const id of asked.slice(0, 4)) await app.scheduler.signal(id, 'approved', { by: 'alice' });
    await app.settle();
    // A workflow in it begins anew with each retry, and asks again.
    expect(mails).toHaveLength(6);
    expect(await app.workflows.get(runId)).toMatchObject({ state: 'succeeded' });
    expect((await app.scheduler.getAttempts({ jobId: 'j' })).items[0]).toMatchObject({
      outcome: 'succeeded',
      result: { by: 'alice' },
    });
  });

  test('is answered with the run that has taken its place where a verdict is given to it', async () => {
    const asking = workflow('asking').manual('approve').manual('sign', { after: 'approve' });
    const app = await boot(asking);
    const { runId } = await app.workflows.start(asking, { key: 'k' });
    await app.settle();
    const idOf = async (): Promise<string> => (await app.workflows.graph(runId))!.steps[0]!.runId!;
    const first = await idOf();
    await app.workflows.fail(first, new Error('declined'));
    await app.workflows.retry(runId);
    const second = await idOf();
    // A repeated answer to the first question is none to the second.
    const late = app.workflows.fail(first, new Error('declined'));
    await expect(late).rejects.toThrow(RunHasVerdictError);
    await expect(late).rejects.toThrow(
      `it was retried since, and the run "${second}" has taken its place: give that one, if it is meant`,
    );
    await app.workflows.complete(second, 1);
    await app.workflows.complete({ runId, step: 'sign' });
    await app.settle();
    expect(await app.workflows.get(runId)).toMatchObject({ state: 'succeeded' });
  });

  test('of a step is answered with the workflow that can be retried, not with the one in it', async () => {
    const inner = workflow('inner').manual('ask');
    const outer = workflow('outer').step('in', inner);
    const app = await boot(inner, outer);
    const { runId } = await app.workflows.start(outer, { key: 'k' });
    await app.settle();
    const within = (await app.workflows.graph(runId))!.steps[0]!.runId!;
    const step = (await app.workflows.graph(within))!.steps[0]!.runId!;
    await app.workflows.fail(step, new Error('no'));
    await expect(app.workflows.complete(step)).rejects.toThrow(`workflows.retry("${runId}") lets that go on`);
    const again = await app.workflows.retry(runId);
    await app.settle();
    await expect(app.scheduler.fail(runId, new Error('late'))).rejects.toThrow(
      `the run "${again.runId}" has taken its place`,
    );
    await app.workflows.cancel(again.runId);
    await app.clock.advanceBy(60_000);
    await app.workflows.prune({ olderThan: 0 });
    await expect(app.workflows.complete(step)).rejects.toThrow('its workflow was pruned since');
    for (const id of [runId, again.runId]) {
      await expect(app.workflows.retry(id)).rejects.toThrow('It was cancelled, and was pruned since');
    }
  });

  test('of a workflow is no step of it: complete and fail refuse it, and nothing ends', async () => {
    const asking = workflow('asking').manual('approve');
    const app = await boot(asking);
    const { runId } = await app.workflows.start(asking, { key: 'k', delay: '1m' });
    const refused = (call: Promise<unknown>): Promise<void> =>
      expect(call).rejects.toThrow(
        new InvalidOptionError(
          'ref',
          `the run ${runId} is a workflow as a whole, no step of one. Give { runId: '${runId}', step } with the name of the step; scheduler.complete() and fail() end the whole, and what goes on of it is cancelled.`,
        ),
      );
    await refused(app.workflows.complete(runId));
    await app.clock.advanceBy(60_000);
    await app.settle();
    await refused(app.workflows.complete(runId, { by: 'alice' }));
    await refused(app.workflows.fail(runId, new Error('declined')));
    await app.workflows.complete({ runId, step: 'approve' });
    await app.settle();
    expect(await app.workflows.get(runId)).toMatchObject({ state: 'succeeded' });
  });
});
