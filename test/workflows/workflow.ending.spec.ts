import { afterEach, describe, expect, test } from 'vitest';
import {
  ChronisEvents,
  WorkflowRunStateError,
  WorkflowService,
  workflow,
  type DefinedWorkflow,
} from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

function promised(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

/** A step that does not heed its signal: each execution goes on until it is released. */
function deafStep() {
  const log: string[] = [];
  const gates: (() => void)[] = [];
  const begins: { after: number; tell: () => void }[] = [];
  const handler = async (): Promise<void> => {
    const nth = gates.length + 1;
    const { promise, resolve } = promised();
    gates.push(resolve);
    log.push(`begin ${nth}`);
    for (const each of begins) if (gates.length >= each.after) each.tell();
    await promise;
    log.push(`end ${nth}`);
  };
  /** Resolves once it has begun so often. */
  const begun = (times: number): Promise<void> => {
    const { promise, resolve } = promised();
    if (gates.length >= times) resolve();
    else begins.push({ after: times, tell: resolve });
    return promise;
  };
  return { handler, log, begun, release: (nth: number) => gates[nth - 1]!() };
}

describe('a workflow that is ended from outside while a step of it runs', () => {
  let apps: NestApp[] = [];

  afterEach(async () => {
    for (const app of apps) await app.close();
    apps = [];
  });

  async function boot(
    ...defined: DefinedWorkflow<any, any, any>[]
  ): Promise<NestApp & { workflows: WorkflowService }> {
    const app = await NestApp.boot({ chronis: { abortGraceMs: 3_600_000, shutdownTimeoutMs: 3_600_000 } });
    apps.push(app);
    const workflows = app.app.get(WorkflowService);
    for (const each of defined) workflows.register(each);
    return Object.assign(app, { workflows });
  }

  test.each(['skip', 'queue', 'cancel-running'] as const)(
    'is not begun again by its schedule beside that: overlap %s holds',
    async (overlap) => {
      const { handler, log, begun, release } = deafStep();
      const options = overlap === 'cancel-running' ? {} : { timeout: '1s' };
      const app = await boot(workflow('import', options).step('load', handler));
      await app.scheduler.schedule('import', { id: 'nightly', every: '1m', overlap });
      await app.clock.advanceBy(60_000);
      await begun(1);
      for (let minutes = 0; minutes < 3; minutes++) {
        await app.clock.advanceBy(60_000);
        await app.settle();
      }
      expect(log).toEqual(['begin 1']);
      const [going] = await app.scheduler
        .getRuns({ jobId: 'nightly', state: 'open' })
        .then(({ items }) => items);
      const ending = overlap === 'cancel-running' ? 'cancelled' : 'timed_out';
      expect(await app.workflows.get(going!.id)).toMatchObject({ state: 'active', ending });
      release(1);
      await app.settle();
      expect(await app.workflows.get(going!.id)).toMatchObject({ state: ending, ending: null });
      await app.clock.advanceBy(60_000);
      await begun(2);
      release(2);
      expect(log.slice(0, 3)).toEqual(['begin 1', 'end 1', 'begin 2']);
    },
  );

  test('lets what comes after it, as a step of another, begin only once that has ended', async () => {
    const { handler, log, begun, release } = deafStep();
    const pay = workflow('pay').step('charge', handler);
    const order = workflow('order')
      .step('pay', pay, { timeout: '1s' })
      .step('refund', () => void log.push('refund'), { after: 'pay', otherwise: 'run' });
    const app = await boot(pay, order);
    const { runId } = await app.workflows.start('order');
    await begun(1);
    await app.clock.advanceBy(2_000);
    await app.settle();
    expect(log).toEqual(['begin 1']);
    const [inner, refund] = (await app.workflows.graph(runId))!.steps;
    expect(inner).toMatchObject({
      state: 'released',
      waitsFor: 'It is a workflow of its own, and timed_out once what still runs of it has ended.',
    });
    expect(refund).toMatchObject({ state: 'waiting' });
    release(1);
    await app.settle();
    expect(log).toEqual(['begin 1', 'end 1', 'refund']);
    expect((await app.workflows.graph(runId))!.steps.map(({ state }) => state)).toEqual([
      'timed_out',
      'succeeded',
    ]);
  });

  test('goes on until then: who waits for its end waits for that', async () => {
    const { handler, log, begun, release } = deafStep();
    const app = await boot(workflow('deaf').step('charge', handler));
    const { runId } = await app.workflows.start('deaf', { key: 'k' });
    await begun(1);
    expect(await app.scheduler.cancelRun(runId)).toBe('requested');
    const outcome = app.scheduler.waitForRun(runId).then(({ verdict }) => log.push(verdict));
    expect((await app.scheduler.getRuns({ runId })).items).toMatchObject([{ state: 'open' }]);
    expect(await app.scheduler.runNow('k')).toMatchObject({ id: runId, alreadyRunning: true });
    release(1);
    await app.settle();
    await app.clock.advanceBy(60_000);
    await outcome;
    expect(log).toEqual(['begin 1', 'end 1', 'cancelled']);
  });

  test('takes nothing else until then: each call that would change it names what still runs', async () => {
    const { handler, begun, release } = deafStep();
    const app = await boot(workflow('deaf').step('charge', handler));
    const { runId } = await app.workflows.start('deaf', { key: 'k' });
    await begun(1);
    await app.scheduler.fail(runId, new Error('no'));
    for (const call of [
      () => app.workflows.retry(runId),
      () => app.workflows.retry(runId, { from: 'charge' }),
      () => app.workflows.pause(runId),
      () => app.workflows.resume(runId),
      () => app.scheduler.retryRun(runId),
      () => app.scheduler.complete(runId),
      () => app.scheduler.fail(runId, new Error('again')),
    ]) {
      const refused = call();
      await expect(refused).rejects.toThrow(WorkflowRunStateError);
      await expect(refused).rejects.toThrow(
        `The workflow of run "${runId}" is ending: its verdict is failed once what still runs of it has ended: the step "charge".`,
      );
    }
    await app.workflows.cancel(runId);
    release(1);
    await app.settle();
    expect(await app.workflows.get(runId)).toMatchObject({ state: 'failed' });
    // It has ended well by itself.
    await app.workflows.retry(runId);
    await app.settle();
    expect((await app.workflows.list({ state: 'succeeded' })).items).toHaveLength(1);
  });

  test('is explained by that', async () => {
    const { handler, begun, release } = deafStep();
    const app = await boot(workflow('deaf').step('charge', handler));
    await app.scheduler.schedule('deaf', { id: 'nightly', every: '1h' });
    await app.clock.advanceBy(3_600_000);
    await begun(1);
    const [run] = (await app.scheduler.getRuns({ jobId: 'nightly' })).items;
    await app.workflows.cancel(run!.id);
    const { sentence: text } = await app.scheduler.explain('nightly', run!.nominalAt);
    expect(text).toContain(`and is cancelled once what still runs of it has ended (run ${run!.id}).`);
    const { ending, steps } = (await app.workflows.graph(run!.id))!;
    expect([ending, steps[0]!.waitsFor]).toEqual([
      'cancelled',
      'It still runs. The workflow is cancelled once nothing of it does.',
    ]);
    release(1);
    await app.settle();
    expect((await app.workflows.graph(run!.id))!.steps[0]!.waitsFor).toBeNull();
  });

  test("is over at once where its steps are in nobody's hands", async () => {
    const app = await boot(
      workflow('waits')
        .step('sleeps', (ctx) => ctx.sleep('1d'))
        .step('hears', async (ctx) => void (await ctx.waitFor('go')))
        .manual('approve'),
    );
    const { runId } = await app.workflows.start('waits');
    await app.settle();
    expect(await app.scheduler.cancelRun(runId)).toBe('cancelled');
    expect(await app.workflows.get(runId)).toMatchObject({ state: 'cancelled', ending: null });
  });

  test('has its verdict once a step that does not end is given up', async () => {
    const { handler, begun, release } = deafStep();
    const app = await NestApp.boot({ chronis: { abortGraceMs: 5_000 } });
    apps.push(app);
    const workflows = app.app.get(WorkflowService);
    workflows.register(workflow('deaf').step('charge', handler));
    const { runId } = await workflows.start('deaf');
    await begun(1);
    await workflows.cancel(runId);
    const given = app.app.get(ChronisEvents).once('run.cancelled', () => true);
    await app.clock.advanceBy(60_000);
    await given;
    expect(await workflows.get(runId)).toMatchObject({ state: 'cancelled' });
    release(1);
    await app.settle();
  });
});
