import type { Trigger } from '../model/trigger.js';

/** An interval with its anchor: the one it has, else `startAt`, else `anchorMs` (its creation). Others stay as they are. */
export function withAnchor(trigger: Trigger, anchorMs: number): Trigger {
  if (trigger.type !== 'interval' || trigger.anchor !== undefined) return trigger;
  return { ...trigger, anchor: trigger.startAt ?? new Date(anchorMs).toISOString() };
}
