import type { Actor } from '../index.js';
import { flag, text, whole } from './cli.option.js';

// Options that several commands have.

const mostRows = 1_000;

export const namespaceOption = text('--namespace <name>', 'where the job is', { default: 'default' });

export const pageOptions = {
  limit: whole('--limit <count>', 'how many at most', { least: 1, most: mostRows, absent: 100 }),
  cursor: text('--cursor <text>', 'the next page, as the one before has told'),
};

export const reasonOption = {
  reason: text('--reason <text>', 'why, for those who come to see it'),
};

export const untilOption = {
  until: text('--until <when>', 'when it ends by itself: an instant, or how long it lasts, such as 2h', {
    default: 'until somebody resumes it',
  }),
};

export const dryRunOption = flag('--dry-run', 'only tell what would be done');

/** Without those that are undefined: services refuse conditions that say nothing. */
export function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

/** For people, on stderr: how to get what is left. */
export function moreNote(cursor: string | null): string | null {
  return cursor === null ? null : `There are more: --cursor ${cursor}`;
}

/** One value alone, several as a list. */
export function oneOrMany<T>(values: readonly T[] | undefined): T | T[] | undefined {
  return values === undefined || values.length > 1 ? (values as T[] | undefined) : values[0];
}

/** What is told of a pause. */
export function pausedBy(
  { by }: Actor,
  reason?: string,
  until?: string,
): { reason?: string; by?: string; until?: string } {
  return given({ reason, by, until });
}
