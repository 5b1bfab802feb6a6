import 'reflect-metadata';
import { assertCalled } from '../decorators/annotation.js';
import { noteDecorated } from '../decorators/decorated.classes.js';
import type { RunContext } from '../engine/run.context.js';
import { InvalidOptionError } from '../model/errors.js';
import type { JsonObject } from '../model/json.js';
import type { PayloadSchema } from '../model/payload.schema.js';
import type { RetryRules } from '../model/retry.rules.js';

/** What an executor is told about the run of its task: all that a handler is. `payload` is the task without its type. @publicApi */
export type TaskContext<T = unknown> = RunContext<T>;

/** What comes of a task; kept as the result of the run if it is JSON. @publicApi */
export type TaskResult = object | string | number | boolean | null | undefined | void;

/** Options of `@TaskExecutor`. @publicApi */
export interface TaskExecutorOptions extends RetryRules {
  /** Other types that it carries out as well, such as those that it was called by before. At most 100. @default none */
  aliases?: readonly string[];
  /** The ChronisModule that it belongs to, by its name. @default the one without a name */
  instance?: string;
  /** Comes with a package, whose module provides it where it is asked for: else it may be loaded by an application that does not use it, and nothing is told of that. @default false */
  packaged?: boolean;
}

/** Carries out tasks of a type: a provider with `@TaskExecutor('type')`. `T`: what its schema gives. @publicApi */
export interface TaskExecutor<T = JsonObject> {
  /**
   * What tasks are checked with, without their type: when a job is created or changed, and again before it runs. A Standard Schema or a class-validator DTO class; read once, at boot, so
   * a class that is made anew for each run has it as a getter.
   */
  readonly schema: PayloadSchema;
  /** What it throws, or rejects with, fails the attempt. It ends soon after `context.signal` has fired. */
  execute(task: T, context: TaskContext<T>): TaskResult | Promise<TaskResult>;
}

/** What the decorator says about its class. Nothing is checked before the application boots. */
export interface ExecutorAnnotation {
  type: string;
  options: TaskExecutorOptions;
}

const metadataKey = 'chronis:taskExecutor';
/** What `@Injectable()` leaves on a class. */
const injectableMark = '__injectable__';

/**
 * Makes the class, a provider, the executor of tasks of the type: jobs name them by `{ task: { type: 'sms', … } }` in place of a handler. The type is stored with jobs, so it should outlive renamed classes.
 * `options` decide about retries. Guards, interceptors and filters of Nest are not applied to it; a ChronisInterceptor is. Mistakes are reported when the application boots.
 *
 * @example
 * \@TaskExecutor('sms')
 * export class SmsExecutor implements TaskExecutor<Sms> {
 *   readonly schema = z.object({ to: z.string(), text: z.string() });
 *   constructor(private readonly gateway: SmsGateway) {}
 *   execute(sms: Sms, { runId, signal }: TaskContext): Promise<TaskResult> {
 *     return this.gateway.send(sms, { reference: runId, signal });
 *   }
 * }
 * @publicApi
 */
export function TaskExecutor(type: string, options: TaskExecutorOptions = {}): ClassDecorator {
  assertCalled('@TaskExecutor', [type, options]);
  return (target) => {
    const { name, prototype } = target as unknown as { name: string; prototype: object };
    if (Reflect.hasOwnMetadata(metadataKey, target)) {
      throw new InvalidOptionError(
        `@TaskExecutor on ${name}`,
        'stands there twice. Keep one of them, with the other type in its "aliases".',
      );
    }
    const annotation: ExecutorAnnotation = { type, options };
    Reflect.defineMetadata(metadataKey, annotation, target);
    Reflect.defineMetadata(injectableMark, true, target);
    if (!options.packaged) noteDecorated(prototype, 'execute');
  };
}

/** Of this very class: one that extends it is an executor only if it says so itself. null: it is none. */
export function executorAnnotationOf(prototype: object): ExecutorAnnotation | null {
  return (Reflect.getOwnMetadata(metadataKey, prototype.constructor) ?? null) as ExecutorAnnotation | null;
}
