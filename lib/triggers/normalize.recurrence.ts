import type { DurationInput, Exclusion, InstantInput } from '../model/trigger.js';
import { parseDelay } from './duration.js';
import { normalizeExclusions } from './exclusion.input.js';
import { parseAt } from './instant.js';
import type { NormalizeContext } from './normalize.context.js';
import { refuse, shown } from './refuse.js';
import { assertTimeZone } from './time.zone.js';

/** The keys that every recurring trigger may have. */
export const recurrenceKeys = ['timeZone', 'startAt', 'endAt', 'maxRuns', 'jitter', 'exclude'] as const;

type Given = Partial<Record<(typeof recurrenceKeys)[number], unknown>>;

/** The stored form of what recurring triggers have in common. */
export interface StoredRecurrence {
  timeZone: string;
  startAt?: string;
  endAt?: string;
  maxRuns?: number;
  jitter?: number;
  exclude?: Exclusion[];
}

export function normalizeRecurrence(given: Given, context: NormalizeContext): StoredRecurrence {
  const timeZone = zoneOf(given.timeZone, context);
  const stored: StoredRecurrence = { timeZone };
  if (given.startAt !== undefined) stored.startAt = instantText(given.startAt, timeZone, 'startAt');
  if (given.endAt !== undefined) stored.endAt = instantText(given.endAt, timeZone, 'endAt');
  if (stored.startAt !== undefined && stored.endAt !== undefined && stored.startAt > stored.endAt) {
    refuse(given.endAt, 'reversed-range', `endAt: ${stored.endAt} is before startAt, ${stored.startAt}.`, {
      field: 'endAt',
    });
  }
  if (given.maxRuns !== undefined) stored.maxRuns = checkMaxRuns(given.maxRuns);
  const jitter = parseDelay((given.jitter ?? 0) as DurationInput, 'jitter');
  if (jitter > 0) stored.jitter = jitter;
  if (given.exclude !== undefined) {
    const exclude = normalizeExclusions(given.exclude);
    if (exclude.length > 0) stored.exclude = exclude;
  }
  return stored;
}

export function zoneOf(given: unknown, context: NormalizeContext): string {
  return assertTimeZone((given ?? context.timeZone) as string);
}

export function instantText(given: unknown, timeZone: string, field: string): string {
  return parseAt(given as InstantInput, timeZone, field).toISOString();
}

function checkMaxRuns(given: unknown): number {
  if (typeof given === 'number' && Number.isSafeInteger(given) && given >= 1) return given;
  return refuse(given, 'out-of-range', `maxRuns: ${shown(given)} is not a whole number from 1.`, {
    field: 'maxRuns',
  });
}
