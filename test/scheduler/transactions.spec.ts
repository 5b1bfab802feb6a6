import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InvalidOptionError, SchedulerService, TransactionNotSupportedError } from '../../lib/index.js';
import { apartFromTransactions, joinableCalls } from '../support/joinable.calls.js';
import { NestApp } from '../support/nest.app.js';

const manager = { query: async () => [] } as never;
const job = { id: 'b', handler: 'work' };
test('every call that reads or changes jobs can be part of a transaction', () => {
  const internal = ['changed', 'access', 'accessOf'];
  const names = Object.getOwnPropertyNames(SchedulerService.prototype).filter(
    (name) => !apartFromTransactions.includes(name) && !internal.includes(name),
  );
  expect(joinableCalls.map(([name]) => name).toSorted()).toEqual(names.toSorted());
});

describe('transactions of the caller whose end nobody tells the storage in memory', () => {
  let app: NestApp;
  let current: unknown;

  beforeEach(async () => {
    current = undefined;
    app = await NestApp.boot({ chronis: { transactionContext: () => current as never } });
    app.scheduler.registerHandler('work', () => undefined);
    await app.scheduler.createIntervalJob({ id: 'a', handler: 'work', hours: 1 });
  });
  afterEach(() => app.close());

  test.each(joinableCalls)(
    '%s is refused, whichever way the transaction comes, and does nothing',
    async (_, call) => {
      const { scheduler } = app;
      const before = await scheduler.queryJobs();
      await expect(call(scheduler, { manager })).rejects.toThrow(TransactionNotSupportedError);
      const within = scheduler.withTransaction(manager, () => call(scheduler, {}));
      await expect(within).rejects.toThrow('the storage "memory" learns of the end of TypeORM');
      current = manager;
      await expect(call(scheduler, {})).rejects.toThrow(TransactionNotSupportedError);
      const alone = { manager: null };
      expect(await scheduler.queryJobs({}, alone)).toEqual(before);
      expect(await scheduler.getPauses(alone)).toEqual([]);
      expect((await scheduler.getRuns({}, alone)).items).toEqual([]);
    },
  );

  test('none is asked for by null, whatever the context says', async () => {
    current = manager;
    await app.scheduler.createDateJob({ ...job, in: '1h' }, { manager: null });
    const count = app.scheduler.withTransaction(null, () => app.scheduler.countJobs());
    expect(await count).toBe(2);
  });

  test('an option that no call has is refused', async () => {
    const misspelt = app.scheduler.createDateJob({ ...job, in: '1h' }, { manger: manager } as object);
    await expect(misspelt).rejects.toThrow('Did you mean "manager"?');
    await expect(app.scheduler.createMany([], null as never)).rejects.toThrow(InvalidOptionError);
  });

  test('the context of the module must be a function', async () => {
    const boot = NestApp.boot({ chronis: { transactionContext: manager } });
    await expect(boot).rejects.toThrow('transactionContext: must be a function');
  });
});
