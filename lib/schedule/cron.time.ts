import { DateTime } from 'luxon';
import { InvalidScheduleError } from '../index.js';
import { readCron, units, type CronText } from './cron.dialect.js';
import { CronError } from './cron.error.js';
import { CronZone } from './cron.zone.js';
import type { CronDate, LuxonZone } from './installed.types.js';

/** A cron text, a Date, or anything with `toMillis()` such as a luxon DateTime. @publicApi */
export type CronSource = string | Date | { toMillis(): number };

const searchedYears = 8;

/**
 * When a CronJob is due: by a cron text in a zone or at a fixed offset from UTC, or once at a date. Without zone and offset the zone
 * of the process counts. Away from changes of the clocks the instants are those of the `cron` package, at such changes those that
 * docs/reference/schedules.md describes. @publicApi
 */
export class CronTime {
  /** The text, or the date as a luxon DateTime. */
  readonly source: string | CronDate;
  /** Whether it is a single date. */
  readonly realDate: boolean;
  readonly timeZone?: string;
  readonly utcOffset?: number;
  private readonly text: CronText | null;

  /** Throws an error for texts that cannot be read, unknown zones, dates that are none, and a zone beside an offset. */
  constructor(source: CronSource, timeZone?: string | null, utcOffset?: number | null) {
    if (isGiven(timeZone) && isGiven(utcOffset)) {
      throw new CronError("You can't specify both timeZone and utcOffset");
    }
    if (timeZone) CronZone.named(timeZone);
    if (isGiven(utcOffset)) this.utcOffset = utcOffset;
    else if (isGiven(timeZone)) {
      // An empty text has always meant UTC.
      if (timeZone !== '') this.timeZone = timeZone;
    } else this.timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const date = dateOf(source);
    this.realDate = date !== null;
    this.source = date ?? (source as string);
    this.text = date === null ? readCron(source as string) : null;
  }

  /** Whether a text can be read, and what is wrong with it if not. */
  static validateCronExpression(expression: string): { valid: boolean; error?: Error } {
    try {
      readCron(expression);
      return { valid: true };
    } catch (error) {
      return { valid: false, error: error as Error };
    }
  }

  /** The six fields in the words of the trigger engine; null: a single date. */
  get expression(): string | null {
    return this.text?.expression ?? null;
  }

  get zone(): CronZone {
    if (this.utcOffset !== undefined) return CronZone.offset(this.utcOffset);
    return CronZone.named(this.timeZone ?? 'UTC');
  }

  /** The next instant, or as many as asked for. Throws an error when there is none, and for a date in the past. */
  sendAt(): CronDate;
  sendAt(count: number): CronDate[];
  sendAt(count?: number): CronDate | CronDate[] {
    const { zone } = this.zone;
    if (this.realDate) {
      const date = DateTime.fromMillis((this.source as CronDate).toMillis(), { zone });
      if (Date.now() > date.toMillis()) {
        throw new CronError('WARNING: Date in past. Will never be fired.');
      }
      return date;
    }
    if (count === undefined || Number.isNaN(count) || count < 0)
      return this.after(Date.now(), this.zone, 1)[0]!;
    return count === 0 ? [] : this.after(Date.now(), this.zone, Math.ceil(count));
  }

  /** Milliseconds until the next instant. */
  getTimeout(): number {
    return this.sendAt().toMillis() - Date.now();
  }

  /** The next instant after `start`, in `timeZone` or the zone that `start` has. */
  getNextDateFrom(start: Date | CronDate, timeZone?: string | LuxonZone): CronDate {
    const date = start instanceof Date ? DateTime.fromJSDate(start) : (start as DateTime);
    if (!date.isValid) throw new CronError('ERROR: You specified an invalid date.');
    const { zone } = timeZone ? date.setZone(timeZone) : date;
    return this.after(date.toMillis(), CronZone.of(zone), 1)[0]!;
  }

  /** The values of each field, or "*" for all of them. */
  toJSON(): string[] {
    return units.map(({ width }, i) => {
      const values = this.text?.values[i] ?? new Set<number>();
      return values.size === width ? '*' : [...values].toSorted((a, b) => a - b).join(',');
    });
  }

  toString(): string {
    return this.toJSON().join(' ');
  }

  private after(from: number, zone: CronZone, count: number): CronDate[] {
    const found = this.search(from, zone, count);
    const limit = DateTime.now().plus({ years: searchedYears }).toMillis();
    if (found.length < count || found.at(-1)! > limit) {
      throw new CronError(
        `Something went wrong. No execution date was found in the next ${searchedYears} years. Cron String: ${String(this.source)}`,
      );
    }
    return found.map((at) => DateTime.fromMillis(at, { zone: zone.zone }));
  }

  private search(from: number, zone: CronZone, count: number): number[] {
    try {
      return zone.next(this.expression!, from, count);
    } catch (error) {
      if (error instanceof InvalidScheduleError && error.reason === 'never-fires') return [];
      throw error;
    }
  }
}

function isGiven<T>(value: T): value is NonNullable<T> {
  return value !== undefined && value !== null;
}

/** Also of another copy of luxon, and of a Date of another realm; null: it is no date. */
function dateOf(source: CronSource): CronDate | null {
  if (typeof source !== 'object' || source === null) return null;
  const given = source as Partial<DateTime & Date>;
  if (typeof given.toMillis !== 'function' && typeof given.getTime !== 'function') return null;
  const isLuxon = typeof given.toMillis === 'function';
  const at = isLuxon ? given.toMillis!() : given.getTime!();
  if (Number.isNaN(at)) throw new CronError('cronTime is an invalid date.');
  return isLuxon ? (given as CronDate) : DateTime.fromMillis(at);
}
