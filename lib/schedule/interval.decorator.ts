import { schedules } from './schedule.metadata.js';

/** Runs the method every so many milliseconds (`setInterval`); distributed, from one second on: once in the cluster. @publicApi */
export function Interval(timeout: number): MethodDecorator;
/** Under a name of the SchedulerRegistry. @publicApi */
export function Interval(name: string, timeout: number): MethodDecorator;
export function Interval(nameOrTimeout: string | number, timeout?: number): MethodDecorator {
  return typeof nameOrTimeout === 'string'
    ? schedules('interval', nameOrTimeout, { timeout })
    : schedules('interval', undefined, { timeout: nameOrTimeout });
}
