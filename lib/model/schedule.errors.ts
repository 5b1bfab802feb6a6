import { ChronisError } from './chronis.error.js';

/** Why a schedule was refused. @publicApi */
export type ScheduleErrorReason =
  | 'empty'
  | 'field-count'
  | 'out-of-range'
  | 'bad-name'
  | 'bad-step'
  | 'reversed-range'
  | 'bad-special'
  | 'never-fires'
  | 'past-date'
  | 'bad-zone'
  | 'bad-duration'
  | 'unknown-key'
  | 'ambiguous';

/** A cron expression, interval, delay, date or time zone is not valid. @publicApi */
export class InvalidScheduleError extends ChronisError {
  /** What was given, shortened to 200 characters. */
  readonly input: string;
  /** The field of the schedule, such as `minute`, `every` or `timeZone`; null: the whole. */
  readonly field: string | null;
  readonly reason: ScheduleErrorReason;
  /** Offset in the text where the problem begins; null where there is no text. */
  readonly position: number | null;
  /** How to mend it; null where there is nothing to add. */
  readonly hint: string | null;

  constructor(detail: {
    input: string;
    reason: ScheduleErrorReason;
    message: string;
    field?: string | null;
    position?: number | null;
    hint?: string | null;
  }) {
    super('CHRONIS_INVALID_SCHEDULE', detail.hint ? `${detail.message} ${detail.hint}` : detail.message);
    this.input = detail.input.length > 200 ? `${detail.input.slice(0, 199)}…` : detail.input;
    this.field = detail.field ?? null;
    this.reason = detail.reason;
    this.position = detail.position ?? null;
    this.hint = detail.hint ?? null;
  }
}
