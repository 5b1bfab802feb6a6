// The door `nestjs-chronis/schedule`: the names of @nestjs/schedule, and CronJob and CronTime, which it takes from the `cron` package.
export { Cron } from './cron.decorator.js';
export type { CronOptions } from './cron.decorator.js';
export { sendAt, timeout, validateCronExpression } from './cron.functions.js';
export { CronExpression } from './cron.expressions.js';
export { CronJob } from './cron.job.js';
export type {
  CronCallback,
  CronCommand,
  CronContext,
  CronJobParams,
  CronOnCompleteCallback,
  CronOnCompleteCommand,
} from './cron.job.js';
export { CronTime } from './cron.time.js';
export type { CronSource } from './cron.time.js';
export type { CronDate } from './installed.types.js';
export { Interval } from './interval.decorator.js';
export {
  SCHEDULE_CRON_OPTIONS,
  SCHEDULE_INTERVAL_OPTIONS,
  SCHEDULE_MODULE_OPTIONS,
  SCHEDULE_TIMEOUT_OPTIONS,
  SCHEDULER_NAME,
  SCHEDULER_TYPE,
} from './schedule.constants.js';
export { ScheduleExplorer } from './schedule.explorer.js';
export type { IntervalOptions, TimeoutOptions } from './schedule.metadata.js';
export { ScheduleModule } from './schedule.module.js';
export type {
  DistributedOptions,
  ScheduleModuleAsyncOptions,
  ScheduleModuleOptions,
  ScheduleModuleOptionsFactory,
  ScheduleOverride,
} from './schedule.options.js';
export { SchedulerRegistry } from './scheduler.registry.js';
export type { RegistrableCronJob, RegisteredCronJob } from './scheduler.registry.js';
export { StoredJob } from './stored.job.js';
export { Timeout } from './timeout.decorator.js';
