import type { AtTiming, CronTiming, IntervalTiming, JobOptions } from '../model/job.options.js';
import type {
  CronFields,
  DurationInput,
  DurationParts,
  InstantInput,
  TriggerInput,
} from '../model/trigger.js';
import type { ConflictPolicy } from '../ports/storage.adapter.js';
import type { HandlerReference } from './handler.reference.js';

/** What every job that is created at run time may say. @publicApi */
export interface CreateOptions extends JobOptions {
  /**
   * The name of a handler: of `@JobHandler`, `registerHandler`, or `ClassName.method` of a scheduled method. A reference by `defineJob` or
   * `handlerOf` fits too, and has the payload checked by the compiler.
   */
  handler: string;
  /** The app whose handler it is: the option `app` of the processes that have it. @default the app of this process */
  app?: string;
  /** When the id is taken: an error, the existing job, or the existing job with the new definition. @default 'raise' */
  onConflict?: ConflictPolicy;
  /** Create the job even if no worker has had the handler yet. @default what the reference says, else the module */
  allowUnknownHandler?: boolean;
}

/** What one-offs may say as well. @publicApi */
export interface OneOffOptions {
  /**
   * How long the finished job stays readable, and its id taken; `'forever'`, 0: the ledger alone has it, or `'none'`: not even the
   * ledger, so that nobody can look up what became of it (one that gave up stays as a dead letter). @default 0
   */
  keep?: DurationInput;
  /** Refuse a time in the past instead of running at once. @default false */
  refusePast?: boolean;
}

/** `every`, or its parts: `{ minutes: 5 }`. @publicApi */
export interface CreateIntervalJob extends CreateOptions, IntervalTiming, DurationParts {
  every?: DurationInput;
}

/** `expression`, `fields`, or the fields themselves: `{ hour: 9, minute: 0 }`. @publicApi */
export interface CreateCronJob extends CreateOptions, CronTiming, CronFields {
  expression?: string;
  fields?: CronFields;
}

/** `runAt`, or `in` for a time from now by the storage's clock (`0`: at once). @publicApi */
export interface CreateDateJob extends CreateOptions, AtTiming, OneOffOptions {
  runAt?: InstantInput;
  in?: DurationInput;
}

/** A job with any trigger as data. @publicApi */
export interface CreateJob extends CreateOptions, OneOffOptions {
  trigger: TriggerInput;
}

/** What `updateJob` may change; what is not given stays. @publicApi */
export interface UpdateJob
  extends
    Partial<Omit<CreateOptions, 'id' | 'namespace' | 'onConflict' | 'name'>>,
    Pick<OneOffOptions, 'keep'> {
  /** Hands the job over to a handler of another app. A declared job stays its code's. */
  app?: string;
  /** null takes the name away. */
  name?: string | null;
  /** Another schedule, of any kind for recurring jobs, of the type `at` for one-offs. */
  trigger?: TriggerInput;
  /** Another zone for the schedule that the job has. */
  timeZone?: string;
}

/** `UpdateJob` with another handler by reference, and a payload that fits it. @publicApi */
export type HandlerChange<R extends HandlerReference<any>> = Omit<UpdateJob, 'handler' | 'payload'> & {
  handler: R;
  payload?: R['~payload'];
};
