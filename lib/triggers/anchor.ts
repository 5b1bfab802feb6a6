import type { Trigger } from '../model/trigger.js';

/** The clocks of a process and of its storage differ. */
const sameBirthMs = 60_000;

/**
 * An interval that was born by a clock which was ahead, at `createdAt`, and would begin there only: with its grid as it is, from an anchor that is past. null: it is none. By days of a
 * calendar nothing can be moved.
 */
export function withPastAnchor(trigger: Trigger, createdAt: number, now: number): Trigger | null {
  if (trigger.type !== 'interval' || trigger.anchor === undefined || trigger.calendar) return null;
  const [anchor, every] = [Date.parse(trigger.anchor), trigger.every];
  const isOfBirth = anchor <= createdAt + sameBirthMs && trigger.startAt === undefined;
  if (!isOfBirth || anchor <= now || typeof every !== 'number') return null;
  return { ...trigger, anchor: new Date(anchor - Math.ceil((anchor - now) / every) * every).toISOString() };
}

/** An interval with its anchor: the one it has, else `startAt`, else `anchorMs` (its creation). Others stay as they are. */
export function withAnchor(trigger: Trigger, anchorMs: number): Trigger {
  if (trigger.type !== 'interval' || trigger.anchor !== undefined) return trigger;
  return { ...trigger, anchor: trigger.startAt ?? new Date(anchorMs).toISOString() };
}
