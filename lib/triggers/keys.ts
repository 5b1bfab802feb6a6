import { nearestName } from '../model/nearest.name.js';
import { refuse, shown } from './refuse.js';

/** The given keys of a plain object, without those that are undefined or null; refuses all but the `known` ones. */
export function checkKeys<K extends string>(
  given: unknown,
  known: readonly K[],
  field: string,
): Partial<Record<K, unknown>> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    refuse(
      given,
      given === null || given === undefined ? 'empty' : 'bad-name',
      `${field}: ${shown(given)} is not an object.`,
      {
        field,
      },
    );
  }
  const keys: Partial<Record<K, unknown>> = {};
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined || value === null) continue;
    if (!(known as readonly string[]).includes(key)) {
      const near = nearestName(key, known);
      refuse(given, 'unknown-key', `${field}: there is no "${shown(key)}".`, {
        field: key.slice(0, 40),
        hint: near ? `Did you mean "${near}"?` : `It may have ${known.join(', ')}.`,
      });
    }
    keys[key as K] = value;
  }
  return keys;
}

/** One of a few words. */
export function checkWord<const W extends string>(given: unknown, words: readonly W[], field: string): W {
  if ((words as readonly unknown[]).includes(given)) return given as W;
  const near = typeof given === 'string' ? nearestName(given, words) : null;
  return refuse(given, 'bad-name', `${field}: ${shown(given)} is not one of ${words.join(', ')}.`, {
    field,
    hint: near ? `Did you mean "${near}"?` : null,
  });
}
