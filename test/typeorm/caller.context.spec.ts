import { AsyncLocalStorage } from 'node:async_hooks';
import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SchedulerService } from '../../lib/index.js';
import { TransactionalApp } from '../support/transactional.app.js';

describe('a transaction out of the context', () => {
  const ambient = new AsyncLocalStorage<EntityManager>();
  const undone = new Error('undone');
  let app: TransactionalApp;
  /** With `transactionContext`. */
  let aware: SchedulerService;
  let plain: SchedulerService;

  beforeAll(async () => {
    app = await TransactionalApp.create('context');
    // As libraries do that give the DataSource's manager between transactions.
    const transactionContext = (): EntityManager => ambient.getStore() ?? app.source.manager;
    aware = (await app.boot({ chronis: { transactionContext } })).scheduler;
    plain = (await app.boot()).scheduler;
    for (const scheduler of [aware, plain]) scheduler.registerHandler('work', () => undefined);
  });
  afterAll(() => app.close());
  beforeEach(() => app.empty());

  const create = (scheduler: SchedulerService, id: string, within = {}) =>
    scheduler.createDateJob({ id, handler: 'work', in: '1h' }, within);
  const ids = async () => (await plain.queryJobs()).items.map(({ id }) => id);
  const undo = (work: (manager: EntityManager) => Promise<unknown>) =>
    expect(
      app.source.transaction(async (manager) => {
        await work(manager);
        throw undone;
      }),
    ).rejects.toBe(undone);

  test('is taken from withTransaction by every call inside, however deep', async () => {
    const place = async (): Promise<void> => {
      await Promise.resolve();
      await create(plain, 'a');
      await plain.pauseJob('a');
      expect(await plain.countJobs({ state: 'paused' })).toBe(1);
    };
    await undo((manager) => plain.withTransaction(manager, place));
    expect(await ids()).toEqual([]);
    const result = await app.source.transaction((manager) =>
      plain.withTransaction(manager, async () => {
        await place();
        return 7;
      }),
    );
    expect([result, await ids()]).toEqual([7, ['a']]);
    await create(plain, 'b');
    expect(await ids()).toEqual(['a', 'b']);
  });

  test('is found by the function that the module was given', async () => {
    await undo((manager) => ambient.run(manager, () => create(aware, 'a')));
    expect(await ids()).toEqual([]);
    await app.source.transaction((manager) => ambient.run(manager, () => create(aware, 'a')));
    expect(await ids()).toEqual(['a']);
  });

  test('is none between transactions, and not asked for without the function', async () => {
    await create(aware, 'a');
    await undo((manager) => ambient.run(manager, () => create(plain, 'b')));
    expect(await ids()).toEqual(['a', 'b']);
  });

  test('gives way to the manager that a call names, and to null', async () => {
    await app.source.transaction(async (outer) => {
      await undo((inner) =>
        ambient.run(outer, () =>
          plain.withTransaction(outer, async () => {
            await create(aware, 'a', { manager: inner });
            await create(plain, 'b', { manager: inner });
            await create(plain, 'c', { manager: null });
            await plain.withTransaction(null, () => create(plain, 'd'));
            await plain.withTransaction(inner, () => create(plain, 'e'));
            await create(plain, 'f');
          }),
        ),
      );
      expect(await ids()).toEqual(['c', 'd']);
    });
    expect(await ids()).toEqual(['c', 'd', 'f']);
  });

  test('that is over is refused, not passed over', async () => {
    let late!: Promise<unknown>;
    let commit!: () => void;
    const committed = new Promise<void>((resolve) => (commit = resolve));
    await app.source.transaction((manager) =>
      plain.withTransaction(manager, async () => {
        late = committed.then(() => create(plain, 'a'));
      }),
    );
    commit();
    await expect(late).rejects.toThrow('is not inside a transaction, or its transaction is over');
    expect(await ids()).toEqual([]);
  });
});
