// What is written for the types of @nestjs/schedule and of the `cron` package compiles with those of `nestjs-chronis/schedule`. Not run: the compiler is the test.
import type { ModuleMetadata, Type } from '@nestjs/common';
import type * as original from '@nestjs/schedule';
import { CronJob as PackageCronJob, CronTime as PackageCronTime } from 'cron';
import { DateTime } from 'luxon';
import type * as ours from '../../lib/schedule/index.js';
import {
  Cron,
  CronExpression,
  CronJob,
  CronTime,
  Interval,
  ScheduleModule,
  SchedulerRegistry,
  Timeout,
} from '../../lib/schedule/index.js';

type Missing = Exclude<keyof typeof original, keyof typeof ours>;
export const nothingIsMissing: [Missing] extends [never] ? true : Missing = true;

export type MissingOfRegistry = Exclude<keyof original.SchedulerRegistry, keyof SchedulerRegistry>;
export const registryIsComplete: [MissingOfRegistry] extends [never] ? true : MissingOfRegistry = true;

export const expressions: Record<keyof typeof original.CronExpression, string> = CronExpression;

export class Methods {
  static readonly options: original.CronOptions = { name: 'named', utcOffset: 60, waitForCompletion: true };

  @Cron(CronExpression.EVERY_SECOND, { name: 'named', timeZone: 'Asia/Seoul', disabled: true })
  text(): void {}
  @Cron(new Date(), { utcOffset: -60, unrefTimeout: true, threshold: 100, initialDelay: 5 })
  date(): void {}
  @Cron(DateTime.now(), Methods.options)
  dateTime(): void {}
  // @ts-expect-error: one of them
  @Cron('* * * * *', { timeZone: 'UTC', utcOffset: 0 })
  both(): void {}
  @Interval(10)
  interval(): void {}
  @Interval('named', 10)
  namedInterval(): void {}
  @Timeout(10)
  timeout(): void {}
  @Timeout('named', 10)
  namedTimeout(): void {}
}

export const decorators: {
  Cron: typeof original.Cron;
  Interval: typeof original.Interval;
  Timeout: typeof original.Timeout;
} = { Cron, Interval, Timeout };

export const module: Pick<typeof original.ScheduleModule, 'forRoot' | 'forRootAsync'> = ScheduleModule;

/** The options go both ways: wrappers of the module take and pass them on. */
export function wrapped(
  options: original.ScheduleModuleOptions,
  asyncOptions: original.ScheduleModuleAsyncOptions,
  Factory: Type<original.ScheduleModuleOptionsFactory>,
): ModuleMetadata['imports'] {
  const same: ours.ScheduleModuleOptions = options;
  const back: original.ScheduleModuleOptions = same;
  return [
    ScheduleModule.forRoot(back),
    ScheduleModule.forRootAsync(asyncOptions),
    ScheduleModule.forRootAsync({ useClass: Factory }),
  ];
}

/** Variables keep the types that they have of the `cron` package. */
export function handles(registry: SchedulerRegistry): unknown[] {
  const job: PackageCronJob<null, null> = registry.getCronJob('named');
  const jobs: Map<string, PackageCronJob> = registry.getCronJobs();
  const own: CronJob = registry.getCronJob('named');
  const last: Date | null = registry.getCronJob('named').lastDate();
  const next: DateTime = registry.getCronJob('named').nextDate();
  const dates: DateTime[] = registry.getCronJob('named').nextDates(3);
  registry.getCronJob('named').setTime(new PackageCronTime('* * * * *'));
  void registry.getCronJob('named').setTime(new CronTime('* * * * *'));
  registry.addCronJob('package', new PackageCronJob('* * * * *', () => undefined));
  registry.addCronJob(
    'with onComplete',
    PackageCronJob.from({ cronTime: '* * * * *', onTick: () => undefined, onComplete: () => undefined }),
  );
  registry.addCronJob('own', new CronJob('* * * * *', async () => {}));
  const added: PackageCronJob = registry.getCronJob('own');
  registry.addInterval(
    'interval',
    setInterval(() => undefined, 1),
  );
  registry.addTimeout('timeout', setTimeout(() => undefined, 1) as unknown as number);
  clearInterval(registry.getInterval('interval'));
  clearTimeout(registry.getTimeout<NodeJS.Timeout>('timeout'));
  const names: string[] = [...registry.getIntervals(), ...registry.getTimeouts()];
  return [job, jobs, own, last, next, dates, added, names, registry.doesExist('cron', 'named')];
}

/** Objects that stand in for the registry in tests of an application. */
export const mocked: Partial<SchedulerRegistry> = {
  addCronJob: (_name, _job) => undefined,
  getCronJobs: () => new Map(),
  deleteCronJob: () => undefined,
};

/** What is written for the CronJob of the `cron` package, with the import changed. */
export function made(): CronJob<null, { count: number }> {
  const job: CronJob<null, null> = new CronJob('* * * * *', () => undefined);
  job.addCallback(() => undefined);
  return CronJob.from({
    cronTime: new Date(),
    context: { count: 0 },
    onTick() {
      this.count++;
    },
  });
}
