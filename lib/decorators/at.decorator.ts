import type { AtOptions } from '../model/job.options.js';
import type { InstantInput } from '../model/trigger.js';
import type { ScheduleFactory } from './schedule.factory.js';
import { assertCalled } from './annotation.js';
import { declares } from './declaration.js';

/**
 * Runs the method once in the whole cluster, at the given time: a Date, or text such as `'2027-01-01 00:00:00'` in `timeZone`. A restart does
 * not run it again; a changed time does. A time that is past when the job is first seen: at once, or by the `misfire` policy. The
 * method gets the RunContext unless it takes no parameter. Mistakes are reported when the application boots. @publicApi
 */
export function At(
  at: InstantInput | ScheduleFactory<InstantInput>,
  options: AtOptions = {},
): MethodDecorator {
  assertCalled('@At', [at, options]);
  return declares('@At', { kind: 'at', at, options });
}
