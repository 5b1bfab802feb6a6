import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Inject, Injectable, Module } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { currentRun, type ChronisModuleOptions } from '../../lib/index.js';
import * as own from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

type Package = typeof own;

const root = resolve(import.meta.dirname, '../..');
const copies = Symbol.for('nestjs-chronis.copies');

describe('beside a second copy of the package', () => {
  let folder: string;
  let other: Package;
  let testing: typeof import('../../lib/testing/index.js');
  let booted: NestApp | null = null;

  beforeAll(async () => {
    mkdirSync(join(root, 'out'), { recursive: true });
    folder = mkdtempSync(join(root, 'out', 'copy-'));
    writeFileSync(join(folder, 'tsconfig.json'), '{ "extends": "../../tsconfig.json", "include": ["lib"] }');
    cpSync(join(root, 'lib'), join(folder, 'lib'), { recursive: true });
    other = (await import(join(folder, 'lib/index.ts'))) as Package;
    testing = (await import(join(folder, 'lib/testing/index.ts'))) as typeof testing;
  });

  afterEach(async () => {
    await booted?.close();
    booted = null;
  });

  afterAll(() => {
    (globalThis as { [copies]?: Set<string> })[copies]!.delete(`${folder}/lib/`);
    rmSync(folder, { recursive: true });
  });

  async function boot(given: Parameters<typeof NestApp.boot>[0]): Promise<NestApp> {
    return (booted = await NestApp.boot(given));
  }

  test('it is another one', () => {
    expect(other.UnrecoverableError).not.toBe(own.UnrecoverableError);
    expect(new other.UnrecoverableError('no')).not.toBeInstanceOf(own.UnrecoverableError);
  });

  test('its decorators, errors, references, contexts and clocks are understood', async () => {
    const { JobHandler, Interval, OnJobEvent, InjectRunContext, RetryAfterError, UnrecoverableError } = other;
    const seen: unknown[] = [];
    const Defined = other.defineJob<{ to: string }>('defined', { queue: 'mail', maxRetries: 2 });

    @Injectable()
    class Scoped {
      constructor(@InjectRunContext() readonly run: own.RunContext | null) {}
    }
    @Injectable()
    class Jobs {
      constructor(@Inject(Scoped) private readonly scoped: Scoped) {}

      @Defined.Handle()
      defined({ payload }: own.RunContext<{ to: string }>): void {
        seen.push([
          payload.to,
          other.currentRun()?.runId === currentRun()!.runId,
          this.scoped.run?.job.queue,
        ]);
        throw new UnrecoverableError('no such account', { cause: 'closed' });
      }
      @JobHandler('later')
      later({ attempt }: own.RunContext): void {
        if (attempt === 1) throw new RetryAfterError('1h');
      }
      @Interval('1h', { id: 'hourly' })
      hourly(): void {}
      @OnJobEvent('run.failed')
      failed({ jobId }: { jobId: string }): void {
        seen.push(jobId);
      }
    }
    const clock = new testing.ManualClock();
    const { scheduler } = await boot({
      providers: [Jobs, Scoped],
      imports: [other.ChronisModule.forFeature({})],
      clock: clock as never,
      chronis: { queues: ['default', 'mail'] },
    });
    await scheduler.createDateJob({
      id: 'a',
      handler: Defined as unknown as string,
      payload: { to: 'ada' } as never,
      in: 0,
    });
    await scheduler.createDateJob({ id: 'b', handler: 'later', in: 0, maxRetries: 1, backoff: '1s' });
    await scheduler.createDateJob({
      ...{ id: 'c', handler: other.handlerOf(Jobs, 'later') as unknown as string, in: '1d' },
    });
    await booted!.settle();
    expect(seen).toEqual([['ada', true, 'mail'], 'a']);
    const [failed] = (await scheduler.getAttempts({ jobId: 'a' })).items;
    expect([failed!.attempt, failed!.final]).toEqual([1, true]);
    expect(failed!.error).toContain('no such account\n  cause: closed\n    at Jobs.defined (');
    expect(failed!.error).not.toContain(folder);
    await clock.advanceBy(3_599_000);
    expect((await scheduler.getAttempts({ jobId: 'b' })).items).toHaveLength(1);
    await clock.advanceBy(1_000);
    expect((await scheduler.getAttempts({ jobId: 'b' })).items).toHaveLength(2);
    expect((await scheduler.getJob('hourly'))?.handler).toBe('Jobs.hourly');
  });

  test('an adapter that throws its errors is understood', async () => {
    const { isOf } = await import('../../lib/model/recognized.js');
    expect(isOf(new other.StorageBusyError('busy'), own.StorageError)).toBe(true);
    expect(isOf(new other.StorageBusyError('busy'), own.StorageBusyError)).toBe(true);
    expect(isOf(new other.StorageError('down'), own.StorageBusyError)).toBe(false);
    expect(isOf(new other.InvalidPayloadError('A value', 'no'), own.InvalidPayloadError)).toBe(true);
    expect(isOf({ code: 'EPIPE' }, own.StorageError)).toBe(false);
  });

  test('a start tells both places, also one that fails for what is not provided', async () => {
    const told: unknown[] = [];
    const chronis: ChronisModuleOptions = {
      on: { 'package.copies': ({ places }: { places: readonly string[] }) => void told.push(places) },
    };
    const places = [`${root}/lib/`, `${folder}/lib/`].toSorted();
    await boot({ chronis });
    expect(told).toEqual([places]);
    const { SchedulerService } = other;
    @Injectable()
    class Needs {
      constructor(@Inject(SchedulerService) readonly scheduler: own.SchedulerService) {}
    }
    @Module({ providers: [Needs] })
    class Feature {}
    await expect(NestApp.boot({ chronis, imports: [Feature] })).rejects.toThrow(/SchedulerService/);
    expect(told).toEqual([places, places]);
  });

  test('two schedulers of the two are refused like two of one', async () => {
    const imports = [other.ChronisModule.forRoot()];
    await expect(NestApp.boot({ imports })).rejects.toThrow(/forRoot\(\) is imported 2 times/);
  });
});
