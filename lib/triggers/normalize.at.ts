import type { AtTrigger } from '../model/trigger.js';
import { checkKeys } from './keys.js';
import type { NormalizeContext } from './normalize.context.js';
import { instantText, zoneOf } from './normalize.recurrence.js';

/** The stored form of a one-off. */
export function normalizeAt(given: object, context: NormalizeContext): AtTrigger {
  const keys = checkKeys(given, ['type', 'at', 'timeZone'], 'at');
  const timeZone = zoneOf(keys.timeZone, context);
  return { type: 'at', at: instantText(keys.at, timeZone, 'at'), timeZone };
}
