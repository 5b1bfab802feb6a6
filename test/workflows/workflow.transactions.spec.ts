import type { EntityManager } from 'typeorm';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  DefinitionService,
  TransactionNotSupportedError,
  WorkflowService,
  workflow,
  type SchedulerService,
} from '../../lib/index.js';
import { ChronisTesting } from '../../lib/testing/index.js';
import { TransactionalApp } from '../support/transactional.app.js';

interface Place {
  scheduler: SchedulerService;
  workflows: WorkflowService;
  definitions: DefinitionService;
  transaction: (work: (manager: any) => Promise<void>) => Promise<unknown>;
  /** Tells the context of the module of a transaction. */
  setContext: (manager: unknown) => void;
  /** A workflow that has failed in its only step. */
  failed: () => Promise<string>;
  /** One that waits for a manual step. */
  going: (of?: Pick<WorkflowService, 'start'>) => Promise<string>;
}

const failing = workflow('failing').step('a', () => {
  throw new Error('boom');
});
const waiting = workflow('waiting').manual('m');

const undone = new Error('undone');

function promises(placeOf: () => Place): void {
  const rolledBack = async (work: (manager: any) => Promise<unknown>): Promise<void> => {
    const ended = placeOf().transaction(async (manager) => {
      await work(manager);
      throw undone;
    });
    await expect(ended).rejects.toBe(undone);
  };

  /** By what the call is made part of the transaction. */
  const ways = {
    'by its option': (manager: unknown, work: (within: object) => Promise<unknown>) => work({ manager }),
    'by withTransaction': (manager: any, work: (within: object) => Promise<unknown>) =>
      placeOf().scheduler.withTransaction(manager, () => work({})),
    'by the context': async (manager: unknown, work: (within: object) => Promise<unknown>) => {
      const { setContext } = placeOf();
      setContext(manager);
      await work({}).finally(() => setContext(null));
    },
  };
  const state = async (runId: string, within: object = { manager: null }): Promise<string> =>
    (await placeOf().workflows.get(runId, within))!.state;

  describe.each(Object.entries(ways))('%s', (_, within) => {
    test('a retry is part of it', async () => {
      const { workflows, failed } = placeOf();
      const runId = await failed();
      await rolledBack((manager) =>
        within(manager, async (options) => {
          const { runId: id } = await workflows.retry(runId, { from: 'a', ...options });
          expect(await workflows.get(runId, options)).toMatchObject({ runId: id, state: 'active' });
          expect((await workflows.graph(runId, options))!.steps).toMatchObject([{ state: 'released' }]);
          const { items } = await workflows.list({ workflow: 'failing', state: 'active' }, options);
          expect(items).toMatchObject([{ runId: id }]);
        }),
      );
      expect(await workflows.get(runId)).toMatchObject({ runId, state: 'failed' });
    });

    test('a pause, and the end of one, is part of it', async () => {
      const { workflows, going, transaction } = placeOf();
      const runId = await going();
      const pause = (manager: unknown): Promise<unknown> =>
        within(manager, async (options) => {
          await workflows.pause(runId, options);
          expect(await state(runId, options)).toBe('paused');
          expect(await state(runId)).toBe('active');
        });
      await rolledBack(pause);
      expect(await state(runId)).toBe('active');
      await transaction(async (manager) => void (await pause(manager)));
      expect(await state(runId)).toBe('paused');
      await rolledBack((manager) => within(manager, (options) => workflows.resume(runId, options)));
      expect(await state(runId)).toBe('paused');
      await transaction(async (manager) => {
        await within(manager, (options) => workflows.resume(runId, options));
      });
      expect(await state(runId)).toBe('active');
    });
  });

  test('of a tenant they are part of it, too', async () => {
    const { scheduler, workflows, going } = placeOf();
    const own = workflows.forTenant('acme');
    const runId = await going(own);
    expect(await own.get(runId)).toMatchObject({ runId });
    await rolledBack((manager) => own.pause(runId, { manager }));
    expect(await state(runId)).toBe('active');
    await rolledBack((manager) => scheduler.withTransaction(manager, () => own.pause(runId)));
    expect(await state(runId)).toBe('active');
  });

  test('who has asked for it is on record as part of it', async () => {
    const { scheduler, workflows, transaction, going, failed } = placeOf();
    const [runId, over] = [await going(), await failed()];
    const ask = (manager: any) =>
      scheduler.withActor({ by: 'ada' }, async () => {
        await workflows.pause(runId, { manager });
        await workflows.resume(runId, { manager });
        await workflows.retry(over, { manager });
      });
    const actions = async () => (await scheduler.getAudit()).items.map(({ action }) => action).toReversed();
    await rolledBack(ask);
    expect(await actions()).toEqual([]);
    await transaction(ask);
    expect(await actions()).toEqual(['workflow.pause', 'workflow.resume', 'workflow.retry']);
  });

  test('what cannot be part of one is refused within, and says how to make it outside', async () => {
    const { scheduler, workflows, definitions, transaction, setContext } = placeOf();
    const calls = [() => workflows.prune({ olderThan: '1d' }), () => definitions.prune({ olderThan: '1d' })];
    await transaction(async (manager) => {
      for (const call of calls) {
        const refused = scheduler.withTransaction(manager, call);
        await expect(refused).rejects.toThrow(TransactionNotSupportedError);
        await expect(refused).rejects.toThrow('withTransaction(null, …)');
        const outside = scheduler.withTransaction(null, call);
        expect(await scheduler.withTransaction(manager, () => outside)).toBe(0);
        setContext(manager);
        await expect(call()).rejects.toThrow(TransactionNotSupportedError);
        setContext(null);
      }
    });
    for (const call of calls) expect(await call()).toBe(0);
  });
}

