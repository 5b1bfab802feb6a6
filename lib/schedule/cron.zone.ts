import { DateTime, FixedOffsetZone, IANAZone } from 'luxon';
import { assertTimeZone, nextOccurrences } from '../index.js';
import { CronError } from './cron.error.js';
import type { LuxonZone } from './installed.types.js';

/** Where the wall times of a cron are: a zone by its name, or a fixed number of minutes from UTC. */
export class CronZone {
  private constructor(readonly zone: LuxonZone) {}

  /** Of the text that luxon knows: an IANA name, "UTC+2", "local". Throws CronError. */
  static named(name: string): CronZone {
    const { zone, isValid } = DateTime.fromObject({}, { zone: name });
    if (!isValid) throw new CronError('Invalid timezone.');
    return new CronZone(zone);
  }

  /** Of minutes east of UTC. Throws CronError. */
  static offset(minutes: number): CronZone {
    const hours = Math.trunc(minutes / 60);
    const text = [Math.abs(hours), Math.abs(minutes - hours * 60)].map((n) => String(n).padStart(2, '0'));
    const zone = FixedOffsetZone.parseSpecifier(`UTC${minutes < 0 ? '-' : '+'}${text.join(':')}`);
    if (!zone) throw new CronError('ERROR: You specified an invalid UTC offset.');
    return new CronZone(zone);
  }

  static of(zone: LuxonZone): CronZone {
    return new CronZone(zone);
  }

  /** The name for the trigger engine; null: a fixed offset. */
  get name(): string | null {
    if (this.zone.isUniversal && !(this.zone instanceof IANAZone)) return null;
    return engineName(this.zone.name);
  }

  /** Minutes east of UTC of a fixed offset. */
  get offsetMinutes(): number {
    return this.zone.offset(0);
  }

  /** The next instants of an expression strictly after `from`. */
  next(expression: string, from: number, count: number): number[] {
    const { name } = this;
    const shift = name === null ? this.offsetMinutes * 60_000 : 0;
    const trigger = { type: 'cron', expression, timeZone: name ?? 'UTC' } as const;
    return nextOccurrences(trigger, { from: from + shift, count }).map((at) => at.getTime() - shift);
  }
}

/** The engine refuses abbreviations, which Nest applications may have used: they mean what Intl takes them for. */
function engineName(name: string): string {
  try {
    return assertTimeZone(name);
  } catch {
    return assertTimeZone(new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone);
  }
}
