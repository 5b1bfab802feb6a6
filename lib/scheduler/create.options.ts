import type { AtTiming, CronTiming, IntervalTiming, JobOptions } from '../model/job.options.js';
import type {
  CronFields,
  DurationInput,
  DurationParts,
  InstantInput,
  TriggerInput,
} from '../model/trigger.js';
import type { Otherwise, StepNeed } from '../model/step.need.js';
import type { ConflictPolicy } from '../ports/storage.adapter.js';
import type { TaskOption } from '../model/task.js';
import type { HandlerInput, PayloadChange, PayloadOption } from './handler.reference.js';

/** What every job that is created at run time may say, beside its payload. @publicApi */
export interface CreateOptions<H extends HandlerInput = HandlerInput> extends Omit<JobOptions, 'payload'> {
  /**
   * The name of a handler: of `@JobHandler`, `registerHandler`, or `ClassName.method` of a scheduled method. A reference by `defineJob` or
   * `handlerOf` fits too, and has the payload checked by the compiler.
   */
  handler: H;
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

/** Keys that must not be given. */
export type Without<K extends PropertyKey> = { [Key in K]?: undefined };
type AtLeastOne<T> = { [K in keyof T]-?: { [Key in K]-?: T[K] } & T }[keyof T];

/** What belongs to one-offs; nothing of one overlaps, and none fails twice in a row. */
export type Once = AtTiming & OneOffOptions & Without<'overlap' | 'pauseAfterFailures' | 'lateAfter'>;

/** What can be said about the job, whatever its schedule. */
type About<H extends HandlerInput, P> =
  | (CreateOptions<H> & PayloadOption<H, P> & Without<'task'>)
  | (Omit<CreateOptions, 'handler'> & InPlaceOfHandler);

/** A task takes the place of both. */
type InPlaceOfHandler = TaskOption & Without<'handler' | 'payload'>;

/** `every`, or its parts: `{ minutes: 5 }`. @publicApi */
export type CreateIntervalJob<H extends HandlerInput = HandlerInput, P = unknown> = About<H, P> &
  IntervalTiming &
  (
    | ({ every: DurationInput } & Without<keyof DurationParts>)
    | (AtLeastOne<DurationParts> & Without<'every'>)
  );

/** `cron`: an expression or fields; or the fields themselves: `{ hour: 9, minute: 0 }`. @publicApi */
export type CreateCronJob<H extends HandlerInput = HandlerInput, P = unknown> = About<H, P> &
  CronTiming &
  (
    | ({ cron: string | CronFields } & Without<'expression' | 'fields' | keyof CronFields>)
    /** Another name of `cron`. */
    | ({ expression: string } & Without<'cron' | 'fields' | keyof CronFields>)
    /** Another name of `cron`. */
    | ({ fields: CronFields } & Without<'cron' | 'expression' | keyof CronFields>)
    | (AtLeastOne<CronFields> & Without<'cron' | 'expression' | 'fields'>)
  );

/** `at`, or `in` for a time from now by the storage's clock (`0`: at once). @publicApi */
export type CreateDateJob<H extends HandlerInput = HandlerInput, P = unknown> = About<H, P> &
  Once &
  (
    | ({ at: InstantInput } & Without<'in' | 'runAt'>)
    | ({ in: DurationInput } & Without<'at' | 'runAt'>)
    /** Another name of `at`. */
    | ({ runAt: InstantInput } & Without<'at' | 'in'>)
  );

/** Which other one-offs a job waits for, in place of a time. @publicApi */
export interface AfterTiming {
  /** The ids of the jobs that it waits for, in its own namespace: of the same call of `createMany`, or one-offs that are there and have not ended. Up to 1,000. */
  after: string | readonly string[];
  /** How many of them have to succeed: all, any of them, or a number. @default 'all' */
  need?: StepNeed;
  /**
   * What becomes of it when too few of them can still succeed. `'block'`: it waits on while one that gave up may be retried by hand, and is cancelled when that cannot be any more · `'cancel'`: it is cancelled at once ·
   * `'run'`: it runs when all have ended. @default 'block'
   */
  otherwise?: Otherwise;
  /** From when they allow it on. @default 0 */
  delay?: DurationInput;
}

/** A time: exactly one of `at`, `in`, `every` and `cron`, with the options that belong to it. @publicApi */
export type TimedSchedule =
  /** Once, at this time. */
  | ({ at: InstantInput } & Without<'in' | 'every' | 'cron' | keyof AfterTiming> & Once)
  /** Once, this long from now by the storage's clock; `0` is at once. */
  | ({ in: DurationInput } & Without<'at' | 'every' | 'cron' | keyof AfterTiming> & Once)
  /** Again and again after this time. */
  | ({ every: DurationInput } & Without<'at' | 'in' | 'cron' | keyof AfterTiming> & IntervalTiming)
  /** By the calendar: an expression, or fields. */
  | ({ cron: string | CronFields } & Without<'at' | 'in' | 'every' | keyof AfterTiming> & CronTiming);

/** When: exactly one of `at`, `in`, `every`, `cron` and `after`, with the options that belong to it. @publicApi */
export type ScheduleTiming =
  | TimedSchedule
  /** Once, when other one-offs have ended. */
  | (AfterTiming &
      Pick<OneOffOptions, 'keep'> &
      Without<
        | 'at'
        | 'in'
        | 'every'
        | 'cron'
        | 'timeZone'
        | 'refusePast'
        | 'overlap'
        | 'pauseAfterFailures'
        | 'lateAfter'
      >);

type TriggerAsData = { trigger: TriggerInput } & Without<'at' | 'in' | 'every' | 'cron' | keyof AfterTiming>;

/** A job with any schedule; `trigger` is one as data. @publicApi */
export type CreateJob<H extends HandlerInput = HandlerInput, P = unknown> = About<H, P> &
  ((ScheduleTiming & Without<'trigger'>) | (TriggerAsData & OneOffOptions));

/** Everything that `schedule` takes beside the handler, or the task, which has no payload beside it. @publicApi */
export type ScheduleOptions<H extends HandlerInput | TaskOption = string, P = unknown> = Omit<
  CreateOptions,
  'handler'
> &
  (H extends HandlerInput ? PayloadOption<H, P> : Without<'payload'>) &
  ScheduleTiming;

/** The same in one piece, for `createMany` and `upsert`. @publicApi */
export type ScheduledJob<H extends HandlerInput = HandlerInput, P = unknown> = About<H, P> & ScheduleTiming;

/** What `updateJob` may change; what is not given stays. A schedule is changed as a whole. @publicApi */
export type UpdateJob<H extends HandlerInput = HandlerInput, P = unknown> = Partial<
  Omit<CreateOptions<H>, 'handler' | 'id' | 'namespace' | 'onConflict' | 'name' | 'app'>
> &
  (({ handler?: H } & PayloadChange<H, P> & Without<'task'>) | InPlaceOfHandler) & {
    /** Hands the job over to a handler of another app. A declared job stays its code's. */
    app?: string;
    /** null takes the name away. */
    name?: string | null;
  } & Pick<OneOffOptions, 'keep'> &
  (
    | (TimedSchedule & Without<'trigger' | 'refusePast'>)
    | (Partial<TriggerAsData> & {
        /** Another zone for the schedule that the job has. */
        timeZone?: string;
      })
  );

/** A job to be created, as it is checked: the compiler need not have looked at it. */
export interface GivenJob extends Omit<CreateOptions, 'handler'>, OneOffOptions, Partial<AfterTiming> {
  /** Absent in the place of a task. */
  handler?: HandlerInput | undefined;
  payload?: unknown;
  at?: InstantInput;
  in?: DurationInput;
}

/** Changes of a job, as they are checked. */
export interface GivenChanges
  extends Partial<Omit<CreateOptions, 'name'>>, Pick<OneOffOptions, 'keep'>, AtTiming {
  name?: string | null;
  payload?: unknown;
  trigger?: TriggerInput;
}
