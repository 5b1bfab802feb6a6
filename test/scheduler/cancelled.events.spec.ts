import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DataSource } from 'typeorm';
import {
  ChronisEvents,
  type ChronisEventMap,
  type RunContext,
  type SchedulerService,
} from '../../lib/index.js';
import { ChronisTesting } from '../../lib/testing/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const minute = 60_000;
/** What a handler does before its run waits for something, and nobody executes it. */
const handlers = {
  opens: (context: RunContext) => context.open(),
  sleeps: ({ sleep }: RunContext) => sleep('1 day'),
  waits: ({ waitFor }: RunContext) => waitFor('approved'),
  fails: () => {
    throw new Error('not today');
  },
};
const kinds = Object.keys(handlers) as (keyof typeof handlers)[];
const endings = ['cancelRun', 'cancelJob', 'cancelMany', 'deleteJob', 'deleteMany', 'withActor'] as const;

describe.each(['memory', 'PostgreSQL'])(
  'a run that nobody executes and that is cancelled, in %s',
  (storage) => {
    let schema: string;
    let chronis: ChronisTesting;
    let scheduler: SchedulerService;
    let told: ChronisEventMap['run.cancelled'][];

    beforeEach(async () => {
      schema = freshSchema('cancelled');
      const url = databaseUrl();
      chronis = await ChronisTesting.create(
        storage === 'memory' ? {} : { storage: (clock) => typeOrmStorage({ url, schema, clock }) },
      );
      ({ scheduler } = chronis);
      told = [];
      chronis.app.get(ChronisEvents).on('run.cancelled', (event) => void told.push(event));
      for (const kind of kinds) scheduler.registerHandler(kind, handlers[kind]);
      scheduler.registerHandler('never', () => undefined);
    });
    afterEach(async () => {
      await chronis.close();
      if (storage === 'memory') return;
      await inDatabase((source) => source.query(`drop schema "${schema}" cascade`));
    });

    const inDatabase = async <T>(work: (source: DataSource) => Promise<T>): Promise<T> => {
      const source = await new DataSource({ type: 'postgres', url: databaseUrl() }).initialize();
      try {
        return await work(source);
      } finally {
        await source.destroy();
      }
    };

    const begin = async (): Promise<Map<string, string>> => {
      for (const kind of kinds)
        await scheduler.schedule(kind, {
          ...{ id: kind, in: '1m', maxRetries: 3, backoff: '1 day' },
        });
      await chronis.advanceBy('1m');
      const { items } = await scheduler.getRuns();
      await chronis.advanceBy('1m');
      return new Map(items.map(({ jobId, id }) => [jobId, id]));
    };

    const end = async (how: (typeof endings)[number], id: string, runId: string): Promise<void> => {
      if (how === 'cancelRun') await scheduler.cancelRun(runId);
      if (how === 'cancelJob') await scheduler.cancelJob(id);
      if (how === 'cancelMany') await scheduler.cancelMany({ id });
      if (how === 'deleteJob') await scheduler.deleteJob(id);
      if (how === 'deleteMany') await scheduler.deleteMany({ id });
      if (how === 'withActor') await scheduler.withActor({ by: 'ops' }, () => scheduler.cancelJob(id));
    };

    test.each(endings)('is told once, as the record has it, by %s', async (how) => {
      const runs = await begin();
      for (const kind of kinds) {
        await end(how, kind, runs.get(kind)!);
        expect(told, kind).toHaveLength(1);
        const [event] = told.splice(0);
        expect(event).toMatchObject({
          ...{ runId: runs.get(kind), jobId: kind, namespace: 'default', handler: kind, queue: 'default' },
          ...{ origin: 'at', workerId: 'outside', hasBegun: true, durationMs: kind === 'opens' ? minute : 0 },
        });
        expect(event!.nominalAt).toBeInstanceOf(Date);
        const { items } = await scheduler.getAttempts({ runId: runs.get(kind)!, finalOnly: true });
        expect(items).toMatchObject([{ outcome: 'cancelled', attempt: event!.attempt }]);
      }
      await chronis.advanceBy('3 days');
      expect(told).toEqual([]);
    });

    test('is told where another one of the schedule takes its place, or another job does', async () => {
      await scheduler.createJob({ id: 'job', handler: 'sleeps', every: '1h', overlap: 'cancel-running' });
      await chronis.advanceBy('1h');
      await chronis.advanceBy('1h');
      expect(told.splice(0)).toMatchObject([{ jobId: 'job', hasBegun: true }]);
      await scheduler.createJob({ id: 'job', handler: 'never', in: '1 day', onConflict: 'replace' });
      expect(told).toMatchObject([{ jobId: 'job', handler: 'sleeps', hasBegun: true }]);
    });

    test('is told as one that has not begun where no worker has had it, with what waited for it', async () => {
      await scheduler.schedule('never', { id: 'first', in: '1h' });
      await scheduler.createJob({ id: 'second', handler: 'never', after: ['first'] });
      await scheduler.cancelJob('first');
      expect(told.map(({ jobId, hasBegun, attempt }) => [jobId, hasBegun, attempt])).toEqual([
        ['first', false, 0],
        ['second', false, 0],
      ]);
      const { items } = await scheduler.getAttempts({ outcome: 'cancelled' });
      expect(items).toHaveLength(2);
    });

    test('is told, of many at once, once each and with turns for others between', async () => {
      const count = 450;
      await scheduler.schedule('never', { id: 'root', in: '1h' });
      await scheduler.createMany(
        Array.from({ length: count }, (_, nr) => ({ id: `${nr}`, handler: 'never', after: ['root'] })),
      );
      let turn = 0;
      const perTurn = new Map<number, number>();
      chronis.app.get(ChronisEvents).on('run.cancelled', () => {
        if (!perTurn.has(turn)) setImmediate(() => turn++);
        perTurn.set(turn, (perTurn.get(turn) ?? 0) + 1);
      });
      await scheduler.cancelJob('root');
      expect(new Set(told.map(({ runId }) => runId)).size).toBe(count + 1);
      expect(told).toHaveLength(count + 1);
      expect(Math.max(...perTurn.values())).toBeLessThanOrEqual(100);
    });

    test.runIf(storage === 'PostgreSQL')('is not told in a transaction of the caller', async () => {
      const runs = await begin();
      await inDatabase(async (source) => {
        const rolledBack = source.transaction(async (manager) => {
          await scheduler.cancelRun(runs.get('waits')!, { manager });
          throw new Error('undone');
        });
        await expect(rolledBack).rejects.toThrow('undone');
        await source.transaction(async (manager) => {
          await scheduler.cancelRun(runs.get('sleeps')!, { manager });
        });
      });
      expect(told).toEqual([]);
      await scheduler.cancelRun(runs.get('waits')!);
      expect(told).toMatchObject([{ jobId: 'waits' }]);
    });
  },
);
