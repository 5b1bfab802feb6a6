import type { JsonValue } from './json.js';
import type { Otherwise, StepNeed } from './step.need.js';

/** Parts of a duration; they add up. Days are 24 h, weeks 168 h. @publicApi */
export interface DurationParts {
  weeks?: number;
  days?: number;
  hours?: number;
  minutes?: number;
  seconds?: number;
  milliseconds?: number;
}

/** Milliseconds, text (`'90s'`, `'1h30m'`, `'2 days'`, `'PT5M'`) or parts (`{ minutes: 5 }`). @publicApi */
export type DurationInput = number | string | DurationParts;

/** A Date, epoch milliseconds, ISO 8601 text, or anything with `toMillis()` such as a luxon DateTime. @publicApi */
export type InstantInput = Date | number | string | { toMillis(): number };

/** Cron fields as an object, all of which must match; also accepted in snake_case (`day_of_week`). @publicApi */
export interface CronFields {
  year?: number | string;
  month?: number | string;
  day?: number | string;
  /** ISO week, 1–53. */
  week?: number | string;
  /** Names, or numbers from 0 = Monday (the cron *string* counts from 0 = Sunday). */
  dayOfWeek?: number | string;
  hour?: number | string;
  minute?: number | string;
  second?: number | string;
}

/** What a daylight-saving change does to the fixed times of a cron. @publicApi */
export interface DstPolicy {
  /** A wall time that does not exist: once after the gap, not at all, or the same minutes later. @default 'run' */
  gap?: 'run' | 'skip' | 'shift';
  /** A wall time that exists twice. @default 'first' */
  overlap?: 'first' | 'second' | 'both';
}

/** Dates on which a trigger does not fire; judged in `timeZone` (default: the trigger's). @publicApi */
export type Exclusion =
  | { dates: string[]; timeZone?: string }
  | { weekdays: (number | string)[]; timeZone?: string }
  | { from: string; to: string; timeZone?: string }
  | { calendar: string; timeZone?: string };

/** Exclusions under names that many triggers can refer to by `{ calendar: 'name' }`, such as public holidays. @publicApi */
export type Calendars = Readonly<Record<string, readonly Exclusion[]>>;

/** What every recurring trigger may carry. `I` and `D` are the forms of instants and durations. */
interface Recurrence<I, D> {
  /** IANA name; default: the module's `timeZone`. */
  timeZone?: string;
  /** Nothing fires before this instant. */
  startAt?: I;
  /** Nothing fires after this instant. */
  endAt?: I;
  /** The trigger ends after this many fired instants. */
  maxRuns?: number;
  /** Runs start up to this much after their nominal time: by a hash of job and time, so the same everywhere. */
  jitter?: D;
  exclude?: Exclusion[];
}

interface CronBase<I, D> extends Recurrence<I, D> {
  type: 'cron';
  expression?: string;
  fields?: CronFields;
  dst?: DstPolicy;
}

interface IntervalBase<I, D> extends Recurrence<I, D> {
  type: 'interval';
  every: D;
  /** The grid is anchor + k · every. Default: when the job was created. */
  anchor?: I;
  /** `fixed-delay`: the next time is the end of the run + every. @default 'fixed-rate' */
  mode?: 'fixed-rate' | 'fixed-delay';
  /** Whole days or weeks that keep the wall time in the zone. @default false */
  calendar?: boolean;
}

interface AtBase<I> {
  type: 'at';
  at: I;
  timeZone?: string;
}

interface AfterBase<D, N> {
  type: 'after';
  /** Ids of the jobs that it waits for, in its own namespace: one-offs that have not ended. At most 1,000. */
  jobs: string[];
  /** How many of them have to succeed. @default all */
  need?: N;
  /** What becomes of it when too few of them can still succeed. `block`: it waits on as long as one of them may be retried by hand, and is then cancelled · `cancel`: it is cancelled at once · `run`: it runs when all have ended. @default 'block' */
  otherwise?: Otherwise;
  /** From when they allow it on. @default 0 */
  delay?: D;
}

interface ManualBase {
  type: 'manual';
}

/** When a job is due, as users write it. @publicApi */
export type TriggerInput =
  | CronBase<InstantInput, DurationInput>
  | IntervalBase<InstantInput, DurationInput>
  | AtBase<InstantInput>
  | AfterBase<DurationInput, StepNeed>
  | ManualBase;

/** The stored form of a cron trigger: JSON, validated. @publicApi */
export type CronTrigger = CronBase<string, number>;
/** The stored form of an interval trigger: milliseconds, or parts where the calendar counts. @publicApi */
export type IntervalTrigger = Omit<IntervalBase<string, number>, 'every'> & { every: number | DurationParts };
/** The stored form of a one-off. @publicApi */
export type AtTrigger = AtBase<string>;
/** The stored form of a one-off that waits for others. @publicApi */
export type AfterTrigger = AfterBase<number, number>;
export type ManualTrigger = ManualBase;

/** When a job is due, as it is stored: plain JSON, instants as ISO text in UTC, durations in ms. @publicApi */
export type Trigger = CronTrigger | IntervalTrigger | AtTrigger | AfterTrigger | ManualTrigger;

export type TriggerType = Trigger['type'];

/** Whether a job with this trigger is due once. */
export function isOnce({ type }: Pick<Trigger, 'type'>): boolean {
  return type === 'at' || type === 'after';
}

/** A trigger is JSON; this only tells the compiler. */
export function triggerToJson(trigger: Trigger): JsonValue {
  return trigger as unknown as JsonValue;
}
