import { assertCalled } from '../index.js';
import { schedules, type TimeoutOptions } from './schedule.metadata.js';

/** Runs the method once, so many milliseconds after the bootstrap (`setTimeout`), in each process. @publicApi */
export function Timeout(timeout: number, options?: TimeoutOptions): MethodDecorator;
/** Under a name of the SchedulerRegistry. @publicApi */
export function Timeout(name: string, timeout: number, options?: TimeoutOptions): MethodDecorator;
export function Timeout(
  nameOrTimeout: string | number,
  timeoutOrOptions?: number | TimeoutOptions,
): MethodDecorator {
  assertCalled('@Timeout', [nameOrTimeout, timeoutOrOptions]);
  return typeof nameOrTimeout === 'string'
    ? schedules('timeout', nameOrTimeout, { timeout: timeoutOrOptions })
    : schedules('timeout', undefined, { timeout: nameOrTimeout });
}
