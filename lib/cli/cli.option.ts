import type { JsonValue } from '../index.js';
import { UsageError } from './cli.errors.js';

/** An option of the command line, and the variable that may stand for it. */
export interface CliOption<T = unknown> {
  /** As it is shown and parsed: `--storage <where>`. */
  flags: string;
  help: string;
  /** null: it is for one call, so no variable has it. */
  variable: string | null;
  /** In words; null: it has none. */
  default: string | null;
  /** It may be given several times. */
  repeats: boolean;
  /** What it may be, where that is one of several words. */
  words?: readonly string[];
  /** Where nobody has given it. */
  absent: T;
  /** `name`: how it was given, by the flag or by the variable. Throws UsageError. */
  read(given: string, name: string): T;
}

export type CliOptions = Readonly<Record<string, CliOption>>;
export type CliValues<O> = { readonly [K in keyof O]: O[K] extends CliOption<infer T> ? T : never };

interface Given<T> {
  variable?: string;
  /** Where nobody has given it. */
  absent?: T;
  /** The default in words, where `absent` does not say it. */
  default?: string;
}

/** `--flag`. */
export function flag(flags: string, help: string, { variable }: Given<boolean> = {}): CliOption<boolean> {
  return {
    ...base(flags, help, variable),
    absent: false,
    read: (given, name) => {
      if (['true', '1', 'yes'].includes(given)) return true;
      if (['false', '0', 'no', ''].includes(given)) return false;
      throw new UsageError(`${name}: must be true or false, but is "${given}".`);
    },
  };
}

/** `--name <text>`. */
export function text(
  flags: string,
  help: string,
  { variable, default: words }: Given<string> = {},
): CliOption<string | undefined> {
  return {
    ...base(flags, help, variable, words),
    absent: undefined,
    read: (given, name) => {
      if (given.trim() === '') throw new UsageError(`${name}: is empty.`);
      return given;
    },
  };
}

/** `--count <number>`: a whole number. */
export function whole<T extends number | undefined>(
  flags: string,
  help: string,
  { least, most, absent, variable }: Given<T> & { least: number; most: number; absent: T },
): CliOption<T | number> {
  return {
    ...base(flags, help, variable, absent === undefined ? undefined : String(absent)),
    absent,
    read: (given, name) => {
      const value = Number(given);
      if (/^\d+$/.test(given) && value >= least && value <= most) return value;
      throw new UsageError(`${name}: must be a whole number from ${least} to ${most}, but is "${given}".`);
    },
  };
}

/** `--level <level>`: one of several words, in any case. */
export function choice<W extends string, T extends W | undefined>(
  flags: string,
  help: string,
  words: readonly W[],
  { absent, variable, default: shown }: Given<T> & { absent: T },
): CliOption<W | T> {
  return {
    ...base(flags, `${help}: ${words.join(', ')}`, variable, shown ?? absent),
    words,
    absent,
    read: (given, name) => {
      const found = words.find((word) => word.toLowerCase() === given.toLowerCase());
      if (found !== undefined) return found;
      throw new UsageError(`${name}: must be one of ${words.join(', ')}, but is "${given}".`);
    },
  };
}

/** `--allow <programs>`: several, with commas between, or given several times. */
export function list(
  flags: string,
  help: string,
  { variable, default: words }: Given<string[]> = {},
): CliOption<string[] | undefined> {
  return {
    ...base(flags, help, variable, words),
    repeats: true,
    absent: undefined,
    read: (given, name) => {
      const items = given.split(',').map((item) => item.trim());
      if (items.every((item) => item !== '')) return items;
      throw new UsageError(`${name}: must be a list with commas between, but is "${given}".`);
    },
  };
}

/** `--payload <json>`. */
export function json(flags: string, help: string): CliOption<JsonValue | undefined> {
  return {
    ...base(flags, help),
    absent: undefined,
    read: (given, name) => {
      try {
        return JSON.parse(given) as JsonValue;
      } catch (cause) {
        throw new UsageError(`${name}: is no JSON: ${(cause as Error).message}.`);
      }
    },
  };
}

function base(
  flags: string,
  help: string,
  variable?: string,
  words?: string,
): Omit<CliOption, 'absent' | 'read'> {
  return { flags, help, variable: variable ?? null, default: words ?? null, repeats: false };
}
