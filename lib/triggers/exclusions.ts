import type { Calendars, Exclusion } from '../model/trigger.js';
import { ExcludedDays, type DayRange } from './excluded.days.js';
import { parseDay, weekdayNumber } from './exclusion.input.js';
import { nearestName } from '../model/nearest.name.js';
import { refuse, shown } from './refuse.js';
import { ZoneOffsets } from './zone.offsets.js';

/** All days on which one trigger does not fire. */
export class Exclusions {
  /**
   * A search that passes over more stretches than this finds nothing: ranges are met once, and weekdays do not leave out a
   * recurring date for so long without leaving it out for ever.
   */
  readonly maxStretches: number;

  private constructor(private readonly zones: ReadonlyMap<string, ExcludedDays>) {
    this.maxStretches = [...zones.values()].reduce((sum, days) => sum + 2 * days.rangeCount, 200);
  }

  /** null: nothing is excluded. */
  static compile(
    given: readonly Exclusion[] | undefined,
    timeZone: string,
    calendars: Calendars,
  ): Exclusions | null {
    if (!given || given.length === 0) return null;
    const byZone = new Map<string, { ranges: DayRange[]; weekdays: number }>();
    const add = (exclusion: Exclusion, defaultZone: string, withinCalendar: boolean): void => {
      const zone = exclusion.timeZone ?? defaultZone;
      if ('calendar' in exclusion) {
        if (withinCalendar)
          refuse(exclusion, 'bad-name', 'A calendar cannot refer to a calendar.', { field: 'exclude' });
        for (const entry of calendarNamed(exclusion.calendar, calendars)) add(entry, zone, true);
        return;
      }
      let days = byZone.get(zone);
      if (!days) byZone.set(zone, (days = { ranges: [], weekdays: 0 }));
      if ('dates' in exclusion) {
        for (const date of exclusion.dates) {
          const day = parseDay(date);
          days.ranges.push({ first: day, last: day });
        }
      } else if ('weekdays' in exclusion) {
        for (const weekday of exclusion.weekdays) days.weekdays |= 1 << weekdayNumber(weekday);
      } else {
        days.ranges.push({ first: parseDay(exclusion.from), last: parseDay(exclusion.to) });
      }
    };
    for (const exclusion of given) add(exclusion, timeZone, false);
    const zones = [...byZone].map(
      ([zone, days]) => [zone, new ExcludedDays(ZoneOffsets.of(zone), days.ranges, days.weekdays)] as const,
    );
    return new Exclusions(new Map(zones));
  }

  excludes(at: number): boolean {
    for (const days of this.zones.values()) if (days.excludes(at)) return true;
    return false;
  }

  /** Whether it is known that nothing of so short a time, less than a day, is excluded. */
  spares(from: number, until: number): boolean {
    for (const days of this.zones.values()) if (!days.spares(from, until)) return false;
    return true;
  }

  /** The weekdays that are left out in a zone, bit 0 is Sunday. */
  weekdaysIn(zone: string): number {
    return this.zones.get(zone)?.weekdays ?? 0;
  }

  /** The first instant after the excluded days around `at`; always later than `at`. */
  endAfter(at: number): number {
    let end = at + 1;
    for (const days of this.zones.values()) if (days.excludes(at)) end = Math.max(end, days.endAfter(at));
    return end;
  }

  /** The last instant before the excluded days around `at`; always earlier than `at`. */
  lastBefore(at: number): number {
    let last = at - 1;
    for (const days of this.zones.values())
      if (days.excludes(at)) last = Math.min(last, days.startBefore(at) - 1);
    return last;
  }
}

function calendarNamed(name: string, calendars: Calendars): readonly Exclusion[] {
  const found = Object.hasOwn(calendars, name) ? calendars[name] : undefined;
  if (found) return found;
  const names = Object.keys(calendars);
  const near = nearestName(name, names);
  return refuse(name, 'bad-name', `exclude: there is no calendar "${shown(name)}".`, {
    field: 'exclude',
    hint: near
      ? `Did you mean "${near}"?`
      : names.length > 0
        ? `Known: ${names.slice(0, 10).join(', ')}.`
        : 'No calendar is known here.',
  });
}
