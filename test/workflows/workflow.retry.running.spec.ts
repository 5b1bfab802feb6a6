import { afterEach, describe, expect, test } from 'vitest';
import {
  ChronisEvents,
  WorkflowRunStateError,
  WorkflowService,
  workflow,
  type DefinedWorkflow,
} from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

/** A workflow of one step, whose first attempt goes on until `release`, whatever its signal says. */
function deafWorkflow() {
  const charges: string[] = [];
  const { promise: gate, resolve: release } = promised();
  const { promise: beginning, resolve: begun } = promised();
  const deaf = workflow('deaf').step('charge', async (ctx) => {
    charges.push(ctx.runId);
    begun();
    if (charges.length === 1) await gate;
  });
  return { deaf, charges, beginning, gate, release };
}

function promised(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

describe('a retry of a workflow', () => {
  let apps: NestApp[] = [];

  afterEach(async () => {
    for (const app of apps) await app.close();
    apps = [];
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

  test('is refused while a step of it still runs, which is then done once', async () => {
    const { deaf, charges, beginning, release } = deafWorkflow();
    const app = await boot(deaf);
    const { runId } = await app.workflows.start('deaf', { key: 'k' });
    await beginning;
    await app.workflows.cancel(runId);
    const refused = app.workflows.retry(runId);
    await expect(refused).rejects.toThrow(WorkflowRunStateError);
    await expect(refused).rejects.toThrow(
      `The workflow of run "${runId}" is cancelled: what would run again still runs: the step "charge". Retry it once that has ended, or the lease of its worker.`,
    );
    release();
    await app.settle();
    expect((await app.workflows.graph(runId))!.steps[0]!.state).toBe('succeeded');
    const again = await app.workflows.retry(runId);
    await app.settle();
    expect(await app.workflows.get(again.runId)).toMatchObject({ state: 'succeeded' });
    expect(charges).toHaveLength(1);
  });

  test('is refused also when its step was given up and has its verdict, as long as its handler goes on here', async () => {
    const { deaf, charges, beginning, gate, release } = deafWorkflow();
    const app = await boot(deaf);
    const { runId } = await app.workflows.start('deaf', { key: 'k' });
    await beginning;
    const given = app.app.get(ChronisEvents).once('run.cancelled', (event) => event.runId === charges[0]);
    await app.scheduler.fail(runId, new Error('given up'));
    await app.clock.advanceBy(60_000);
    await given;
    for (const retry of [
      () => app.workflows.retry(runId),
      () => app.workflows.retry(runId, { from: 'charge' }),
      () => app.scheduler.retryRun(runId),
      () => app.scheduler.runNow('k'),
    ]) {
      await expect(retry()).rejects.toThrow(
        `The workflow of run "${runId}" is failed: what would run again still runs: the step "charge". Retry it once that has ended, or the lease of its worker.`,
      );
    }
    expect(await app.scheduler.retryFailed({ jobId: 'k' })).toEqual({ found: 1, changed: 0 });
    release();
    await gate;
    const again = await app.workflows.retry(runId);
    await app.settle();
    expect(await app.workflows.get(again.runId)).toMatchObject({ state: 'succeeded' });
    expect(charges).toHaveLength(2);
  });

  test('by hand of a plain job begins when the handler has ended that was given up', async () => {
    const log: string[] = [];
    const gates: (() => void)[] = [];
    const app = await boot();
    app.scheduler.registerHandler('deaf', async () => {
      const call = gates.length;
      log.push(`begin ${call}`);
      await new Promise<void>((resolve) => gates.push(resolve));
      log.push(`end ${call}`);
    });
    const events = app.app.get(ChronisEvents);
    const given = events.once('run.timed_out', ({ jobId }) => jobId === 'j');
    await app.scheduler.createDateJob({ id: 'j', handler: 'deaf', in: 0, timeout: '1s' });
    await app.clock.advanceBy(10_000);
    await given;
    const [dead] = (await app.scheduler.getRuns({ jobId: 'j' })).items;
    await app.scheduler.retryRun(dead!.id);
    await app.clock.advanceBy(1_000);
    expect(log).toEqual(['begin 0']);
    const done = events.once('run.succeeded', ({ jobId }) => jobId === 'j');
    gates[0]!();
    while (gates.length < 2) await new Promise((resolve) => setImmediate(resolve));
    gates[1]!();
    await done;
    expect(log).toEqual(['begin 0', 'end 0', 'begin 1', 'end 1']);
  });

  test('that is refused names the state that get() does', async () => {
    let release = (): void => undefined;
    let begun = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const beginning = new Promise<void>((resolve) => (begun = resolve));
    const deaf = workflow('deaf', { timeout: '1m' }).step('charge', async () => {
      begun();
      await gate;
    });
    const app = await boot(deaf);
    const { runId } = await app.workflows.start('deaf', { key: 'k' });
    await beginning;
    const over = app.app.get(ChronisEvents).once('run.timed_out', (event) => event.runId === runId);
    await app.clock.advanceBy(60_000);
    await over;
    expect(await app.workflows.get(runId)).toMatchObject({ state: 'timed_out' });
    await expect(app.workflows.retry(runId)).rejects.toMatchObject({ state: 'timed_out' });
    release();
    await app.settle();
  });

  test('of its run as of a job is refused in the same way, and passed over in bulk', async () => {
    const { deaf, charges, beginning, release } = deafWorkflow();
    const app = await boot(deaf);
    const { runId } = await app.workflows.start('deaf', { key: 'k' });
    await beginning;
    await app.scheduler.fail(runId, new Error('given up'));
    const refused = app.scheduler.retryRun(runId);
    await expect(refused).rejects.toThrow(WorkflowRunStateError);
    await expect(refused).rejects.toThrow(
      `The workflow of run "${runId}" is failed: what would run again still runs: the step "charge". Retry it once that has ended, or the lease of its worker.`,
    );
    expect(await app.scheduler.retryFailed({ jobId: 'k' })).toEqual({ found: 1, changed: 0 });
    await app.settle();
    expect(charges).toHaveLength(1);
    release();
    await app.settle();
    const again = await app.scheduler.retryRun(runId);
    await app.settle();
    expect(await app.workflows.get(again.id)).toMatchObject({ state: 'succeeded' });
    expect(charges).toHaveLength(2);
  });
});
