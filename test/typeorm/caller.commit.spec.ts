import { once } from 'node:events';
import type { EntityManager } from 'typeorm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RunAbortedError, type RunContext, type Wake } from '../../lib/index.js';
import { TransactionalApp } from '../support/transactional.app.js';

describe('after the commit of a transaction of the caller', () => {
  let app: TransactionalApp;

  beforeEach(async () => {
    app = await TransactionalApp.create('commit');
  });
  afterEach(() => app.close());

  /** Nobody tells this process anything, and it looks on its own once a minute: longer than a test may take. */
  const alone = {
    storage: { notify: false },
    chronis: { autoStart: true, pollMs: '1m', leaseMs: '1h' },
  };
  const due = (id: string) => ({ id, handler: 'work', runAt: new Date(0) });

  test('what is due at once begins, though nobody tells of it', async () => {
    const { scheduler, events } = await app.boot(alone);
    scheduler.registerHandler('work', () => undefined);
    const ended = events.once('run.succeeded');
    await app.source.transaction(async (manager) => {
      await scheduler.createDateJob(due('a'), { manager });
      // Longer than the first looks.
      await manager.query('select pg_sleep(0.15)');
      expect((await scheduler.getRuns({ state: 'waiting' }, { manager })).items).toHaveLength(1);
    });
    expect((await ended).jobId).toBe('a');
  });

  test('a run that was cancelled is aborted', async () => {
    const { scheduler, events } = await app.boot(alone);
    let reason: unknown;
    scheduler.registerHandler('work', async ({ signal }) => {
      await once(signal, 'abort');
      reason = signal.reason;
      throw signal.reason;
    });
    const started = events.once('run.started');
    await scheduler.createDateJob(due('a'));
    const { runId } = await started;
    const ended = events.once('run.cancelled');
    await app.source.transaction((manager) => scheduler.cancelRun(runId, { manager }));
    await ended;
    expect(reason).toBeInstanceOf(RunAbortedError);
  });

  describe('others', () => {
    const listen = async () => {
      const heard: Wake[] = [];
      let tell = (): void => undefined;
      const storage = await app.storage();
      await storage.wakeSignal!.subscribe((wake) => {
        heard.push(wake);
        tell();
      });
      const until = (at: number): Promise<void> =>
        new Promise((resolve) => {
          tell = () => heard.some((wake) => wake.kind === 'due' && wake.at === at) && resolve();
          tell();
        });
      return { heard, until };
    };

    test('are not told, by default', async () => {
      const { scheduler } = await app.boot();
      scheduler.registerHandler('work', () => undefined);
      const { heard, until } = await listen();
      await app.source.transaction((manager) => scheduler.createDateJob(due('a'), { manager }));
      await scheduler.createDateJob({ ...due('b'), runAt: new Date(5) });
      await until(5);
      expect(heard).toHaveLength(1);
    });

    test('are told with notifyInTransactions, of what was committed', async () => {
      const { scheduler } = await app.boot({ storage: { notifyInTransactions: true } });
      scheduler.registerHandler('work', () => undefined);
      const { heard, until } = await listen();
      const create = (at: number) => (manager: EntityManager) =>
        scheduler.createDateJob({ ...due(`at-${at}`), runAt: new Date(at) }, { manager });
      await app.source
        .transaction(async (manager) => {
          await create(4)(manager);
          throw new Error('undone');
        })
        .catch(() => undefined);
      await app.source.transaction(create(6));
      await until(6);
      expect(heard).toEqual([{ kind: 'due', at: 6, what: 'run' }]);
    });
  });

  describe('a job that a handler creates in the transaction of its verdict', () => {
    /** Runs `parent` once; the child that it creates is created by this. */
    const run = async (
      handler: (context: RunContext, create: (m: EntityManager) => Promise<unknown>) => unknown,
    ) => {
      const { scheduler, events } = await app.boot({ chronis: { autoStart: true } });
      const ran: string[] = [];
      scheduler.registerHandler('work', ({ job }) => void ran.push(job.id));
      scheduler.registerHandler('parent', (context: RunContext) =>
        handler(context, async (manager) => {
          await app.insert(manager);
          await scheduler.createDateJob(due('child'), { manager });
          expect(await scheduler.getJob('child')).toBeNull();
          expect(await scheduler.getJob('child', { manager })).not.toBeNull();
        }),
      );
      const child = events.once('run.succeeded', ({ jobId }) => jobId === 'child');
      const parent = Promise.race([
        events.once('run.succeeded', ({ jobId }) => jobId === 'parent'),
        events.once('run.failed'),
        events.once('run.stale'),
      ]);
      await scheduler.createDateJob({ id: 'parent', handler: 'parent', runAt: new Date() });
      await parent;
      return { scheduler, child, ran };
    };

    test('runs when the verdict was committed', async () => {
      const { child, ran } = await run((context, create) => context.transaction(create));
      await child;
      expect([ran, await app.effects()]).toEqual([['child'], 1]);
    });

    test('does not exist when the work failed', async () => {
      const { scheduler } = await run((context, create) =>
        context.transaction(async (manager) => {
          await create(manager);
          throw new Error('changed my mind');
        }),
      );
      expect([await scheduler.getJob('child'), await app.effects()]).toEqual([null, 0]);
      expect(await scheduler.getAttempts({ jobId: 'child' })).toMatchObject({ items: [] });
    });

    test('does not exist when the run has another owner by now', async () => {
      const { scheduler } = await run((context, create) =>
        context.transaction(async (manager) => {
          await create(manager);
          await app.client.query(
            `update "${app.schema}".run set fence = fence + 1, worker = 'x' where id = $1`,
            [context.runId],
          );
        }),
      );
      expect([await scheduler.getJob('child'), await app.effects()]).toEqual([null, 0]);
    });
  });
});
