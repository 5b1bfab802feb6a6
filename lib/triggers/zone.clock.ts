import { dayNumber, daySeconds } from './civil.date.js';

/** Before it, years have less than three digits, and every zone its local mean time. */
const earliest = dayNumber(100, 1, 2) * daySeconds;

/** What the clock on the wall of a zone shows, from the zone data of Node. luxon reads the same data in eight times the time. */
export class ZoneClock {
  private readonly format: Intl.DateTimeFormat | null;

  /** `name` must have passed `assertTimeZone`. */
  constructor(name: string) {
    this.format = isUtc(name)
      ? null
      : new Intl.DateTimeFormat('en-US', {
          timeZone: name,
          calendar: 'gregory',
          numberingSystem: 'latn',
          hourCycle: 'h23',
          year: 'numeric',
          month: 'numeric',
          day: 'numeric',
          hour: 'numeric',
          minute: 'numeric',
          second: 'numeric',
        });
  }

  /** Whether the offset is always zero. */
  get isUtc(): boolean {
    return this.format === null;
  }

  /** Seconds to add to an instant, in epoch seconds, for the wall time. */
  offsetAt(second: number): number {
    if (this.format === null) return 0;
    const at = Math.max(second, earliest);
    const shown = /^(\d+)\/(\d+)\/(\d+), (\d+):(\d+):(\d+)$/.exec(this.format.format(at * 1000));
    if (!shown) throw new Error(`Intl shows ${this.format.format(at * 1000)} for an instant`);
    const day = dayNumber(Number(shown[3]), Number(shown[1]), Number(shown[2]));
    return day * daySeconds + Number(shown[4]) * 3600 + Number(shown[5]) * 60 + Number(shown[6]) - at;
  }
}

function isUtc(name: string): boolean {
  return /^(?:Etc\/)?(?:UTC|GMT|UCT|Zulu|Universal|Greenwich)$/i.test(name);
}
