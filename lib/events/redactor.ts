import { InvalidOptionError } from '../model/errors.js';
import { refuseUnknown } from '../model/unknown.options.js';
import { isA } from '../model/thrown.js';
import { withoutPasswords } from './without.passwords.js';

/** Where a value is about to be shown: lines of the log of the process, the log of a run, the REST API, messages of alerts and pings, and of errors in traces. @publicApi */
export type RedactedKind = 'log' | 'run-log' | 'http' | 'alert' | 'trace';

/** Gives what is shown in the place of `value`. `path`: where in what is shown it is, such as `items[0].payload`. What it throws hides the value. @publicApi */
export type RedactFunction = (value: unknown, at: { kind: RedactedKind; path: string }) => unknown;

/**
 * What is hidden beside the usual names of secrets: names of keys (`'iban'`), or the last keys of a path (`'customer.taxId'`, `'cards.*.number'`), in upper or lower case, with or without `-` and `_`; a function that has
 * the last word; or both. @publicApi
 */
export type RedactOption =
  | readonly string[]
  | RedactFunction
  | { keys?: readonly string[]; by?: RedactFunction };

const hidden = '***';
/** In the name of a key, as `normalized`. */
const usual =
  /password|passphrase|passwd|^pwd$|^pass$|secret|token|authorization|cookie|apikey|accesskey|privatekey|credential/;
/** Where a login of a URL seems to begin; a port and a path behind it are none. Each may take long to be looked through. */
const openLogin = /:\/\/[^\s/:@?#'"`<>]{0,1000}:(?!\d{1,5}[/?#])/g;
/** A text with more of them is hidden as a whole. */
const mostLogins = 50;
/** What is nested deeper is hidden: nobody reads it, and the call stack ends. */
const deepest = 200;

/**
 * Takes secrets out of what is shown, wherever it is shown; what is stored stays as it is. Nothing here throws.
 *
 * @publicApi
 */
export class Redactor {
  private readonly names: ReadonlySet<string>;
  private readonly paths: readonly (readonly string[])[];
  private readonly by: RedactFunction | null;

  /** Throws InvalidOptionError. */
  constructor(given: RedactOption = []) {
    const { keys, by } = partsOf(given);
    const parts = keys.map((key) => key.split('.').map(normalized));
    this.names = new Set(parts.flatMap((path) => (path.length === 1 ? path : [])));
    this.paths = parts.filter((path) => path.length > 1);
    this.by = by;
  }

  /** Whether it needs to see values as a whole, and not key by key. @internal */
  get seesWhole(): boolean {
    return this.by !== null || this.paths.length > 0;
  }

  /** Data as JSON has them, as they may be shown; the same object where nothing is hidden. `path`: see RedactFunction; its last key counts as the key of the value. */
  value(value: unknown, kind: RedactedKind, path = ''): unknown {
    const above = path
      .replaceAll(/\[\d*\]/g, '')
      .split('.')
      .filter((key) => key !== '');
    const isHidden = above.length > 0 && this.isHidden(above.map(normalized), value);
    return this.lastWord(isHidden ? hidden : this.without(value, above.map(normalized), 0), kind, path);
  }

  /** A text, as it may be shown: without passwords in URLs and the like. */
  text(text: string, kind: RedactedKind, path = ''): string {
    const shown = this.lastWord(withoutLogins(text), kind, path);
    return typeof shown === 'string' ? shown : hidden;
  }

  /** Whether the value of such a key is hidden wherever it is. */
  hides(key: string, value: unknown): boolean {
    return this.isNamed(normalized(key), value);
  }

  private without(value: unknown, path: readonly string[], depth: number): unknown {
    if (typeof value === 'string') return withoutLogins(value);
    if (typeof value !== 'object' || value === null || isA(value, Date)) return value;
    if (depth === deepest) return hidden;
    if (Array.isArray(value)) {
      const items = value.map((item) => this.without(item, path, depth + 1));
      return items.every((item, at) => item === value[at]) ? value : items;
    }
    let isWhole = true;
    const shown = Object.entries(value).map(([key, each]) => {
      const at = [...path, normalized(key)];
      const its = this.isHidden(at, each) ? hidden : this.without(each, at, depth + 1);
      isWhole &&= its === each;
      return [key, its] as const;
    });
    return isWhole ? value : Object.fromEntries(shown);
  }

  private isHidden(path: readonly string[], value: unknown): boolean {
    if (this.isNamed(path.at(-1)!, value)) return true;
    if (value === null || value === undefined) return false;
    return this.paths.some((parts) => {
      const from = path.length - parts.length;
      return from >= 0 && parts.every((part, at) => part === '*' || part === path[from + at]);
    });
  }

  private isNamed(name: string, value: unknown): boolean {
    if (value === null || value === undefined) return false;
    if (this.names.has(name)) return true;
    // Whether there is a password says nothing, and a number of tokens is none.
    if (typeof value === 'boolean' || (typeof value === 'number' && name.includes('token'))) return false;
    return usual.test(name);
  }

  private lastWord(value: unknown, kind: RedactedKind, path: string): unknown {
    if (this.by === null) return value;
    try {
      return this.by(value, { kind, path });
    } catch {
      return hidden;
    }
  }
}

/** Where no option says anything. */
export const usualRedactor: Redactor = new Redactor();

function withoutLogins(text: string): string {
  return (text.match(openLogin)?.length ?? 0) > mostLogins ? hidden : withoutPasswords(text);
}

function normalized(key: string): string {
  return key.replaceAll(/[-_]/g, '').toLowerCase();
}

function partsOf(given: unknown): { keys: readonly string[]; by: RedactFunction | null } {
  if (typeof given === 'function') return { keys: [], by: given as RedactFunction };
  if (Array.isArray(given)) return { keys: given.map(checkedKey), by: null };
  if (typeof given !== 'object' || given === null)
    throw new InvalidOptionError('redact', 'must be a list of names of keys, a function, or { keys, by }.');
  refuseUnknown('redact', given, ['keys', 'by']);
  const { keys = [], by = null } = given as { keys?: unknown; by?: unknown };
  if (by !== null && typeof by !== 'function')
    throw new InvalidOptionError('redact.by', 'must be a function (value, { kind, path }) => value.');
  if (!Array.isArray(keys)) throw new InvalidOptionError('redact.keys', 'must be a list of names of keys.');
  return { keys: keys.map(checkedKey), by: by as RedactFunction | null };
}

function checkedKey(key: unknown): string {
  if (typeof key === 'string' && key.split('.').every((part) => /[^\s\-_]/.test(part))) return key;
  throw new InvalidOptionError(
    'redact',
    `names keys, such as "iban" or "customer.taxId", but has ${JSON.stringify(key) ?? typeof key}.`,
  );
}
