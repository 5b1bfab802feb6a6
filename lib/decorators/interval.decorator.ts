import type { IntervalOptions } from '../model/job.options.js';
import type { DurationInput } from '../model/trigger.js';
import type { ScheduleFactory } from './schedule.factory.js';
import { assertCalled } from './annotation.js';
import { declares } from './declaration.js';

/**
 * Runs the method every so often, once in the whole cluster: `@Interval('5m')`, `@Interval(300_000)` (milliseconds) or
 * `@Interval({ minutes: 5 })`. The first time is one interval after the job was first seen; restarts and deploys do not shift the grid. The
 * method gets the RunContext unless it takes no parameter. Mistakes are reported when the application boots. @publicApi
 */
export function Interval(
  every: DurationInput | ScheduleFactory<DurationInput>,
  options: IntervalOptions = {},
): MethodDecorator {
  assertCalled('@Interval', [every, options]);
  return declares('@Interval', { kind: 'interval', every, options });
}
