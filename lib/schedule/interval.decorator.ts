import { assertCalled } from '../index.js';
import { schedules, type IntervalOptions } from './schedule.metadata.js';

/** Runs the method every so many milliseconds (`setInterval`); distributed, from one second on: once in the cluster. @publicApi */
export function Interval(timeout: number, options?: IntervalOptions): MethodDecorator;
/** Under a name of the SchedulerRegistry. @publicApi */
export function Interval(name: string, timeout: number, options?: IntervalOptions): MethodDecorator;
export function Interval(
  nameOrTimeout: string | number,
  timeoutOrOptions?: number | IntervalOptions,
  options?: IntervalOptions,
): MethodDecorator {
  assertCalled('@Interval', [nameOrTimeout, timeoutOrOptions]);
  return typeof nameOrTimeout === 'string'
    ? schedules('interval', nameOrTimeout, { ...options, timeout: timeoutOrOptions })
    : schedules('interval', undefined, { ...(timeoutOrOptions as IntervalOptions), timeout: nameOrTimeout });
}
