import type { Trigger } from '../model/trigger.js';
import { CalendarSource } from './calendar.source.js';
import { assertTimeZone } from './time.zone.js';
import { ZoneOffsets } from './zone.offsets.js';

/** The clocks of a process and of its storage differ. */
const sameBirthMs = 60_000;

/** An interval that was born by a clock which was ahead, at `createdAt`, and would begin there only: with its grid as it is, from an anchor that is past. null: it is none. */
export function withPastAnchor(trigger: Trigger, createdAt: number, now: number): Trigger | null {
  if (trigger.type !== 'interval' || trigger.anchor === undefined) return null;
  const [anchor, every] = [Date.parse(trigger.anchor), trigger.every];
  const isOfBirth = anchor <= createdAt + sameBirthMs && trigger.startAt === undefined;
  if (!isOfBirth || anchor <= now || typeof every !== 'number') return null;
  const past = trigger.calendar
    ? new CalendarSource(anchor, every, ZoneOffsets.of(assertTimeZone(trigger.timeZone ?? 'UTC'))).anchorUpTo(
        now,
      )
    : anchor - Math.ceil((anchor - now) / every) * every;
  return { ...trigger, anchor: new Date(past).toISOString() };
}

/** An interval with its anchor: the one it has, else `startAt`, else `anchorMs` (its creation). Others stay as they are. */
export function withAnchor(trigger: Trigger, anchorMs: number): Trigger {
  if (trigger.type !== 'interval' || trigger.anchor !== undefined) return trigger;
  return { ...trigger, anchor: trigger.startAt ?? new Date(anchorMs).toISOString() };
}
