import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ClaimedRun, RunStep, SchedulerService, StorageAdapter } from '../../lib/index.js';
import { claimOne, holdOf, minute, settle, startWorker } from '../../lib/testing/laws/fixture.js';
import { claimSteps, openFlow, step } from '../../lib/testing/laws/flow.fixture.js';
import { TransactionalApp } from '../support/transactional.app.js';

describe('signals of runs on PostgreSQL', () => {
  let app: TransactionalApp;
  let scheduler: SchedulerService;
  let storage: StorageAdapter;

  beforeAll(async () => {
    app = await TransactionalApp.create('signals');
    ({ scheduler } = await app.boot());
    storage = await app.storage();
    scheduler.registerHandler('work', () => undefined);
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    await app.empty();
    await app.source.query(`delete from "${app.schema}".run_signal`);
  });

  const worker = () => startWorker(storage, { app: 'default', leaseMs: 10 * minute });

  async function claimed(): Promise<ClaimedRun> {
    await scheduler.schedule('work', { in: 0 });
    return claimOne(storage, await worker());
  }

  const take = (run: ClaimedRun, name = 'wait'): Promise<RunStep | null> => {
    const place = { name, kind: 'signal', position: 1, attempt: 1, startedAt: run.nominalAt } as const;
    return storage.takeRunSignal(holdOf(run), { ...place, signal: 'go', until: null, after: [], ended: 1 });
  };

  const sleep = (run: ClaimedRun): Promise<void> =>
    settle(storage, run, { outcome: 'snoozed', retryAt: Infinity });

  const isDue = async (): Promise<boolean> => (await storage.claim(await worker(), 1)).runs.length === 1;

  const sent = async (): Promise<number> => {
    const rows: unknown[] = await app.source.query(`select from "${app.schema}".run_signal`);
    return rows.length;
  };

  /** Resolves when a statement on the tables waits for a lock. */
  const waiting = async (): Promise<void> => {
    const text = `select from pg_stat_activity where wait_event_type = 'Lock' and query like $1`;
    while ((await app.client.query(text, [`%${app.schema}%`])).rowCount === 0);
  };

  test('are sent by the commit of the caller, or not at all', async () => {
    const run = await claimed();
    await take(run);
    await sleep(run);
    const undone = new Error('undone');
    const rolledBack = app.source.transaction(async (manager) => {
      await scheduler.signal(run.id, 'go', 1, { manager });
      throw undone;
    });
    await expect(rolledBack).rejects.toBe(undone);
    expect([await sent(), await isDue()]).toEqual([0, false]);
    await app.source.transaction((manager) => scheduler.signal(run.id, 'go', 2, { manager }));
    expect([await sent(), await isDue()]).toEqual([1, true]);
  });

  test.each(['commits', 'rolls back'])(
    'are not passed by a wait for them while their transaction is open, which %s',
    async (end) => {
      const run = await claimed();
      const runner = app.source.createQueryRunner();
      await runner.startTransaction();
      await scheduler.signal(run.id, 'go', 'here', { manager: runner.manager });
      const taking = take(run);
      await waiting();
      await (end === 'commits' ? runner.commitTransaction() : runner.rollbackTransaction());
      await runner.release();
      const step = await taking;
      expect([step!.result, step!.finishedAt !== null]).toEqual(
        end === 'commits' ? ['here', true] : [null, false],
      );
    },
  );

  test.each([
    ['commits', true],
    ['rolls back', false],
  ])('keep a run from sleeping whose settlement waits for their transaction, which %s', async (end, due) => {
    const run = await claimed();
    await take(run);
    const runner = app.source.createQueryRunner();
    await runner.startTransaction();
    await scheduler.signal(run.id, 'go', null, { manager: runner.manager });
    const settling = sleep(run);
    await waiting();
    await (end === 'commits' ? runner.commitTransaction() : runner.rollbackTransaction());
    await runner.release();
    await settling;
    expect(await isDue()).toBe(due);
  });

  test('are refused in a transaction that cannot see that they are waited for', async () => {
    const run = await claimed();
    const sending = app.source.transaction('REPEATABLE READ', async (manager) => {
      await manager.query('select 1 from pg_class limit 1');
      await take(run);
      await scheduler.signal(run.id, 'go', null, { manager });
    });
    await expect(sending).rejects.toThrow();
    expect(await sent()).toBe(0);
    await sleep(run);
    expect(await isDue()).toBe(false);
  });

  test('are taken and on record as the end of the wait, or neither', async () => {
    const run = await claimed();
    await scheduler.signal(run.id, 'go', 'kept');
    const table = `"${app.schema}".run_step`;
    await app.source.query(
      `create function "${app.schema}".refuse() returns trigger language plpgsql as $$ begin raise 'No.'; end $$;
       create trigger refuse before insert on ${table} for each row execute function "${app.schema}".refuse()`,
    );
    await expect(take(run)).rejects.toThrow();
    expect(await sent()).toBe(1);
    await app.source.query(`drop trigger refuse on ${table}; drop function "${app.schema}".refuse()`);
    expect((await take(run))!.result).toBe('kept');
    expect(await sent()).toBe(0);
  });

  test('go with the record of a run that has ended, and stay as long as it may be retried', async () => {
    const prune = () => storage.prune({ defaultMs: 365 * 24 * 60 * minute, byVerdict: {} });
    const run = await claimed();
    await scheduler.signal(run.id, 'go');
    await app.source.query(`update "${app.schema}".run_signal set sent_at = sent_at - interval '1 hour'`);
    await prune();
    await settle(storage, run, { outcome: 'failed' });
    await prune();
    expect(await sent()).toBe(1);
    await storage.discardRuns([run.id]);
    await prune();
    expect(await sent()).toBe(0);
  });

  test('of a step go with its workflow, and when it has ended well', async () => {
    const prune = () => storage.prune({ defaultMs: 365 * 24 * 60 * minute, byVerdict: {} });
    const { runId, worker: hands } = await openFlow(storage, [step('good'), step('bad')]);
    const { good, bad } = await claimSteps(storage, hands);
    for (const { id } of [good, bad])
      expect(await storage.sendRunSignal(id, { name: 'go', payload: id })).toBe('sent');
    await app.source.query(`update "${app.schema}".run_signal set sent_at = sent_at - interval '1 hour'`);
    await settle(storage, good);
    await settle(storage, bad, { outcome: 'failed' });
    await prune();
    expect(await sent()).toBe(1);
    await app.source.query(
      `update "${app.schema}".flow set ended_at = ended_at - interval '1 day' where run_id = $1`,
      [runId],
    );
    expect(await storage.flows!.pruneFlows(Date.now() - 60 * minute, 10)).toBe(1);
    await prune();
    expect(await sent()).toBe(0);
  });
});
