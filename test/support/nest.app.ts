import { Module, type INestApplicationContext, type ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisModule } from '../../lib/chronis.module.js';
import type { ChronisModuleOptions } from '../../lib/chronis.options.js';
import { ChronisEvents } from '../../lib/events/chronis.events.js';
import type { ChronisEventMap, ChronisEventName } from '../../lib/events/event.map.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { SchedulerService } from '../../lib/scheduler/scheduler.service.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';

type Told = { [N in ChronisEventName]: { name: N; event: ChronisEventMap[N] } }[ChronisEventName];

/** A Nest application with Chronis, on a clock that stands still. */
export class NestApp {
  private constructor(
    readonly app: INestApplicationContext,
    readonly clock: ManualClock,
    readonly storage: MemoryStorage,
    /** All events since the boot, in order. */
    readonly told: Told[],
  ) {}

  /** Boots; other modules are imported before Chronis unless `chronisFirst`. Rejects with what stands in the way. */
  static async boot(
    given: ModuleMetadata & {
      chronis?: ChronisModuleOptions;
      chronisFirst?: boolean;
      clock?: ManualClock;
      /** On these jobs, as another process would have them. */
      storage?: MemoryStorage;
    } = {},
  ): Promise<NestApp> {
    const { chronis, chronisFirst, imports = [], providers = [], controllers = [] } = given;
    const clock = given.clock ?? new ManualClock();
    const storage = given.storage ? given.storage.open() : new MemoryStorage({ clock });
    const told: Told[] = [];
    const listener = {
      provide: 'listener',
      inject: [ChronisEvents],
      useFactory: (events: ChronisEvents) =>
        events.onAny((name, event) => told.push({ name, event } as Told)),
    };
    const module = ChronisModule.forRoot({ storage, clock, ...chronis });

    @Module({
      imports: chronisFirst ? [module, ...imports] : [...imports, module],
      providers: [listener, ...providers],
      controllers,
    })
    class AppModule {}

    const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    return new NestApp(app, clock, storage, told);
  }

  get scheduler(): SchedulerService {
    return this.app.get(SchedulerService);
  }

  /** The events of one name. */
  heard<N extends ChronisEventName>(name: N): ChronisEventMap[N][] {
    return this.told.filter((item) => item.name === name).map((item) => item.event as ChronisEventMap[N]);
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    for (let i = 0; i < 20; i++) await this.clock.advanceBy(0);
  }

  /** Closes the application while time passes, as it may wait for handlers. */
  close(): Promise<void> {
    return this.passUntil(this.app.close());
  }

  /** Lets time pass, an hour at most, until the promise settles; without any where it needs none. */
  async passUntil<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const end = (): void => void (settled = true);
    promise.then(end, end);
    await this.settle();
    for (let passed = 0; !settled && passed < 36_000; passed++) await this.clock.advanceBy(100);
    return promise;
  }
}
