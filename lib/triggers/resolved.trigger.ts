import type { Trigger, TriggerInput } from '../model/trigger.js';
import { withAnchor } from './anchor.js';
import { BoundedCache } from './bounded.cache.js';
import { compileTrigger, type CompiledTrigger } from './compiled.trigger.js';
import type { Calendars } from '../model/trigger.js';
import { normalizeTrigger } from './normalize.js';

interface Options {
  timeZone?: string;
  calendars?: Calendars;
  jobKey?: string;
}

/** Crons by expression, zone and job: what is asked for again and again needs no second look at anything. */
const simple = new BoundedCache<CompiledTrigger>(5_000);

/** Checks and compiles a trigger for the public functions; an interval without anchor begins at `from`. */
export function resolveTrigger(input: TriggerInput, options: Options, from: number): CompiledTrigger {
  const key = simpleKey(input, options);
  const known = key === null ? undefined : simple.get(key);
  if (known) return known;
  const { timeZone = 'UTC', calendars, jobKey = '' } = options;
  const trigger: Trigger = normalizeTrigger(input, { timeZone, now: from, calendars, jobKey });
  const compiled = compileTrigger(withAnchor(trigger, from), jobKey, calendars);
  return key !== null && trigger.type === 'cron' ? simple.set(key, compiled) : compiled;
}

/** The key of a cron that has only an expression and a zone; null for all others, which are compared as a whole. */
function simpleKey(input: TriggerInput, options: Options): string | null {
  if (typeof input !== 'object' || input === null || input.type !== 'cron') return null;
  const { expression, timeZone = options.timeZone ?? 'UTC' } = input;
  if (typeof expression !== 'string' || typeof timeZone !== 'string' || expression.length > 200) return null;
  for (const name in input) if (name !== 'type' && name !== 'expression' && name !== 'timeZone') return null;
  return `${timeZone}\n${expression}\n${options.jobKey ?? ''}`;
}
