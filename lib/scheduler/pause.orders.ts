import { InvalidOptionError } from '../model/errors.js';
import type { DurationInput, InstantInput } from '../model/trigger.js';
import type { EpochMs, JobStore, PauseOrder, StorageAdapter } from '../ports/storage.adapter.js';
import { parseAt } from '../triggers/instant.js';
import { firstTimeMs, isParts, parseDuration } from '../triggers/duration.js';
import { described, lineOfText } from './option.checks.js';
import type { StorageNow } from './storage.now.js';

/** Why, who, and until when. @publicApi */
export interface PauseOptions {
  /** One line, at most 500 characters. */
  reason?: string;
  by?: string;
  /**
   * When it ends by itself, as if somebody resumed it then: a Date, epoch milliseconds or ISO text, or how long it lasts, such as `'2h'`, `{ hours: 2 }` or `7_200_000`. A number below 1,000,000,000,000 (of 2001) is how many
   * milliseconds it lasts. Text without an offset is in the time zone of the module. Has to be in the future by the clock of the storage. @default none: until somebody resumes it
   */
  until?: InstantInput | DurationInput;
}

export const pauseKeys = ['reason', 'by', 'until'] satisfies (keyof PauseOptions)[];

/** Begins as instants do, and no duration. */
const isDated = /^\s*\d{4}-/;

/** What people say of a pause, validated. */
export class PauseOrders {
  constructor(
    private readonly storage: Pick<StorageAdapter, 'kind' | 'endPauses'>,
    private readonly time: Pick<StorageNow, 'asked'>,
    /** Of times without an offset. */
    private readonly timeZone: string,
  ) {}

  /** Asks for the time only where there is an end. Throws InvalidOptionError, InvalidScheduleError. */
  async of({ reason, by, until }: PauseOptions, jobs?: JobStore): Promise<PauseOrder> {
    const order = {
      reason: reason === undefined ? null : lineOfText(reason, 'reason', 500),
      by: by === undefined ? null : lineOfText(by, 'by'),
    };
    return until === undefined ? order : { ...order, until: await this.endOf(until, jobs) };
  }

  private async endOf(given: InstantInput | DurationInput, jobs: JobStore | undefined): Promise<EpochMs> {
    if (this.storage.endPauses === undefined) {
      throw new InvalidOptionError(
        'until',
        `cannot be given: pauses have no end in the storage "${this.storage.kind}". Leave it out, and resume by a call.`,
      );
    }
    const end = this.read(given);
    const now = await this.time.asked(jobs);
    const until = 'at' in end ? end.at : now + end.inMs;
    if (until > now) return until;
    throw new InvalidOptionError(
      'until',
      `must be in the future, but is ${new Date(until).toISOString()}, and by the clock of the storage it is ${new Date(now).toISOString()} already.`,
    );
  }

  private read(given: InstantInput | DurationInput): { at: EpochMs } | { inMs: number } {
    if (given === null || given === (undefined as never)) {
      throw new InvalidOptionError('until', `must be an instant or a duration, but is ${described(given)}.`);
    }
    if (isDuration(given)) return { inMs: parseDuration(given, 'until') };
    return { at: parseAt(given, this.timeZone, 'until').getTime() };
  }
}

/** A number that is no time to come is a duration. */
function isDuration(given: InstantInput | DurationInput): given is DurationInput {
  if (typeof given === 'number') return given < firstTimeMs;
  return typeof given === 'string' ? !isDated.test(given) : isParts(given);
}
