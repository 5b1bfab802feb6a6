import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ChronisEvents,
  ChronisModule,
  SchedulerService,
  type Clock,
  type RunContext,
  type StorageAdapter,
} from '../../../lib/index.js';
import { OffsetClock } from '../../support/offset.clock.js';
import { defaultApp, methodsOf, type Release } from '../language/release.js';
import { classOf, overridesOf } from './code.js';
import type { World } from './world.js';

const minuteMs = 60_000;

/** What is worth to be read where a scenario does not go as expected. */
const told = [
  'scheduler.started',
  'worker.stopped',
  'worker.lease-lost',
  'jobs.synced',
  'storage.failing',
] as const;

/** Hears of what goes on in an instance. */
export interface Audience {
  ran(method: string, run: RunContext): void;
  told(what: string): void;
}

/** Which process of which release. */
export interface Casting {
  version: string;
  role: string;
  replica: number;
  release: Release;
}

/** A running process of an application, as far as one process can be several: with code, a storage and a clock of its own. */
export class Instance {
  private constructor(
    readonly casting: Casting,
    private readonly context: INestApplicationContext,
    private readonly storage: StorageAdapter,
  ) {}

  /** Rejects with what stands in the way. */
  static async boot(world: World, casting: Casting, audience: Audience): Promise<Instance> {
    const { release, role, replica } = casting;
    const methods = methodsOf(release, role, replica);
    const storage = world.newStorage();
    const { clockAheadByMinutes = 0 } = release;
    const clock: Clock =
      clockAheadByMinutes === 0 ? world.clock : new OffsetClock(world.clock, clockAheadByMinutes * minuteMs);
    const chronis = ChronisModule.forRoot({
      storage,
      clock,
      app: appOf(casting),
      name: nameOf(casting),
      leaseMs: world.leaseMs,
      maxBlockedMs: 0,
      overrides: overridesOf(methods, world.ticks),
      ...release.options,
    });

    const jobs = classOf(methods, world.ticks, (method, run) => audience.ran(method, run));
    const listener = {
      provide: 'listener',
      inject: [ChronisEvents],
      useFactory: (events: ChronisEvents) =>
        events.onAny((name, event) => {
          if ((told as readonly string[]).includes(name))
            audience.told(`${nameOf(casting)}: ${name} ${shown(event)}`);
        }),
    };

    @Module({ imports: [chronis], providers: [jobs, listener] })
    class AppModule {}
    const context = await NestFactory.createApplicationContext(AppModule, {
      logger: false,
      abortOnError: false,
    });
    return new Instance(casting, context, storage);
  }

  get name(): string {
    return nameOf(this.casting);
  }

  get app(): string {
    return appOf(this.casting);
  }

  get role(): string {
    return this.casting.role;
  }

  get scheduler(): SchedulerService {
    return this.context.get(SchedulerService);
  }

  /** Goes in an orderly way. */
  close(): Promise<void> {
    return this.context.close();
  }

  /** Nothing that it does reaches the storage any more, and what it was about to tell is not told. */
  crash(): Promise<void> {
    return this.storage.close();
  }
}

export function appOf({ release: { app = defaultApp } }: Casting): string {
  return app;
}

export function nameOf({ version, role, replica }: Casting): string {
  return `${version} ${role} ${replica}`;
}

function shown(event: object): string {
  return Object.entries(event)
    .filter(([, value]) => !(Array.isArray(value) && value.length === 0))
    .map(([key, value]) => `${key}: ${value instanceof Error ? value.message : JSON.stringify(value)}`)
    .join(', ')
    .slice(0, 300);
}
