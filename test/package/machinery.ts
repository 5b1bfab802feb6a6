// Nest's machinery around the handlers of two instances, with the compiled package and the Nest of the throwaway app.
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  Catch,
  ConsoleLogger,
  Injectable,
  Module,
  ParseIntPipe,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ChronisInterceptor,
  ChronisModule,
  Cron,
  Ctx,
  getSchedulerToken,
  InjectRunContext,
  InjectScheduler,
  JobHandler,
  Payload,
  SchedulerService,
  type ChronisOptions,
  type JsonValue,
  type RunContext,
  type RunOutcome,
} from 'nestjs-chronis';
import { map } from 'rxjs';

const tenants = new AsyncLocalStorage<string>();

@Injectable()
class TenantInterceptor extends ChronisInterceptor {
  intercept({ job }: RunContext, next: () => Promise<unknown>): Promise<unknown> {
    return tenants.run(`tenant of ${job.id}`, next);
  }
}

@Injectable()
class ClosedGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const [run] = context.getArgs<[RunContext]>();
    return context.getType<string>() === 'chronis' && run.payload !== 'closed';
  }
}

@Injectable()
class Shouting implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler<string>) {
    return next.handle().pipe(map((result) => `${result}!`));
  }
}

@Catch(RangeError)
class RangeFilter implements ExceptionFilter {
  catch(error: RangeError): string {
    return `caught ${error.message}`;
  }
}

@Injectable({ scope: Scope.REQUEST })
class Basket {
  private static made = 0;
  readonly number = ++Basket.made;

  constructor(@InjectRunContext() readonly run: RunContext | null) {}
}

@Injectable()
class OrderJobs {
  constructor(
    private readonly basket: Basket,
    @InjectScheduler('reports') private readonly reports: SchedulerService,
  ) {}

  @JobHandler('order', { useEnhancers: true })
  @UseGuards(ClosedGuard)
  @UseInterceptors(Shouting)
  @UseFilters(RangeFilter)
  async order({ payload }: RunContext<string>): Promise<string> {
    await Promise.resolve();
    if (payload === 'range') throw new RangeError('too far');
    return `${this.basket.run?.job.id}, ${tenants.getStore()}, basket ${this.basket.number}`;
  }

  @JobHandler('count')
  count(@Payload(ParseIntPipe) count: number, @Ctx() { attempt }: RunContext): number {
    return count + attempt;
  }

  @JobHandler('forward')
  async forward(): Promise<string> {
    return (await this.reports.createDateJob({ id: 'forwarded', handler: 'report', in: '1d' })).id;
  }
}

@Injectable()
class ReportJobs {
  @Cron({ useFactory: (zone: string) => `0 2 * * ${zone}`, inject: ['DAYS'] }, { id: 'nightly' })
  nightly(): void {}

  @JobHandler('report')
  report(): string {
    return tenants.getStore() ?? 'no tenant';
  }
}

/** Boots it, runs all of it and says what is not as it should be. */
export async function tryMachinery(storageIn: (schema: string) => ChronisOptions): Promise<void> {
  @Module({
    imports: [ChronisModule.forFeature({ instance: 'reports', timeZone: 'Asia/Seoul' })],
    providers: [ReportJobs, { provide: 'DAYS', useValue: 'MON-FRI' }],
  })
  class ReportModule {}

  @Module({
    imports: [
      ReportModule,
      ChronisModule.forRoot({
        ...storageIn('orders'),
        interceptors: [TenantInterceptor],
        log: { format: 'json' },
      }),
      ChronisModule.forRootAsync({
        instance: 'reports',
        useFactory: () => ({
          ...storageIn('reports'),
          overrides: { nightly: { queue: 'slow' } },
          log: false,
        }),
      }),
    ],
    providers: [OrderJobs, Basket, TenantInterceptor],
  })
  class AppModule {}

  const lines = await written(async () => {
    const logger = new ConsoleLogger(); // Without colours, as NO_COLOR is set.
    const app = await NestFactory.createApplicationContext(AppModule, { logger, abortOnError: false });
    try {
      await tryInstances(app.get(SchedulerService), app.get(getSchedulerToken('reports')));
    } finally {
      await app.close();
    }
  });
  tryLog(lines);
}

/** What is written to the terminal meanwhile. */
async function written(work: () => Promise<void>): Promise<string[]> {
  const lines: string[] = [];
  const own = [process.stdout, process.stderr].map((stream) => {
    const write = stream.write.bind(stream);
    stream.write = (text: unknown) => lines.push(String(text)) > 0;
    return () => (stream.write = write);
  });
  try {
    await work();
  } finally {
    for (const restore of own) restore();
  }
  return lines;
}

async function tryInstances(orders: SchedulerService, reports: SchedulerService): Promise<void> {
  const outcome = async (
    service: SchedulerService,
    id: string,
    handler: string,
    payload: JsonValue = null,
  ) => {
    await service.createJob({ id, handler, trigger: { type: 'manual' }, payload });
    const run = await service.runNow(id);
    return service.waitForRun(run.id, { timeout: '20s' });
  };
  equal(resultOf(await outcome(orders, 'a', 'order', 'open')), 'a, tenant of a, basket 1!');
  equal(resultOf(await outcome(orders, 'b', 'order', 'open')), 'b, tenant of b, basket 2!');
  equal(resultOf(await outcome(orders, 'c', 'order', 'range')), 'caught too far');
  const refused = await outcome(orders, 'd', 'order', 'closed');
  equal(refused.error?.split('\n')[0], 'UnrecoverableError: The run is refused: Forbidden resource.');
  equal(refused.verdict, 'failed');
  equal(resultOf(await outcome(orders, 'e', 'count', '41')), 42);
  equal(resultOf(await outcome(orders, 'f', 'forward')), 'forwarded');
  equal(resultOf(await outcome(reports, 'a', 'report')), 'no tenant');
  equal((await orders.getJob('forwarded')) === null, true);
  equal((await reports.getJob('forwarded')) !== null, true);
  const nightly = await reports.getJob('nightly');
  equal(`${nightly?.queue} ${nightly?.timeZone}`, 'slow Asia/Seoul');
  equal((await orders.getJob('nightly')) === null, true);
}

/** One line of JSON per event, behind what Nest writes before each line. */
function tryLog(lines: string[]): void {
  const records = lines
    .filter((line) => line.includes('[Chronis]'))
    .map((line) => JSON.parse(line.slice(line.indexOf('{'))) as Record<string, unknown>);
  const events = records.map(({ event }) => event);
  for (const event of ['jobs.explored', 'scheduler.started', 'run.failed', 'worker.stopped']) {
    equal(events.includes(event), true, event);
  }
  equal(records.find(({ event }) => event === 'run.failed')?.jobId, 'd');
}

function resultOf({ verdict, error, result }: RunOutcome): JsonValue {
  if (verdict !== 'succeeded') throw new Error(`It ended as ${verdict}: ${error}`);
  return result;
}

function equal(actual: unknown, expected: unknown, what = 'This'): void {
  if (actual !== expected) throw new Error(`${what} is ${String(actual)}, not ${String(expected)}.`);
}
