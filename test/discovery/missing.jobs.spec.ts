import { Injectable } from '@nestjs/common';
import { beforeEach, describe, expect, test } from 'vitest';
import { At, Cron, Interval, JobHandler } from '../../lib/index.js';
import type { SyncRequest, SyncResult } from '../../lib/ports/storage.adapter.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import type { ManualClock } from '../../lib/testing/manual.clock.js';
import type { NestApp } from '../support/nest.app.js';
import { processesForEachTest } from '../support/processes.for.each.test.js';

const minute = 60_000;
type Provider = new () => unknown;

describe('a process that runs no jobs', () => {
  let clock: ManualClock;
  let storage: MemoryStorage;
  let ran: string[];
  const boot = processesForEachTest((fresh) => ({ clock, storage } = fresh));

  beforeEach(() => {
    ran = [];
  });

  @Injectable()
  class Jobs {
    @Cron('*/10 * * * *', { id: 'report' })
    report(): void {
      ran.push('report');
    }
    @Interval('1m', { id: 'poll' })
    poll(): void {
      ran.push('poll');
    }
  }

  const api = (...providers: Provider[]): Promise<NestApp> => boot({ autoStart: false }, ...providers);
  const worker = (...providers: Provider[]): Promise<NestApp> => boot({}, ...providers);
  const states = async ({ scheduler }: NestApp): Promise<Record<string, string>> => {
    const { items } = await scheduler.queryJobs();
    return Object.fromEntries(items.map(({ id, state }) => [id, state]));
  };

  test('stores what its code declares; it fires when a worker declares it, with what was missed', async () => {
    const one = await api(Jobs);
    expect(one.heard('jobs.stored')).toMatchObject([
      { app: 'default', declared: 2, created: [{ id: 'report' }, { id: 'poll' }], taken: [] },
    ]);
    expect(await states(one)).toEqual({ report: 'orphaned', poll: 'orphaned' });
    expect(await one.scheduler.getJob('report')).toMatchObject({ trigger: { expression: '*/10 * * * *' } });
    await clock.advanceBy(25 * minute);
    expect(await storage.queryWorkers()).toEqual([]);
    await worker(Jobs);
    await clock.advanceBy(1_000);
    expect(ran.toSorted()).toEqual(['poll', 'report']);
    const { items: gaps } = await one.scheduler.getGaps();
    expect(gaps.map(({ jobId, verdict, count }) => `${jobId} ${verdict} ${count}`).toSorted()).toEqual([
      'poll missed 24',
      'report missed 1',
    ]);
    await clock.advanceBy(5 * minute);
    expect(ran.filter((id) => id === 'report')).toHaveLength(2);
  });

  test('lets what it has stored be run by hand, by the first worker', async () => {
    const { scheduler } = await api(Jobs);
    await scheduler.runNow('report');
    await clock.advanceBy(minute);
    await worker(Jobs);
    await clock.advanceBy(1_000);
    expect(ran).toContain('report');
  });

  test('has nothing fired that no worker declares, though one has the handler', async () => {
    class Declares {
      @Cron('*/10 * * * *', { id: 'report' })
      @JobHandler('report')
      report(): void {
        ran.push('report');
      }
    }
    class Has {
      @Cron('*/10 * * * *', { id: 'report', disabled: true })
      @JobHandler('report')
      report(): void {
        ran.push('report');
      }
    }
    await worker(Has);
    const one = await api(Declares);
    await clock.advanceBy(60 * minute);
    expect(ran).toEqual([]);
    expect(await states(one)).toEqual({ report: 'orphaned' });
  });

  test('changes nothing that is there: what workers declare holds, also when they are gone', async () => {
    class Before {
      @Interval('1m', { id: 'poll' })
      poll(): void {
        ran.push('poll');
      }
    }
    class After {
      @Interval('5m', { id: 'poll' })
      poll(): void {}
      @Interval('1h', { id: 'new' })
      other(): void {}
    }
    const one = await worker(Before);
    const two = await api(After);
    expect(await states(two)).toEqual({ poll: 'pending', new: 'orphaned' });
    expect(await two.scheduler.getJob('poll')).toMatchObject({ trigger: { every: minute } });
    await clock.advanceBy(30 * minute);
    expect(ran.length).toBe(30);
    expect(one.heard('jobs.synced').at(-1)).toMatchObject({ created: [{ id: 'poll' }] });
    await one.close();
    await api(After);
    expect(await two.scheduler.getJob('poll')).toMatchObject({ trigger: { every: minute } });
  });

  test('leaves renamed jobs, and further jobs of a method that has one, to the workers', async () => {
    class Before {
      @Interval('1m', { id: 'old' })
      poll(): void {
        ran.push('poll');
      }
      @Interval('1h', { id: 'kept' })
      keep(): void {}
    }
    class Renamed {
      @Interval('1m', { id: 'new' })
      poll(): void {
        ran.push('poll');
      }
      @Interval('1h', { id: 'other', previousIds: ['kept'] })
      keeps(): void {}
    }
    Object.defineProperty(Renamed, 'name', { value: 'Before' });
    const old = await worker(Before);
    await clock.advanceBy(minute);
    const two = await api(Renamed);
    expect(Object.keys(await states(two)).toSorted()).toEqual(['kept', 'old']);
    await old.close();
    await api(Renamed);
    expect(Object.keys(await states(two)).toSorted()).toEqual(['kept', 'old']);
    await worker(Renamed);
    await clock.advanceBy(minute);
    expect(ran.length).toBe(2);
    expect(await two.scheduler.getJob('other')).toMatchObject({ state: 'pending' });
  });

  test('stores a job for one instant, which runs once a worker is there, and once only', async () => {
    class Once {
      @At('2026-01-01 00:05:00', { id: 'once' })
      once(): void {
        ran.push('once');
      }
    }
    await api(Once);
    await clock.advanceBy(10 * minute);
    await worker(Once);
    await clock.advanceBy(minute);
    await api(Once);
    await clock.advanceBy(minute);
    expect(ran).toEqual(['once']);
  });

  test('reads once, and locks nothing, where all is there', async () => {
    await worker(Jobs);
    const calls: string[] = [];
    const open = storage.open.bind(storage);
    storage.open = () =>
      new Proxy(open(), {
        get(target, key, receiver) {
          if (key === 'syncDefinitions' || key === 'queryJobs') calls.push(key);
          return Reflect.get(target, key, receiver) as unknown;
        },
      });
    const one = await api(Jobs);
    expect(calls).toEqual(['queryJobs']);
    expect(one.heard('jobs.stored')).toEqual([{ app: 'default', declared: 2, created: [], taken: [] }]);
  });

  test('asks the storage nothing more by itself', async () => {
    const calls: string[] = [];
    const open = storage.open.bind(storage);
    storage.open = () =>
      new Proxy(open(), {
        get(target, key, receiver) {
          const value: unknown = Reflect.get(target, key, receiver);
          if (typeof value !== 'function') return value;
          return (...args: unknown[]) => {
            calls.push(String(key));
            return Reflect.apply(value, target, args) as unknown;
          };
        },
      });
    await api(Jobs);
    expect(calls).toContain('syncDefinitions');
    calls.length = 0;
    await clock.advanceBy(60 * minute);
    expect(calls).toEqual([]);
  });

  test('tells of ids that are taken, and boots', async () => {
    class Theirs {
      @Interval('1m', { id: 'poll' })
      run(): void {}
    }
    const one = await boot({ app: 'other' }, Theirs);
    const two = await api(Jobs);
    expect(two.heard('jobs.stored')).toMatchObject([
      { created: [{ id: 'report' }], taken: [{ namespace: 'default', id: 'poll' }] },
    ]);
    expect(await one.scheduler.getJob('poll')).toMatchObject({ app: 'other', state: 'pending' });
  });

  test('boots beside a storage that fails, and stores it later', async () => {
    let failures = 2;
    class Failing extends MemoryStorage {
      override async syncDefinitions(request: SyncRequest): Promise<SyncResult> {
        if (failures-- > 0) throw new Error('down');
        return super.syncDefinitions(request);
      }
    }
    const chronis = { autoStart: false, storage: new Failing({ clock }) };
    const one = await boot(chronis, Jobs);
    expect(one.heard('storage.failing')).toMatchObject([{ operation: 'sync', retryInMs: 5_000 }]);
    await clock.advanceBy(10_000);
    expect(one.heard('storage.recovered')).toEqual([{ operation: 'sync', failures: 2 }]);
    expect(await states(one)).toEqual({ report: 'orphaned', poll: 'orphaned' });
  });

  test('gives up when it closes, and goes over to the sync of a worker when it is started', async () => {
    const open = storage.open.bind(storage);
    storage.open = () => Object.assign(open(), { queryJobs: () => Promise.reject(new Error('down')) });
    const one = await api(Jobs);
    await one.close();
    await clock.advanceBy(minute);
    expect(one.heard('storage.failing')).toHaveLength(1);
    storage.open = open;
    const two = await api(Jobs);
    await two.scheduler.start();
    await clock.advanceBy(minute);
    expect(await states(two)).toEqual({ report: 'pending', poll: 'scheduled' });
    expect(ran).toEqual(['poll']);
  });

  test('stores nothing where the module says so', async () => {
    const one = await boot({ autoStart: false, syncDeclarations: false }, Jobs);
    expect(await one.scheduler.countJobs()).toBe(0);
    expect(one.heard('jobs.stored')).toEqual([]);
    await expect(boot({ syncDeclarations: 'no' as never })).rejects.toThrow(
      "syncDeclarations: must be true or false, but is 'no'.",
    );
  });
});
