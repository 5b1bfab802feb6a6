import type { Trigger } from '../model/trigger.js';
import { parseDuration } from '../triggers/duration.js';

/** The pause between the end of a run and the next one; null: the next time does not depend on the end. */
export function fixedDelayMs(trigger: Trigger): number | null {
  if (trigger.type !== 'interval' || trigger.mode !== 'fixed-delay') return null;
  return parseDuration(trigger.every, 'every');
}
