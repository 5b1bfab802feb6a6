import type { RetryRules } from '../model/retry.rules.js';
import { declares } from './declaration.js';

/**
 * Makes the method a handler under a name, for jobs that are created at run time:
 * `scheduler.createDateJob({ handler: 'send-reminder', in: '3d' })`. The name is stored with the jobs, so it should outlive renamed
 * classes and methods. Schedules on the same method use this name too, instead of `ClassName.method`. `rules`
 * decide about its retries. @publicApi
 */
export function JobHandler(name: string, rules: RetryRules = {}): MethodDecorator {
  return declares('@JobHandler', { kind: 'handler', name, rules });
}
