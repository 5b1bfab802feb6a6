import { schedules } from './schedule.metadata.js';

/** Runs the method once, so many milliseconds after the bootstrap (`setTimeout`), in each process. @publicApi */
export function Timeout(timeout: number): MethodDecorator;
/** Under a name of the SchedulerRegistry. @publicApi */
export function Timeout(name: string, timeout: number): MethodDecorator;
export function Timeout(nameOrTimeout: string | number, timeout?: number): MethodDecorator {
  return typeof nameOrTimeout === 'string'
    ? schedules('timeout', nameOrTimeout, { timeout })
    : schedules('timeout', undefined, { timeout: nameOrTimeout });
}
