import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { EntityManager } from 'typeorm';
import {
  RunHasVerdictError,
  WorkflowRunNotFoundError,
  WorkflowRunStateError,
  WorkflowStepNotFoundError,
  workflow,
  type TenantWorkflows,
} from '../../lib/index.js';
import { TransactionalApp } from '../support/transactional.app.js';

type Process = Awaited<ReturnType<TransactionalApp['boot']>>;
type Work = (manager: EntityManager) => Promise<unknown>;

const asking = workflow('asking')
  .manual('first')
  .manual('second', { after: 'first' })
  .step('end', (ctx) => ctx.result('second'), { after: 'second' });

describe('in a transaction of the caller', () => {
  let database: TransactionalApp;
  let app: Process;

  beforeAll(async () => {
    database = await TransactionalApp.create('called');
    app = await database.boot({ chronis: { autoStart: false, pollMs: 200 } });
    app.workflows.register(asking);
    await app.scheduler.start();
  }, 60_000);
  afterAll(() => database.close());
  afterEach(() => database.empty());

  const committed = (work: Work): Promise<unknown> => database.source.transaction(work);

  async function rolledBack(work: Work): Promise<void> {
    const undone = new Error('undone');
    const ended = committed(async (manager) => {
      await work(manager);
      throw undone;
    });
    await expect(ended).rejects.toBe(undone);
  }

  async function begun(): Promise<string> {
    const opened: string[] = [];
    const stop = app.events.on('run.opened', ({ runId }) => opened.push(runId));
    const { runId } = await app.workflows.start('asking');
    if (!opened.includes(runId)) await app.events.once('run.opened', (event) => event.runId === runId);
    stop();
    return runId;
  }

  const tellers: [string, () => Pick<TenantWorkflows, 'start' | 'cancel' | 'get'>][] = [
    ['a workflow', () => app.workflows],
    ['a workflow of a tenant', () => app.workflows.forTenant('acme')],
  ];
  test.each(tellers)('%s is cancelled that the transaction has started', async (_, teller) => {
    const workflows = teller();
    let id = '';
    await committed(async (manager) => {
      ({ runId: id } = await workflows.start('asking', { key: 'started' }, { manager }));
      await workflows.cancel(id, { manager });
      await expect(workflows.cancel(id, { manager })).rejects.toThrow(WorkflowRunStateError);
    });
    expect(await workflows.get(id)).toMatchObject({ state: 'cancelled' });
    await rolledBack(async (manager) => {
      ({ runId: id } = await workflows.start('asking', {}, { manager }));
      await workflows.cancel(id, { manager });
    });
    expect(await workflows.get(id)).toBeNull();
    await expect(workflows.cancel(id)).rejects.toThrow(WorkflowRunNotFoundError);
  });

  test('a step is ended that the transaction has released', async () => {
    const runId = await begun();
    const both: Work = async (manager) => {
      await app.workflows.complete({ runId, step: 'first' }, 1, { manager });
      await app.workflows.complete({ runId, step: 'second' }, 2, { manager });
    };
    await rolledBack(both);
    expect((await app.workflows.graph(runId))!.steps.map(({ state }) => state)).toEqual([
      'released',
      'waiting',
      'waiting',
    ]);
    await committed(both);
    expect(await app.scheduler.waitForRun(runId)).toMatchObject({ verdict: 'succeeded', result: { end: 2 } });
  });

  test('a step fails that the transaction has released', async () => {
    const runId = await begun();
    await committed(async (manager) => {
      await app.workflows.complete({ runId, step: 'first' }, 1, { manager });
      await app.workflows.fail({ runId, step: 'second' }, new Error('no'), { manager });
      const again = app.workflows.fail({ runId, step: 'second' }, new Error('no'), { manager });
      await expect(again).rejects.toThrow(RunHasVerdictError);
    });
    expect(await app.workflows.get(runId)).toMatchObject({ state: 'failed' });
  });

  test('what the transaction has started has no steps yet, and says so', async () => {
    await rolledBack(async (manager) => {
      const { runId } = await app.workflows.start('asking', {}, { manager });
      const ended = app.workflows.complete({ runId, step: 'first' }, 1, { manager });
      await expect(ended).rejects.toThrow(WorkflowStepNotFoundError);
    });
  });

  test('a workflow is cancelled whose last step but one the transaction has completed', async () => {
    const runId = await begun();
    await committed(async (manager) => {
      await app.workflows.complete({ runId, step: 'first' }, 1, { manager });
      await app.workflows.cancel(runId, { manager });
    });
    expect(await app.workflows.graph(runId)).toMatchObject({
      state: 'cancelled',
      steps: [{ state: 'succeeded' }, { state: 'cancelled' }, { state: 'cancelled' }],
    });
  });
});
