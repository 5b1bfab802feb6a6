import pg from 'pg';
import { DataSource, type EntitySubscriberInterface } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  StorageError,
  workflow,
  type ChronisOptions,
  type ManagerOption,
  type RunContext,
  type SqlExecutor,
  type WorkflowService,
} from '../../lib/index.js';
import { openFlow, step } from '../../lib/testing/laws/flow.fixture.js';
import { startWorker } from '../../lib/testing/laws/fixture.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { TcpProxy } from '../chaos/tcp.proxy.js';
import { joinableCalls } from '../support/joinable.calls.js';
import { databaseUrl } from '../support/schema.js';
import { TransactionalApp } from '../support/transactional.app.js';

const workflowCalls: [string, (w: WorkflowService, runId: string, o: ManagerOption) => Promise<unknown>][] = [
  [
    'start',
    (w, _, o) =>
      w.start(
        workflow('own').step('a', () => 1),
        { key: 'own' },
        o,
      ),
  ],
  ['complete', (w, runId, o) => w.complete({ runId, step: 'm' }, 1, o)],
  ['fail', (w, runId, o) => w.fail({ runId, step: 'm' }, new Error('no'), o)],
  ['cancel', (w, runId, o) => w.cancel(runId, o)],
];

// Whoever is in a transaction has one connection, and a pool or a pooler may have no other: here the storage has none as long as one is open.
describe('in the first transaction of a process', () => {
  let app: TransactionalApp;
  let proxy: TcpProxy;
  let source: DataSource;
  let process: Awaited<ReturnType<TransactionalApp['boot']>>;
  const onTransaction: EntitySubscriberInterface = { afterTransactionStart: () => proxy.cut() };

  beforeAll(async () => {
    app = await TransactionalApp.create('single');
    proxy = await TcpProxy.to(Number(new URL(databaseUrl()).port));
    source = await new DataSource({ type: 'postgres', url: databaseUrl(), poolSize: 1 }).initialize();
    source.subscribers.push(onTransaction);
    // Some process has the handler; the one that makes the calls learns so from the storage.
    const others = await app.storage();
    await startWorker(others, { handlers: ['work'], leaseMs: 3_600_000 });
    const { scheduler, close } = await boot();
    await scheduler.createIntervalJob({ id: 'a', handler: 'work', hours: 1 });
    await close();
  });
  afterAll(async () => {
    await source.destroy();
    await app.close();
    proxy.close();
  });
  afterEach(async () => {
    proxy.heal();
    await process.close();
  });

  function boot(chronis: ChronisOptions = {}) {
    const url = new URL(databaseUrl());
    url.host = `127.0.0.1:${proxy.port}`;
    const storage = typeOrmStorage({ url: url.href, schema: app.schema, notify: false });
    return app.boot({ chronis: { storage, app: 'shop', ...chronis } });
  }

  describe('of a caller', () => {
    beforeEach(async () => void (process = await boot()));

    test.each(joinableCalls)('%s needs no second connection', async (_, call) => {
      const undone = new Error('undone');
      let error: unknown;
      const ended = source.transaction(async (manager) => {
        await call(process.scheduler, { manager }).catch((reason: unknown) => (error = reason));
        throw undone;
      });
      await expect(ended).rejects.toBe(undone);
      expect(error).not.toBeInstanceOf(StorageError);
    });

    test.each(workflowCalls)('workflows.%s needs no second connection', async (name, call) => {
      const others = await app.storage();
      const { runId } = await openFlow(others, [step('m', [], { kind: 'manual' })], {
        job: { id: `flow ${name}` },
      });
      await source.transaction((manager) => call(process.workflows, runId, { manager }));
    });

    test('a refusal needs no second connection', async () => {
      const hidden = `alter table "${app.schema}".meta rename to`;
      await app.client.query(`${hidden} meta_gone`);
      try {
        const ended = source.transaction((manager) => process.scheduler.getJob('a', { manager }));
        await expect(ended).rejects.toThrow('or they are gone');
      } finally {
        await app.client.query(`alter table "${app.schema}".meta_gone rename to meta`);
      }
    });
  });

  describe('of a handler', () => {
    /** Runs the handler for as many jobs at once. */
    async function outcomes(
      count: number,
      handler: (context: RunContext<unknown>) => unknown,
    ): Promise<string[]> {
      process = await boot({ autoStart: true });
      const { scheduler, events } = process;
      const names: string[] = [];
      const ended = new Promise<void>((resolve) => {
        for (const name of ['run.succeeded', 'run.failed', 'run.stale'] as const)
          events.on(name, () => names.push(name) === count && resolve());
      });
      scheduler.registerHandler('paid', (context) =>
        Promise.resolve(handler(context)).finally(() => proxy.heal()),
      );
      await scheduler.createMany(Array.from({ length: count }, () => ({ handler: 'paid', in: 0 })));
      await ended;
      return names;
    }

    test('neither the verdict nor a call within needs a second connection, and a pool of one does for many at once', async () => {
      const names = await outcomes(3, ({ transaction, runId }) =>
        transaction(
          (manager) =>
            process.scheduler.schedule(
              'work',
              { id: `after ${runId}`, in: '1h' },
              { manager: manager as never },
            ),
          { dataSource: source },
        ),
      );
      expect(names).toEqual(Array(3).fill('run.succeeded'));
      expect(await process.scheduler.countJobs({ idPrefix: 'after ' })).toBe(3);
    });

    test('of another library, that holds as well', async () => {
      const client = new pg.Client(databaseUrl());
      await client.connect();
      const begin = async (run: (executor: SqlExecutor, manager: pg.Client) => Promise<void>) => {
        await client.query('begin');
        proxy.cut();
        await run(client as never, client);
        await client.query('commit');
        proxy.heal();
      };
      const names = await outcomes(1, ({ transaction }) =>
        transaction(
          (manager) =>
            process.scheduler.schedule('work', { id: 'next', in: '1h' }, { manager: manager as never }),
          { begin },
        ),
      );
      await client.end();
      expect(names).toEqual(['run.succeeded']);
    });
  });
});
