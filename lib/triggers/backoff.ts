import { InvalidOptionError } from '../model/errors.js';
import { nearestName } from '../model/nearest.name.js';
import type { Backoff } from '../model/policies.js';
import type { DurationInput } from '../model/trigger.js';
import { refuseUnknown } from '../model/unknown.options.js';
import { parseDelay } from './duration.js';
import { described } from './refuse.js';

const maxDelays = 100;
const types = ['fixed', 'linear', 'exponential'] as const;

/** The delays before retries, as they are stored. Throws InvalidOptionError, InvalidScheduleError. */
export function backoffOf(given: unknown): Backoff {
  if (Array.isArray(given)) {
    if (given.length === 0 || given.length > maxDelays)
      refuse('backoff', `must have 1 to ${maxDelays} delays, but has ${given.length}.`);
    return given.map((delay, i) => parseDelay(delay as DurationInput, `backoff[${i}]`));
  }
  if (typeof given !== 'object' || given === null || !('type' in given)) {
    return { type: 'fixed', delayMs: parseDelay(given as DurationInput, 'backoff') };
  }
  const type = typeOf(given.type);
  const capped = type === 'fixed' ? [] : ['max', 'maxMs'];
  const known = ['type', 'delay', 'delayMs', ...capped, ...(type === 'exponential' ? ['jitter'] : [])];
  refuseUnknown(`a backoff of the type '${type}'`, given, known);
  const options = given as Readonly<Record<string, unknown>>;
  const delayMs = parseDelay((options.delay ?? options.delayMs) as DurationInput, 'backoff.delay');
  if (type === 'fixed') return { type, delayMs };
  const max = options.max ?? options.maxMs;
  const cap = max === undefined ? {} : { maxMs: parseDelay(max as DurationInput, 'backoff.max') };
  if (type === 'linear') return { type, delayMs, ...cap };
  return { type, delayMs, ...cap, ...jitterOf(options.jitter) };
}

function typeOf(given: unknown): (typeof types)[number] {
  const found = types.find((type) => type === given);
  if (found !== undefined) return found;
  const near = typeof given === 'string' ? nearestName(given, types) : null;
  const hint = near === null ? '' : ` Did you mean '${near}'?`;
  return refuse(
    'backoff.type',
    `must be ${types.map((type) => `'${type}'`).join(' or ')}, but is ${described(given)}.${hint}`,
  );
}

function jitterOf(given: unknown): { jitter?: boolean } {
  if (given === undefined) return {};
  if (typeof given === 'boolean') return { jitter: given };
  return refuse('backoff.jitter', `must be true or false, but is ${described(given)}.`);
}

function refuse(option: string, problem: string): never {
  throw new InvalidOptionError(option, problem);
}
