import type { CronOptions } from '../model/job.options.js';
import type { CronFields } from '../model/trigger.js';
import type { ScheduleFactory } from './schedule.factory.js';
import { assertCalled } from './annotation.js';
import { declares } from './declaration.js';

/**
 * Runs the method by the calendar, once per instant in the whole cluster: `@Cron('0 9 * * MON-FRI', { timeZone: 'Asia/Seoul' })` or
 * `@Cron({ hour: 9, minute: 0 })`. Several decorators on one method are several jobs. The method gets the RunContext unless it
 * takes no parameter. Mistakes are reported when the application boots. @publicApi
 */
export function Cron(
  schedule: string | CronFields | ScheduleFactory<string | CronFields>,
  options: CronOptions = {},
): MethodDecorator {
  assertCalled('@Cron', [schedule, options]);
  return declares('@Cron', { kind: 'cron', schedule, options });
}
