import { dateText, daySeconds, timeText, two } from './civil.date.js';
import { ZoneOffsets } from './zone.offsets.js';

/** A wall time in words. */
export interface LocalText {
  /** `YYYY-MM-DD` */
  date: string;
  /** `HH:MM`, with `:SS` unless it is 0. */
  time: string;
  /** `YYYY-MM-DD HH:MM:SS` */
  full: string;
}

/** `local` counts the seconds of a zoneless clock since 1970. */
export function localText(local: number): LocalText {
  const day = Math.floor(local / daySeconds);
  const time = timeText(local - day * daySeconds);
  const date = dateText(day);
  return { date, time: time.endsWith(':00') ? time.slice(0, 5) : time, full: `${date} ${time}` };
}

/** What the clock on the wall shows at an instant, in epoch milliseconds. */
export function wallText(at: number, timeZone: string): LocalText & { offset: string } {
  const second = Math.floor(at / 1000);
  const { offset } = ZoneOffsets.of(timeZone).segmentAt(second);
  return { ...localText(second + offset), offset: offsetText(offset) };
}

/** `+09:00`; seconds only where an old offset has some. */
export function offsetText(offset: number): string {
  const size = Math.abs(offset);
  const seconds = size % 60 === 0 ? '' : `:${two(size % 60)}`;
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(size / 3600))}:${two(Math.floor(size / 60) % 60)}${seconds}`;
}
