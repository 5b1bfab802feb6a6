// What an application writes, against the installed types of all four doors. Never run: a compiler takes it when each line marked as an error is one, and no other.
import { Injectable, Module } from '@nestjs/common';
import {
  ChronisModule,
  Cron,
  defineJob,
  handlerOf,
  InvalidOptionError,
  JobHandler,
  OnJobEvent,
  SchedulerService,
  type ChronisEventMap,
  type HandlerReference,
  type Job,
  type RunContext,
} from 'nestjs-chronis';
import {
  Cron as LocalCron,
  CronExpression,
  CronJob,
  Interval as LocalInterval,
  ScheduleModule,
  SchedulerRegistry,
} from 'nestjs-chronis/schedule';
import {
  ChronisTesting,
  ManualClock,
  runLaw,
  storageLaws,
  type Execution,
  type StorageSubject,
} from 'nestjs-chronis/testing';
import { fileStorage } from 'nestjs-chronis/file';
import { sqliteStorage } from 'nestjs-chronis/sqlite';
import { chronisEntities, typeOrmLock, typeOrmStorage, type ChronisJob } from 'nestjs-chronis/typeorm';
import { of } from 'rxjs';
import type { DataSource, EntityManager, Repository } from 'typeorm';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** What a compiler does not find is `any` to it, and that is not the same. */
function same<A, B>(_answer: Same<A, B>): void {}

interface Mail {
  to: string;
  cc?: string[];
}

class Stamp {
  since!: Date;
}

const SendMail = defineJob<Mail>('send-mail', { queue: 'mail', maxRetries: 3, timeout: '10s' });
const Keep = defineJob('keep', { schema: Stamp });

@Injectable()
export class Jobs {
  @Cron('0 9 * * MON-FRI', { id: 'report', timeZone: 'Asia/Seoul', overlap: 'skip' })
  report(): void {}

  // @ts-expect-error The option is timeZone.
  @Cron('0 9 * * *', { timezone: 'UTC' })
  misspelt(): void {}

  @SendMail.Handle()
  mail({ payload, signal }: RunContext<Mail>): string {
    return signal.aborted ? '' : payload.to;
  }

  // @ts-expect-error The payload has no number.
  @SendMail.Handle()
  number({ payload }: RunContext<{ to: number }>): number {
    return payload.to;
  }

  @JobHandler('sum')
  sum({ payload }: RunContext<number[]>) {
    return of(payload.length);
  }

  @OnJobEvent('run.failed')
  failed({ jobId }: ChronisEventMap['run.failed']): string {
    return jobId;
  }

  // @ts-expect-error There is no such event.
  @OnJobEvent('run.exploded')
  exploded(): void {}

  @JobHandler('close')
  async close(context: RunContext): Promise<void> {
    await context.transaction(async (manager) => {
      same<typeof manager, EntityManager>(true);
      await manager.query('select 1');
    });
    // @ts-expect-error It is a function of the manager.
    await context.transaction('select 1');
  }
}

export class LocalJobs {
  @LocalCron(CronExpression.EVERY_SECOND, { name: 'local', timeZone: 'UTC' })
  local(): void {}

  @LocalInterval('named', 1_000)
  interval(): void {}

  // @ts-expect-error One of them.
  @LocalCron('* * * * *', { timeZone: 'UTC', utcOffset: 0 })
  both(): void {}
}

@Module({
  imports: [
    ScheduleModule.forRoot({ distributed: {} }),
    ChronisModule.forRoot({
      storage: typeOrmStorage({ url: 'postgres://localhost/app', statementTimeoutMs: '10s' }),
      lock: typeOrmLock(),
      keepLedger: { default: '30 days', failed: { weeks: 12 } },
      on: { 'run.failed': ({ runId }) => same<typeof runId, string>(true) },
    }),
    ChronisModule.forFeature({ queue: 'mail' }),
  ],
  providers: [Jobs, LocalJobs],
})
export class AppModule {}