describe('changes of workflows in transactions of PostgreSQL', () => {
  let database: TransactionalApp;
  let app: Awaited<ReturnType<TransactionalApp['boot']>>;
  let place: Place;
  let current: EntityManager | null = null;

  beforeAll(async () => {
    database = await TransactionalApp.create('flow_changes');
    app = await database.boot({
      chronis: { autoStart: false, pollMs: 200, transactionContext: () => current },
    });
    const { scheduler, workflows, definitions, events } = app;
    workflows.register(failing);
    workflows.register(waiting);
    await scheduler.start();
    place = {
      ...{ scheduler, workflows, definitions },
      transaction: (work) => database.source.transaction(work),
      setContext: (manager) => (current = manager as EntityManager | null),
      failed: async () => {
        const { runId } = await workflows.start('failing');
        await scheduler.waitForRun(runId);
        return runId;
      },
      going: async (of = workflows) => {
        const opened = new Set<string>();
        const stop = events.on('run.opened', ({ runId }) => void opened.add(runId));
        const { runId } = await of.start('waiting');
        if (!opened.has(runId)) await events.once('run.opened', (event) => event.runId === runId);
        stop();
        return runId;
      },
    };
  }, 60_000);
  afterAll(() => database.close());
  afterEach(() => database.empty());

  promises(() => place);
});

describe('changes of workflows in transactions in memory', () => {
  let chronis: ChronisTesting;
  let place: Place;
  let current: unknown = null;

  beforeAll(async () => {
    chronis = await ChronisTesting.create({
      chronis: { transactionContext: () => current as EntityManager | null },
    });
    const { app, scheduler } = chronis;
    const [workflows, definitions] = [app.get(WorkflowService), app.get(DefinitionService)];
    workflows.register(failing);
    workflows.register(waiting);
    const begun = async (name: string, of: Pick<WorkflowService, 'start'> = workflows): Promise<string> => {
      const { runId } = await of.start(name);
      await chronis.runDue();
      return runId;
    };
    place = {
      ...{ scheduler, workflows, definitions },
      transaction: (work) => chronis.transaction(work),
      setContext: (manager) => (current = manager),
      failed: () => begun('failing'),
      going: (of) => begun('waiting', of),
    };
  });
  afterAll(() => chronis.close());

  promises(() => place);
});
