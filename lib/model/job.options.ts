import type { JsonObject, JsonValue } from './json.js';
import type { Backoff, Callback, MisfirePolicy, OverlapPolicy, RecoveryPolicy } from './policies.js';
import type { PriorityInput } from './priority.js';
import type { RetryRules } from './retry.rules.js';
import type { CronFields, DstPolicy, DurationInput, Exclusion, InstantInput } from './trigger.js';

/**
 * Delays before retries, as users write them: the stored form, the same with durations under `delay` and `max`, one duration for
 * every retry, or a list whose last element repeats. @publicApi
 */
export type BackoffInput =
  | Backoff
  | DurationInput
  | DurationInput[]
  | { type: 'fixed'; delay: DurationInput }
  | { type: 'linear'; delay: DurationInput; max?: DurationInput }
  | { type: 'exponential'; delay: DurationInput; max?: DurationInput; jitter?: boolean };

/** A callback, as users write it: the name of a handler, or with the queue that it shall run in. @publicApi */
export type CallbackInput = string | Callback;

/** What every job may say about itself and about how it is run. @publicApi */
export interface JobOptions {
  /**
   * Unique in its namespace, at most 255 characters. @default `ClassName.method` for declared jobs (`#2` and so on for further
   * schedules of one method), a random UUID for jobs created at run time
   */
  id?: string;
  /** For people. */
  name?: string;
  /** @default 'default' */
  namespace?: string;
  /** Only workers with this queue run the job. @default 'default' */
  queue?: string;
  /** 0 (first) to 9 (last), or a level: critical, high, normal, low. @default 5 */
  priority?: PriorityInput;
  /** What the handler gets as `context.payload`: JSON. @default null */
  payload?: JsonValue;
  /** For queries: JSON, such as `{ tenant_id: 'acme' }`. @default {} */
  metadata?: JsonObject;
  /** Of what recurs, a due instant while an earlier run is not finished: `skip`, `allow`, `queue` or `cancel-running`. @default 'skip' */
  overlap?: OverlapPolicy;
  /** Instants that fell due while nobody could run them. @default 'once' */
  misfire?: MisfirePolicy;
  /** Another name of `misfire`. */
  ifMissed?: 'skip' | 'run_once' | 'run_all';
  /** Another name of `misfire`. */
  if_missed?: 'skip' | 'run_once' | 'run_all';
  /** With `misfire: 'skip'` an instant at most this late runs all the same, the latest of several. @default '60s' */
  misfireThreshold?: DurationInput;
  /** What misfire `all` runs: the newest `count` instants (1 to 100,000), none older than `age` (null: of any age). @default 1,000 of any age */
  misfireLimit?: { count?: number; age?: DurationInput | null };
  /** What happens to a run whose worker died. @default 'rerun' */
  recovery?: RecoveryPolicy;
  /** Further attempts after a failed one. @default 0 */
  maxRetries?: number;
  /** @default exponential from 1 s up to 1 h, with jitter */
  backoff?: BackoffInput;
  /** Longest time of one attempt; null: no limit. @default null */
  timeout?: DurationInput | null;
  /** Pause the (recurring) job when so many of its occurrences have failed in a row, with the reason; null: never. @default null */
  pauseAfterFailures?: number | null;
  /** The (recurring) job is overdue, which the event `job.overdue` and `health()` tell, where an instant has not begun so long after it; null: never. Within about a minute. @default null */
  lateAfter?: DurationInput | null;
  /** A run whose worker died this often ends as `lost`, the last time while it was alone in its hands; see the guide on dead letters. @default 3 */
  maxLost?: number;
  /**
   * The name of a handler that runs once for each run of this job that has succeeded, with a CallbackPayload: born in the same step as the
   * verdict, so it survives crashes. In the queue of the run, unless given with another one. Null takes it away. @default null
   */
  onSuccess?: CallbackInput | null;
  /** The same for each run that has failed for good, timed out or was lost. Not for cancelled ones. @default null */
  onFailure?: CallbackInput | null;
}

/** What recurring jobs may say about when. @publicApi */
export interface RecurrenceOptions {
  /** IANA name. @default the module's `timeZone` */
  timeZone?: string;
  /** Nothing fires before this instant. */
  startAt?: InstantInput;
  /** Nothing fires after this instant. */
  endAt?: InstantInput;
  /** The job ends after this many fired instants. */
  maxRuns?: number;
  /** Runs start up to this much after their nominal time, by a hash of job and time. */
  jitter?: DurationInput;
  /** When not to run. */
  exclude?: Exclusion[];
}

export interface CronTiming extends RecurrenceOptions {
  /** What clock changes do to fixed times. */
  dst?: DstPolicy;
}

export interface IntervalTiming extends RecurrenceOptions {
  /** The grid is anchor + k · every. @default when the job was created */
  anchor?: InstantInput;
  /** `fixed-delay`: the next time is the end of the run + every. @default 'fixed-rate' */
  mode?: 'fixed-rate' | 'fixed-delay';
  /** Whole days or weeks that keep the wall time in the zone. @default false */
  calendar?: boolean;
}

export interface AtTiming {
  /** Of a time without an offset. IANA name. @default the module's `timeZone` */
  timeZone?: string;
}

/** What only declarations in code may say. */
export interface DeclarationOptions {
  /** As data it is stored with the job; a function belongs to the method, see `RetryRules`. @default exponential from 1 s up to 1 h, with jitter */
  backoff?: BackoffInput | NonNullable<RetryRules['backoff']>;
  /** Whether to try again after this error. Belongs to the method, whatever triggers it. @default every error is worth a retry */
  retryIf?: NonNullable<RetryRules['retryIf']>;
  /** Ids this job had before; its history goes on under the new id. */
  previousIds?: string[];
  /** Whether the guards, interceptors and exception filters of Nest are applied to the method. @default the module's */
  useEnhancers?: boolean;
  /** The ChronisModule that it belongs to, by its name. @default the one without a name */
  instance?: string;
  /** As if the decorator were not there. @default false */
  disabled?: boolean;
}

/** What the configuration of the module says instead of a decorator; undefined: nothing. @publicApi */
export interface JobOverride
  extends
    Omit<JobOptions, 'id' | 'namespace'>,
    Omit<CronTiming, 'timeZone'>,
    Omit<IntervalTiming, keyof RecurrenceOptions>,
    AtTiming {
  /** In the place of the decorator's: an expression or fields, an interval, a time. */
  schedule?: string | CronFields | DurationInput | InstantInput;
  /** As if the decorator were not there, or, false, as if it did not say so itself. */
  disabled?: boolean;
}

/** Options of `@Cron`. @publicApi */
export interface CronOptions extends Omit<JobOptions, 'backoff'>, CronTiming, DeclarationOptions {}
/** Options of `@Interval`. @publicApi */
export interface IntervalOptions extends Omit<JobOptions, 'backoff'>, IntervalTiming, DeclarationOptions {}
/** Options of `@At`. @publicApi */
export interface AtOptions
  extends
    Omit<JobOptions, 'backoff' | 'overlap' | 'pauseAfterFailures' | 'lateAfter'>,
    AtTiming,
    DeclarationOptions {}
