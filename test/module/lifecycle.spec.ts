import {
  Injectable,
  Module,
  type INestApplicationContext,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { afterEach, describe, expect, test } from 'vitest';
import { Interval, SchedulerRunningError, SchedulerStoppedError, type RunContext } from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { NestApp } from '../support/nest.app.js';

/** A module with a cache that is warm after the bootstrap, and a connection that closes with the module. */
function slowModule(clock: ManualClock, name = 'SlowModule') {
  @Injectable()
  class Resources implements OnApplicationBootstrap, OnModuleDestroy {
    warm = false;
    open = true;

    async onApplicationBootstrap(): Promise<void> {
      await new Promise<void>((resolve) => clock.setTimer(3_000, resolve));
      this.warm = true;
    }

    async onModuleDestroy(): Promise<void> {
      this.open = false;
      await new Promise<void>((resolve) => clock.setTimer(3_000, resolve));
    }
  }
  const module = { [name]: class {} }[name]!;
  Module({ providers: [Resources], exports: [Resources] })(module);
  return { module, Resources };
}

/** The end of modules in version 10 of Nest: not reversed. */
function endInOrderOfBoot(app: INestApplicationContext): void {
  const inside = app as unknown as {
    getModulesToTriggerHooksOn(): object[];
    callDestroyHook(): Promise<void>;
  };
  const modules = inside.getModulesToTriggerHooksOn();
  const reversed = inside.callDestroyHook.bind({
    getModulesToTriggerHooksOn: () => modules.toReversed(),
  } as never);
  Object.assign(app, { callDestroyHook: reversed });
}

describe('the scheduler in the life of the application', () => {
  let app: NestApp | null = null;
  afterEach(async () => {
    await app?.close();
    app = null;
  });

  function withResources() {
    const clock = new ManualClock();
    const { module, Resources } = slowModule(clock);
    const seen: string[] = [];
    @Injectable()
    class Jobs {
      constructor(private readonly resources: { warm: boolean; open: boolean }) {}
      @Interval('1s')
      run(): void {
        seen.push(this.resources.warm ? (this.resources.open ? 'ready' : 'closed') : 'cold');
      }
    }
    Reflect.defineMetadata('design:paramtypes', [Resources], Jobs);
    return { clock, module, seen, Jobs };
  }

  async function passing(clock: ManualClock, booting: Promise<NestApp>): Promise<NestApp> {
    let booted = false;
    void booting.then(() => (booted = true));
    for (let i = 0; i < 600 && !booted; i++) await clock.advanceBy(100);
    return booting;
  }

  async function bootWithResources(chronisFirst: boolean): Promise<string[]> {
    const { clock, module, seen, Jobs } = withResources();
    app = await passing(clock, NestApp.boot({ clock, imports: [module], providers: [Jobs], chronisFirst }));
    await clock.advanceBy(5_000);
    await app.close();
    return seen;
  }

  test('imported last, starts no run before other modules are ready and none after they have closed', async () => {
    const seen = await bootWithResources(false);
    expect(seen.length).toBeGreaterThanOrEqual(5);
    expect(new Set(seen)).toEqual(new Set(['ready']));
    expect(app!.heard('modules.boot-later')).toEqual([]);
  });

  test.each([
    ['last', false],
    ['first', true],
  ])(
    'imported %s, drains before other modules close where Nest ends them in the order of the boot, as version 10 does',
    async (_, chronisFirst) => {
      const { clock, module, seen, Jobs } = withResources();
      const booting = NestApp.boot({ clock, imports: [module], providers: [Jobs], chronisFirst });
      app = await passing(clock, booting);
      endInOrderOfBoot(app.app);
      await clock.advanceBy(5_000);
      await app.close();
      expect(seen.at(-1)).toBe('ready');
      expect(seen).not.toContain('closed');
    },
  );

  test('imported first, cannot know them ready, and names them', async () => {
    const seen = await bootWithResources(true);
    expect(seen).toContain('cold');
    expect(seen).toContain('closed');
    expect(app!.heard('modules.boot-later')).toEqual([
      { modules: ['SlowModule'], scheduler: 'ChronisModule' },
    ]);
  });

  test('names the root module too where that has hooks of its own', async () => {
    @Injectable()
    class Warmer implements OnApplicationBootstrap {
      onApplicationBootstrap(): void {}
    }
    app = await NestApp.boot({ providers: [Warmer] });
    expect(app.heard('modules.boot-later')).toEqual([{ modules: ['AppModule'], scheduler: 'ChronisModule' }]);
  });

  test('waits on close for running handlers, and starts no more', async () => {
    const clock = new ManualClock();
    let started = 0;
    let finished = 0;
    @Injectable()
    class Jobs {
      @Interval('1s')
      async run(): Promise<void> {
        started++;
        await new Promise<void>((resolve) => clock.setTimer(10_000, resolve));
        finished++;
      }
    }
    app = await NestApp.boot({ clock, providers: [Jobs] });
    await clock.advanceBy(1_000);
    const since = clock.now();
    await app.close();
    expect([started, finished]).toEqual([1, 1]);
    expect(app.heard('worker.draining')).toMatchObject([
      { runs: [{ handler: 'Jobs.run' }], timeoutMs: 19_000 },
    ]);
    expect(clock.now() - since).toBeLessThanOrEqual(10_100);
    expect(app.heard('worker.stopped')).toMatchObject([{ finished: 1, handedBack: 0 }]);
  });

  test('hands back on close what does not end in time, and others go on with it at once', async () => {
    const clock = new ManualClock();
    const attempts: string[] = [];
    const reasons: unknown[] = [];
    const jobs = (name: string, endless: boolean) => {
      @Injectable()
      class Jobs {
        @Interval('1h', { id: 'long' })
        run({ attempt, signal }: RunContext): Promise<void> | void {
          attempts.push(`${name} ${attempt}`);
          signal.addEventListener('abort', () => reasons.push((signal.reason as Error).message));
          if (endless) return new Promise(() => undefined);
        }
      }
      return Jobs;
    };
    const first = await NestApp.boot({ clock, providers: [jobs('first', true)] });
    await clock.advanceBy(3_600_000);
    app = await NestApp.boot({ clock, storage: first.storage, providers: [jobs('second', false)] });
    const since = clock.now();
    await first.close();
    expect(clock.now() - since).toBeLessThanOrEqual(25_100);
    await app.settle();
    expect(attempts).toEqual(['first 1', 'second 1']);
    expect(reasons).toEqual([
      'The process shuts down and the time to finish is over; the run will be executed again by another worker.',
    ]);
  });

  test('creates jobs for others while it drains', async () => {
    const clock = new ManualClock();
    const made: string[] = [];
    const holder: { app?: NestApp } = {};
    @Injectable()
    class Jobs {
      @Interval('1s')
      async run({ signal }: RunContext): Promise<void> {
        await new Promise<void>((resolve) => clock.setTimer(5_000, resolve));
        if (signal.aborted) return;
        const job = await holder.app!.scheduler.createDateJob({ handler: 'Jobs.run', in: '1h' });
        made.push(job.state);
      }
    }
    app = holder.app = await NestApp.boot({ clock, providers: [Jobs] });
    await clock.advanceBy(1_000);
    await app.close();
    expect(made).toEqual(['pending']);
  });

  test('closes the adapters after the drain', async () => {
    app = await NestApp.boot();
    await app.close();
    await expect(app.storage.now()).rejects.toThrow('closed');
  });

  test('starts and stops by hand as well', async () => {
    const ran: number[] = [];
    @Injectable()
    class Jobs {
      @Interval('10s')
      run(): void {
        ran.push(1);
      }
    }
    app = await NestApp.boot({ providers: [Jobs], chronis: { autoStart: false } });
    const { scheduler } = app;
    expect(scheduler.running).toBe(false);
    expect(await scheduler.queryJobs()).toMatchObject({ items: [{ state: 'orphaned' }] });
    await expect(scheduler.stop()).rejects.toThrow(SchedulerStoppedError);
    await scheduler.start();
    expect(scheduler.running).toBe(true);
    await expect(scheduler.start()).rejects.toThrow(SchedulerRunningError);
    await app.clock.advanceBy(10_000);
    await app.passUntil(scheduler.stop());
    await expect(scheduler.stop()).rejects.toThrow('The scheduler is not running; there is nothing to stop.');
    await app.clock.advanceBy(600_000);
    expect(ran).toEqual([1]);
    await scheduler.start();
    await app.settle();
    expect(ran).toEqual([1, 1]);
    expect(await app.scheduler.getGaps()).toMatchObject({ items: [{ verdict: 'missed', count: 59 }] });
  });

  test('may be started by an earlier hook of another module', async () => {
    const starts: Promise<void>[] = [];
    const { SchedulerService } = await import('../../lib/index.js');
    const starter = {
      provide: 'starter',
      inject: [SchedulerService],
      useFactory: (scheduler: NestApp['scheduler']) => ({
        onModuleInit: () => void starts.push(scheduler.start()),
      }),
    };
    app = await NestApp.boot({ providers: [starter] });
    await Promise.all(starts);
    expect(app.heard('scheduler.started')).toHaveLength(1);
  });

  test('leaves nothing open when the boot fails', async () => {
    @Injectable()
    class Jobs {
      @Interval('1m', { id: 'a' })
      @Interval('2m', { id: 'a' })
      run(): void {}
    }
    const other = await NestApp.boot();
    const { MemoryStorage } = await import('../../lib/index.js');
    const storage = new MemoryStorage();
    await expect(NestApp.boot({ providers: [Jobs], chronis: { storage } })).rejects.toThrow(
      'declares the job',
    );
    await expect(storage.now()).rejects.toThrow('closed');
    await other.close();
  });
});
