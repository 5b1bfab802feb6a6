import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  RunHasVerdictError,
  type RunContext,
  type SchedulerService,
  type Settlement,
  type StorageAdapter,
} from '../../lib/index.js';
import { accepts, claimOne, holdOf, startWorker } from '../../lib/testing/laws/fixture.js';
import { TransactionalApp } from '../support/transactional.app.js';

describe('open runs on PostgreSQL', () => {
  let app: TransactionalApp;
  let scheduler: SchedulerService;
  let storage: StorageAdapter;

  beforeAll(async () => {
    app = await TransactionalApp.create('open');
    ({ scheduler } = await app.boot());
    storage = await app.storage();
    scheduler.registerHandler('work', () => undefined);
  });
  afterAll(() => app.close());
  beforeEach(() => app.empty());

  /** The id of a run that is open; `deadlineInMs` from now. */
  async function opened(deadlineInMs: number | null = null, policies: object = {}): Promise<string> {
    await scheduler.schedule('work', { in: 0, ...policies });
    return leaveOpen(deadlineInMs);
  }

  async function leaveOpen(deadlineInMs: number | null = null): Promise<string> {
    const run = await claimOne(storage, await startWorker(storage, { app: 'default' }));
    const now = await storage.now();
    const settlement: Settlement = {
      ...{ ...holdOf(run), outcome: 'opened', startedAt: now, finishedAt: now, error: null, result: null },
      retryAt: deadlineInMs === null ? null : now + deadlineInMs,
    };
    expect(await accepts(storage, [settlement])).toEqual([run.id]);
    return run.id;
  }

  const finals = async (runId: string) =>
    (await scheduler.getAttempts({ runId, finalOnly: true })).items.map(({ outcome }) => outcome);

  test('a verdict is committed with the rows of the caller, or rolled back with them', async () => {
    const runId = await opened();
    const pay = async (manager: EntityManager): Promise<void> => {
      await app.insert(manager);
      await scheduler.complete(runId, { paid: 7 }, { manager });
    };
    const undone = new Error('undone');
    const rolledBack = app.source.transaction(async (manager) => {
      await pay(manager);
      throw undone;
    });
    await expect(rolledBack).rejects.toBe(undone);
    expect([await app.effects(), await finals(runId)]).toEqual([0, []]);
    await app.source.transaction(pay);
    expect([await app.effects(), await finals(runId)]).toEqual([1, ['succeeded']]);
  });

  test.each([
    ['commits', ['succeeded'], RunHasVerdictError],
    ['rolls back', ['failed'], null],
  ])('a verdict waits for one in a transaction, which %s', async (end, verdicts, refused) => {
    const runId = await opened();
    const runner = app.source.createQueryRunner();
    await runner.startTransaction();
    await scheduler.complete(runId, null, { manager: runner.manager });
    const second = scheduler.fail(runId, 'declined').catch((error: unknown) => error);
    await app.waiting();
    await (end === 'commits' ? runner.commitTransaction() : runner.rollbackTransaction());
    await runner.release();
    if (refused === null) expect(await second).toEqual({ retryAt: null });
    else expect(await second).toBeInstanceOf(refused);
    expect(await finals(runId)).toEqual(verdicts);
  });

  test('a failure in a transaction pauses the job with its commit', async () => {
    await scheduler.createJob({
      ...{ id: 'manual', handler: 'work', trigger: { type: 'manual' }, pauseAfterFailures: 1 },
    });
    await scheduler.runNow('manual');
    const runId = await leaveOpen();
    await app.source.transaction(async (manager) => {
      await scheduler.fail(runId, new Error('declined'), { manager });
      expect((await scheduler.getJob('manual'))!.paused).toBeNull();
    });
    expect((await scheduler.getJob('manual'))!.paused).toMatchObject({ by: 'chronis' });
  });

  test('a verdict and the deadline that come at once make one, and never undo what was acknowledged', async () => {
    const outcomes = new Set<string>();
    for (let round = 0; round < 100; round++) {
      const runId = await opened(0);
      const worker = await startWorker(storage, { app: 'default' });
      const timeOut = async (): Promise<boolean> => {
        const [run] = (await storage.claim(worker, 1)).runs;
        if (run === undefined) return false;
        expect(run.openedAt).toEqual(expect.any(Number));
        const now = await storage.now();
        const times = { startedAt: run.openedAt!, finishedAt: now, retryAt: null };
        const late = { ...holdOf(run), outcome: 'timed_out', error: 'late', result: null, ...times } as const;
        return (await accepts(storage, [late])).length === 1;
      };
      const complete = async (): Promise<boolean> =>
        scheduler.complete(runId).then(
          () => true,
          (error: unknown) => {
            expect(error).toBeInstanceOf(RunHasVerdictError);
            return false;
          },
        );
      const both = round % 2 === 0 ? [timeOut(), complete()] : [complete(), timeOut()];
      const acknowledged = (await Promise.all(both)).filter(Boolean).length;
      expect(acknowledged).toBe(1);
      const [verdict, ...more] = await finals(runId);
      expect(more).toEqual([]);
      outcomes.add(verdict!);
      await app.empty();
    }
    expect([...outcomes].toSorted()).toEqual(['succeeded', 'timed_out']);
  });
});

test('a transaction of the handler opens its run together with its rows, or neither', async () => {
  const app = await TransactionalApp.create('opening');
  const { scheduler, events } = await app.boot({ chronis: { autoStart: true } });
  let attempts = 0;
  scheduler.registerHandler('approve', async ({ transaction, open }: RunContext) => {
    const write = async (manager: EntityManager): Promise<void> => {
      await app.insert(manager);
      open({ deadline: '2d' });
      if (++attempts === 1) throw new Error('undone');
    };
    await transaction(write).catch(() => undefined);
    if (attempts === 1) return 'not approved';
    return undefined;
  });
  const run = async (id: string): Promise<string> => {
    await scheduler.schedule('approve', { id, in: 0, keep: 'forever' });
    return (await scheduler.getRuns({ jobId: id })).items[0]!.id;
  };
  const first = await scheduler.waitForRun(await run('first'));
  expect(first).toMatchObject({ verdict: 'succeeded', result: 'not approved' });
  expect(await app.effects()).toBe(0);
  const opened = events.once('run.opened');
  const second = await run('second');
  await opened;
  await scheduler.complete(second, 'approved');
  expect(await app.effects()).toBe(1);
  expect(await scheduler.waitForRun(second)).toMatchObject({
    result: 'approved',
    attempts: [{ outcome: 'opened' }, { outcome: 'succeeded', worker: 'outside' }],
  });
  await app.close();
});
