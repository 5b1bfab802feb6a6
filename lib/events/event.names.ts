import { InvalidOptionError } from '../model/errors.js';
import { nearestName } from '../model/nearest.name.js';
import type { ChronisEventMap, ChronisEventName } from './event.map.js';
import { logSentences } from './log.sentences.js';

type ShortName<N> = N extends `run.${infer Short}` ? Short : never;
type Topic<N> = N extends `${infer T}.${string}` ? T : never;

/** Names events: one by its name, those about runs also without `run.`, all of a topic by `run.*`, and all by `*`. @publicApi */
export type EventSelector =
  | ChronisEventName
  | ShortName<ChronisEventName>
  | `${Topic<ChronisEventName>}.*`
  | '*';

/** The names that a selector stands for. @publicApi */
export type SelectedName<S extends EventSelector> = S extends ChronisEventName
  ? S
  : S extends '*'
    ? ChronisEventName
    : S extends `${infer T}.*`
      ? Extract<ChronisEventName, `${T}.${string}`>
      : Extract<ChronisEventName, `run.${S}`>;

/** The events that a selector stands for. @publicApi */
export type SelectedEvent<S extends EventSelector> = ChronisEventMap[SelectedName<S>];

/** There is a sentence, or the lack of one, for each. */
const names = Object.keys(logSentences) as ChronisEventName[];
const known: ReadonlySet<string> = new Set(names);

export function isEventName(name: unknown): name is ChronisEventName {
  return typeof name === 'string' && known.has(name);
}

/** The names that one or several selectors stand for, each once. Throws InvalidOptionError (`option`). @publicApi */
export function selectEvents(selectors: unknown, option: string): ChronisEventName[] {
  const list: unknown[] = Array.isArray(selectors) ? selectors : [selectors];
  return [...new Set(list.flatMap((selector) => select(selector, option)))];
}

function select(selector: unknown, option: string): ChronisEventName[] {
  if (selector === '*') return names;
  if (isEventName(selector)) return [selector];
  const text = String(selector);
  const found = text.endsWith('.*')
    ? names.filter((name) => name.startsWith(text.slice(0, -1)))
    : names.filter((name) => name === `run.${text}`);
  if (typeof selector === 'string' && found.length > 0) return found;
  const meant = nearestName(text, selectors);
  throw new InvalidOptionError(
    option,
    `there is no event "${text}". ${meant === null ? '' : `Did you mean "${meant}"? `}There are: ${names.join(', ')}; those about runs also without "run."; 'run.*' and '*' stand for several.`,
  );
}

/** All that can be said: names, those about runs in short, and topics. */
const selectors: readonly string[] = [
  ...names,
  ...names.filter((name) => name.startsWith('run.')).map((name) => name.slice('run.'.length)),
  ...new Set(names.map((name) => `${name.split('.')[0]!}.*`)),
];
