import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import pg from 'pg';
import { z } from 'zod';
import {
  RetryAfterError,
  WorkflowRunNotFoundError,
  WorkflowService,
  defineJob,
  workflow,
  type StepContext,
} from '../../lib/index.js';
import { ChronisTesting } from '../../lib/testing/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

describe.each(['memory', 'PostgreSQL'])('a step of a workflow, in %s', (kind) => {
  let schema: string;
  let chronis: ChronisTesting;
  let workflows: WorkflowService;
  let calls: string[] = [];

  beforeEach(async () => {
    schema = freshSchema('retried');
    const url = databaseUrl();
    chronis = await ChronisTesting.create(
      kind === 'memory' ? {} : { storage: (clock) => typeOrmStorage({ url, schema, clock }) },
    );
    workflows = chronis.app.get(WorkflowService);
    calls = [];
  });
  afterEach(async () => {
    await chronis.close();
    if (kind === 'memory') return;
    await query(`drop schema "${schema}" cascade`);
  });

  async function query(text: string): Promise<unknown[]> {
    const client = new pg.Client(databaseUrl());
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  }

  /** Fails the first time, by key. */
  function failOnce(key = 'only'): void {
    calls.push(`try ${key}`);
    if (calls.filter((each) => each === `try ${key}`).length === 1) throw new Error('not yet');
  }

  async function stepRun(runId: string, nth = 0): Promise<string> {
    return (await workflows.graph(runId))!.steps[nth].runId!;
  }

  async function retried(runId: string, state = 'failed'): Promise<string> {
    expect(await workflows.get(runId)).toMatchObject({ state });
    return (await workflows.retry(runId)).runId;
  }

  test('that is retried passes over the durable steps and the sleeps that have ended', async () => {
    workflows.register(
      workflow('order').step('pay', async (ctx) => {
        const charged = await ctx.step('charge', () => `charge ${calls.push('charge')}`);
        await ctx.sleep('3 days');
        failOnce();
        return charged;
      }),
    );
    const { runId } = await workflows.start('order');
    await chronis.advanceBy('4d');
    const again = await retried(runId);
    await chronis.runDue();
    expect(calls).toEqual(['charge', 'try only', 'try only']);
    const outcome = await chronis.scheduler.waitForRun(again);
    expect(outcome).toMatchObject({ verdict: 'succeeded', result: { pay: 'charge 1' } });
  });

  test('that is retried has in each of its attempts what the first one has kept', async () => {
    const seen: string[] = [];
    workflows.register(
      workflow('order').step(
        'pay',
        async (ctx) => {
          const nth = calls.push('attempt');
          seen.push(await ctx.step('charge', () => `paid by attempt ${nth}`));
          if (nth < 4) throw new Error('not yet');
        },
        { maxRetries: 1, backoff: '1s' },
      ),
    );
    const { runId } = await workflows.start('order');
    await chronis.advanceBy('1m');
    await retried(runId);
    await chronis.advanceBy('1m');
    expect(seen).toEqual(Array(4).fill('paid by attempt 1'));
    expect(await workflows.get(runId)).toMatchObject({ state: 'succeeded' });
  });

  test('does so as an instance of a map', async () => {
    workflows.register(
      workflow('order')
        .step('lines', () => ['x', 'y'])
        .map(
          'pack',
          async (ctx: StepContext<any, any, any>) => {
            await ctx.step('box', () => calls.push(`box ${ctx.item}`));
            if (ctx.item === 'y') failOnce('y');
          },
          { after: 'lines' },
        ),
    );
    const { runId } = await workflows.start('order');
    await chronis.runDue();
    await retried(runId);
    await chronis.runDue();
    expect(calls.toSorted()).toEqual(['box x', 'box y', 'try y', 'try y']);
    expect(await workflows.get(runId)).toMatchObject({ state: 'succeeded' });
  });

  test('does so when it is retried for the second time', async () => {
    workflows.register(
      workflow('order').step('pay', async (ctx) => {
        await ctx.step('charge', () => calls.push('charge'));
        await ctx.step('order', () => failOnce());
        await ctx.step('mail', () => failOnce('mail'));
      }),
    );
    const { runId } = await workflows.start('order');
    await chronis.runDue();
    await retried(runId);
    await chronis.runDue();
    await retried(runId);
    await chronis.runDue();
    expect(calls).toEqual(['charge', 'try only', 'try only', 'try mail', 'try mail']);
    expect(await workflows.get(runId)).toMatchObject({ state: 'succeeded' });
  });

  test('that is retried begins anew where it had succeeded', async () => {
    workflows.register(
      workflow('order')
        .step('pay', (ctx) => ctx.step('charge', () => calls.push('charge')))
        .step('bad', () => failOnce()),
    );
    const { runId } = await workflows.start('order');
    await chronis.runDue();
    await workflows.retry(runId, { from: ['pay', 'bad'] });
    await chronis.runDue();
    expect(calls.filter((each) => each === 'charge')).toHaveLength(2);
  });

  test('that is retried has the signals that it had taken, and those that nothing had taken', async () => {
    workflows.register(
      workflow('order').step('wait', async (ctx) => {
        const first = await ctx.waitFor('first');
        failOnce();
        return [first, await ctx.waitFor('late')] as string[];
      }),
    );
    const { runId } = await workflows.start('order');
    await chronis.runDue();
    const run = await stepRun(runId);
    await chronis.scheduler.signal(run, 'late', 'kept');
    await chronis.scheduler.signal(run, 'first', 'taken');
    await chronis.runDue();
    const again = await retried(runId);
    await chronis.runDue();
    expect(await workflows.get(runId)).toMatchObject({ state: 'succeeded' });
    const outcome = await chronis.scheduler.waitForRun(again);
    expect(outcome).toMatchObject({ result: { wait: ['taken', 'kept'] } });
  });

  test.skipIf(kind === 'memory')(
    'that is retried commits a durable step that is a transaction once',
    async () => {
      const invoices = `"${schema}".invoice`;
      await query(`create table ${invoices} (run text)`);
      workflows.register(
        workflow('order').step('invoice', async (ctx) => {
          await ctx.step.transaction('write', async (manager: any) => {
            await manager.query(`insert into ${invoices} values ($1)`, [ctx.runId]);
          });
          failOnce();
        }),
      );
      const { runId } = await workflows.start('order');
      await chronis.runDue();
      await retried(runId);
      await chronis.runDue();
      expect(await workflows.get(runId)).toMatchObject({ state: 'succeeded' });
      expect(await query(`select 1 from ${invoices}`)).toHaveLength(1);
    },
  );

  test('is the one to signal, not its workflow', async () => {
    workflows.register(
      workflow('order')
        .step('wait', (ctx) => ctx.waitFor('go'))
        .manual('approve'),
    );
    const { runId } = await workflows.start('order');
    await chronis.runDue();
    for (const run of [runId, await stepRun(runId, 1)])
      await expect(chronis.scheduler.signal(run, 'go')).rejects.toThrow(
        `the run ${run} is a workflow, or a manual step of one, so no handler waits in it.`,
      );
    await chronis.scheduler.signal(await stepRun(runId), 'go');
    await workflows.complete({ runId, step: 'approve' });
    await chronis.runDue();
    expect(await workflows.get(runId)).toMatchObject({ state: 'succeeded' });
  });

  test('does not begin again with its workflow, which is over when it fails or times out, whatever its job says of retries', async () => {
    const { scheduler } = chronis;
    const ends = ['failed', 'timed_out'];
    const retries = { maxRetries: 2, backoff: '10s', keep: '1d', allowUnknownHandler: true } as const;
    // By a process that does not know that it is one.
    for (const end of ends) await scheduler.schedule('order', { in: '30d', id: end, ...retries });
    workflows.register(workflow('order', { timeout: '1h' }).manual('approve'));
    for (const end of ends) {
      await scheduler.runNow(end);
      await chronis.runDue();
      const [{ runId }] = (await workflows.list({ workflow: 'order', state: 'active' })).items;
      if (end === 'failed')
        expect(await scheduler.fail(runId, new RetryAfterError('1m'))).toEqual({ retryAt: null });
      await chronis.advanceBy('1h1m');
      await chronis.advanceBy('1h1m');
      expect(await workflows.graph(runId)).toMatchObject({ state: end, steps: [{ state: 'cancelled' }] });
      const again = await retried(runId, end);
      await workflows.complete({ runId: again, step: 'approve' });
      expect(await workflows.get(runId)).toMatchObject({ state: 'succeeded' });
    }
  });

  test('is not what retries of a job with a workflow would be, so these are refused', async () => {
    const { scheduler } = chronis;
    workflows.register(workflow('order').step('pay', () => calls.push('pay')));
    const refused =
      'maxRetries: the job calls the workflow "order", which is not tried again as a whole. Give it to the steps: @Step({ maxRetries }); workflows.retry() goes on from what has failed.';
    const retries = { maxRetries: 2 };
    await expect(scheduler.schedule('order', { cron: '0 2 * * *', ...retries })).rejects.toThrow(refused);
    await expect(
      scheduler.schedule(defineJob('order', retries), { in: '1h', payload: null }),
    ).rejects.toThrow(refused);
    const created = await scheduler.createMany([{ handler: 'order', in: '1h', ...retries }]);
    expect(created).toMatchObject([
      { status: 'rejected', error: { message: expect.stringContaining(refused) } },
    ]);
    await scheduler.schedule('order', { id: 'nightly', cron: '0 2 * * *', maxRetries: 0 });
    await expect(scheduler.updateJob('nightly', retries)).rejects.toThrow(refused);
    scheduler.registerHandler('plain', () => calls.push('plain'));
    await scheduler.schedule('plain', { id: 'plain', cron: '0 2 * * *', ...retries });
    await expect(scheduler.updateJob('plain', { handler: 'order' })).rejects.toThrow(refused);
    await scheduler.updateJob('plain', { handler: 'order', maxRetries: 0 });
    expect((await scheduler.getJob('plain'))!.policies.maxRetries).toBe(0);
  });

  test('is not retried where the workflow was over before it had begun, and what to do is said', async () => {
    workflows.register(workflow('order').step('pay', () => calls.push('pay')));
    const { scheduler } = chronis;
    const { runId } = await workflows.start('order', { key: 'k', delay: '1h' });
    await workflows.cancel(runId);
    await expect(workflows.retry(runId)).rejects.toThrow(
      `The workflow of run "${runId}" is cancelled: it had not begun, so there is nothing to go on with. Start it by scheduler.runNow("k").`,
    );
    const again = await scheduler.runNow('k');
    await chronis.runDue();
    expect(await workflows.get(again.id)).toMatchObject({ state: 'succeeded' });

    const tenant = workflows.forTenant('acme');
    const other = await tenant.start('order', { key: 'k', delay: '1h' });
    await tenant.cancel(other.runId);
    await expect(tenant.retry(other.runId)).rejects.toThrow(
      'Start it by scheduler.runNow("k", { namespace: "tenant:acme" }).',
    );
    await scheduler.runNow('k', { namespace: 'tenant:acme' });

    const keyless = await workflows.start('order', { delay: '1h' });
    await workflows.cancel(keyless.runId);
    await expect(workflows.retry(keyless.runId)).rejects.toThrow(WorkflowRunNotFoundError);
  });

  test('nor where that has failed before it had begun', async () => {
    let fits = true;
    const params = z.object({}).refine(() => fits);
    workflows.register(workflow('order', { params }).step('pay', () => calls.push('pay')));
    const { runId } = await workflows.start('order', { params: {}, key: 'k' });
    fits = false;
    await chronis.runDue();
    await expect(workflows.retry(runId)).rejects.toThrow(
      `The workflow of run "${runId}" is failed: it had not begun, so there is nothing to go on with. Start it anew by scheduler.retryRun("${runId}").`,
    );
    fits = true;
    await chronis.scheduler.retryRun(runId);
    await chronis.runDue();
    expect(calls).toEqual(['pay']);
  });
});