export async function mainDoor(scheduler: SchedulerService, dataSource: DataSource): Promise<void> {
  const job = await scheduler.createDateJob({ handler: SendMail, payload: { to: 'a' }, in: '5m' });
  same<typeof job, Job>(true);
  same<typeof job.id, string>(true);
  await dataSource.transaction((manager) =>
    scheduler.createDateJob({ handler: 'by-name', payload: { any: ['json'] }, in: 0 }, { manager }),
  );
  await scheduler.createIntervalJob({ handler: SendMail, payload: { to: 'a', cc: [] }, every: '1h' });
  await scheduler.schedule(Keep, { payload: { since: new Date() }, cron: '@daily' });
  const mail = handlerOf(Jobs, 'mail');
  same<typeof mail, HandlerReference<Mail>>(true);
  same<InvalidOptionError['code'], any>(false);
  // @ts-expect-error The payload is of another type.
  await scheduler.createDateJob({ handler: SendMail, payload: { to: 1 }, in: '5m' });
  // @ts-expect-error The payload is missing.
  await scheduler.schedule(mail, { in: '5m' });
  // @ts-expect-error A Date is not JSON.
  await scheduler.schedule('by-name', { in: 0, payload: { at: new Date() } });
  // @ts-expect-error There are two schedules.
  await scheduler.createJob({ handler: 'x', every: '5m', trigger: { type: 'manual' } });
  // @ts-expect-error There is none.
  await scheduler.createIntervalJob({ handler: 'x' });
  // @ts-expect-error There is no such method.
  handlerOf(Jobs, 'males');
  // @ts-expect-error There is no such option.
  ChronisModule.forRoot({ pollms: 1_000 });
}

export function typeormDoor(dataSource: DataSource): Repository<ChronisJob> {
  typeOrmStorage({ dataSource, connectTimeoutMs: { minutes: 1 } });
  // @ts-expect-error Two servers.
  typeOrmStorage({ url: 'postgres://localhost/app', dataSource });
  // @ts-expect-error No server.
  typeOrmStorage({});
  const { job } = chronisEntities({ schema: 'jobs' });
  const jobs = dataSource.getRepository(job);
  same<typeof jobs, Repository<ChronisJob>>(true);
  // @ts-expect-error There is no such column.
  void jobs.findBy({ color: 'red' });
  return jobs;
}

export function sqliteDoor(): ReturnType<typeof ChronisModule.forRoot> {
  fileStorage({ path: 'jobs.yaml', recordLimit: 1_000 });
  // @ts-expect-error No file.
  sqliteStorage({});
  // @ts-expect-error There is no such driver.
  sqliteStorage({ path: 'jobs.db', driver: 'sqlite3' });
  return ChronisModule.forRoot({ storage: sqliteStorage({ path: 'jobs.db', recordLimit: 1_000 }) });
}

export function scheduleDoor(registry: SchedulerRegistry): Date | null {
  const job = registry.getCronJob('local');
  registry.addCronJob('own', new CronJob('* * * * *', () => undefined));
  // @ts-expect-error It takes a job.
  registry.addCronJob('own', '* * * * *');
  // @ts-expect-error Text or a Date.
  new CronJob({ every: 1 }, () => undefined);
  same<ReturnType<typeof job.nextDates>, any>(false);
  return job.lastDate();
}

export async function testingDoor(subject: StorageSubject): Promise<Execution[]> {
  const clock = new ManualClock();
  const chronis = await ChronisTesting.create({
    imports: [AppModule],
    clock,
    storage: (ownClock) => typeOrmStorage({ url: 'postgres://localhost/app', clock: ownClock }),
  });
  const [law] = storageLaws();
  await runLaw(law, () => subject);
  // @ts-expect-error There is no such option.
  await ChronisTesting.create({ module: [AppModule] });
  // @ts-expect-error A duration.
  await chronis.advanceBy([1]);
  const executions = await chronis.advanceBy('1d');
  same<typeof executions, Execution[]>(true);
  return executions;
}
