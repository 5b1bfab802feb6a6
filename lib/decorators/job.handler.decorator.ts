import type { HandlerOptions, MethodOptions } from '../model/handler.options.js';
import { assertCalled } from './annotation.js';
import { declares } from './declaration.js';

/**
 * Makes the method a handler under a name, for jobs that are created at run time:
 * `scheduler.createDateJob({ handler: 'send-reminder', in: '3d' })`. The name is stored with the jobs, so it should outlive renamed
 * classes and methods. Schedules on the same method use this name too, instead of `ClassName.method`. `options`
 * decide about its retries and the payloads that it takes. @publicApi
 */
export function JobHandler(name: string, options: HandlerOptions & MethodOptions = {}): MethodDecorator {
  assertCalled('@JobHandler', [name, options]);
  return declares('@JobHandler', { kind: 'handler', name, options });
}
