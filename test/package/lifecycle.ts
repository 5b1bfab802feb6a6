// The life of an application, with the compiled package and the Nest of the throwaway app: versions differ in the order of hooks, in what is one module, and in their logger.
import { EventEmitter, once } from 'node:events';
import {
  ConsoleLogger,
  Inject,
  Injectable,
  Module,
  Scope,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { ContextIdFactory, LazyModuleLoader, NestFactory, type ContextId } from '@nestjs/core';
import {
  ChronisEvents,
  ChronisModule,
  InvalidOptionError,
  JobHandler,
  SchedulerService,
  type RunContext,
} from 'nestjs-chronis';

type Import = NonNullable<Parameters<typeof Module>[0]['imports']>[number];

const silent = { logger: false, abortOnError: false } as const;

/** Rejects with what the installed version of Nest does not do. */
export async function tryLifecycle(): Promise<void> {
  await drainsFirst();
  await refusesAnother();
  await refusesNone();
  await writesText();
  await makesDurables();
  await findsLazyModules();
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`Not so with this version of Nest: ${what}`);
}

async function boot(
  imports: Import[],
  providers: NonNullable<Parameters<typeof Module>[0]['providers']> = [],
) {
  @Module({ imports, providers })
  class AppModule {}
  return NestFactory.createApplicationContext(AppModule, silent);
}

/** Of the modules it is imported after, as documented. */
async function drainsFirst(): Promise<void> {
  const order: string[] = [];
  const signals = new EventEmitter();
  @Injectable()
  class Connection implements OnApplicationBootstrap, OnModuleDestroy {
    onApplicationBootstrap(): void {
      order.push('connection ready');
    }
    onModuleDestroy(): void {
      order.push('connection closed');
    }
  }
  @Module({ providers: [Connection] })
  class DatabaseModule {}
  @Injectable()
  class Jobs {
    @JobHandler('long')
    async long(): Promise<void> {
      signals.emit('begun');
      await once(signals, 'end');
      order.push('run ended');
    }
  }
  const app = await boot([DatabaseModule, ChronisModule.forRoot({ log: false })], [Jobs]);
  const begun = once(signals, 'begun');
  await app.get(SchedulerService).createDateJob({ handler: 'long', in: 0 });
  await begun;
  const draining = app.get(ChronisEvents).once('worker.draining');
  const closed = app.close();
  await draining;
  signals.emit('end');
  await closed;
  const told = order.join(', ');
  must(told === 'connection ready, run ended, connection closed', `the order was: ${told}`);
}

async function refusesAnother(): Promise<void> {
  @Module({ imports: [ChronisModule.forRoot()] })
  class FeatureModule {}
  const told = await refusal(boot([FeatureModule, ChronisModule.forRoot()]));
  must(told.includes('forRoot() is imported 2 times'), `a second forRoot() is refused: ${told}`);
}

async function refusesNone(): Promise<void> {
  for (const module of [ChronisModule, ChronisModule.forFeature({ queue: 'mail' })]) {
    const told = await refusal(boot([module]));
    must(told.includes('no module imports ChronisModule.forRoot()'), `no forRoot() is refused: ${told}`);
  }
}

async function refusal(booting: ReturnType<typeof boot>): Promise<string> {
  try {
    await (await booting).close();
    return 'nothing';
  } catch (error) {
    return error instanceof InvalidOptionError ? error.message : `something else: ${String(error)}`;
  }
}

/** Nest's own logger, as it is, shows records as one line of JSON. */
async function writesText(): Promise<void> {
  const lines: string[] = [];
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = (text: string | Uint8Array) => lines.push(String(text)) > 0;
  try {
    @Module({ imports: [ChronisModule.forRoot({ log: { format: 'json' } })] })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: new ConsoleLogger() });
    await app.close();
  } finally {
    process.stdout.write = write;
  }
  const line = lines.find((text) => text.includes('"event":"scheduler.started"')) ?? '';
  const record = line.slice(line.indexOf('{'), line.lastIndexOf('}') + 1);
  must(record !== '', `records are JSON: ${lines.join('')}`);
  must(typeof (JSON.parse(record) as { message: unknown }).message === 'string', 'records have a message');
}

async function makesDurables(): Promise<void> {
  const made: number[] = [];
  @Injectable({ scope: Scope.REQUEST, durable: true })
  class PerTenant {
    readonly number = made.push(made.length);
    @JobHandler('bill')
    bill({ job }: RunContext): string {
      return `${job.namespace} ${this.number}`;
    }
  }
  const tenants = new Map<string, ContextId>();
  ContextIdFactory.apply({
    attach(contextId: ContextId, { job }: RunContext) {
      const tenant = tenants.get(job.namespace) ?? ContextIdFactory.create();
      tenants.set(job.namespace, tenant);
      return (info: { isTreeDurable: boolean }) => (info.isTreeDurable ? tenant : contextId);
    },
  } as never);
  const app = await boot([ChronisModule.forRoot({ log: false })], [PerTenant]);
  const scheduler = app.get(SchedulerService);
  const results: unknown[] = [];
  for (const namespace of ['a', 'b', 'a', 'b']) {
    const id = `bill-${results.length}`;
    await scheduler.createJob({ id, namespace, handler: 'bill', trigger: { type: 'manual' } });
    const run = await scheduler.runNow(id, { namespace });
    results.push((await scheduler.waitForRun(run.id, { timeout: '20s' })).result);
  }
  await app.close();
  ContextIdFactory.apply(undefined as never);
  must(results.join() === 'a 1,b 2,a 1,b 2', `one durable provider for each tenant: ${results.join()}`);
}

async function findsLazyModules(): Promise<void> {
  let ended = (): void => undefined;
  const ran = new Promise<void>((resolve) => (ended = resolve));
  @Injectable()
  class Lazy {
    constructor(@Inject(SchedulerService) readonly scheduler: SchedulerService) {}
    @JobHandler('lazy')
    run(): void {
      ended();
    }
  }
  @Module({ providers: [Lazy] })
  class LazyModule {}
  const app = await boot([ChronisModule.forRoot({ log: false })]);
  const loaded = await app.get(LazyModuleLoader).load(() => LazyModule);
  await loaded.get(Lazy).scheduler.createDateJob({ handler: 'lazy', in: 0 });
  await ran;
  await app.close();
}
