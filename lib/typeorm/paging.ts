import { InvalidOptionError } from '../model/errors.js';
import type { Page } from '../model/job.js';
import { isRunId } from './run.id.js';

/** Where a page ended: the values that the rows are ordered by. */
export type PageCursor = (string | number | boolean)[];

/** A page out of one row more than it may have. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  toItem: (row: Row) => Item,
  placeOf: (row: Row) => PageCursor,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(toItem),
    cursor: rows.length > limit && last !== undefined ? JSON.stringify(placeOf(last)) : null,
  };
}

const isOfKind = {
  id: (value: unknown) => typeof value === 'string' && isRunId(value),
  instant: (value: unknown) => typeof value === 'number' && Number.isFinite(value),
  count: (value: unknown) => Number.isInteger(value) && Math.abs(value as number) < 2 ** 31,
  flag: (value: unknown) => typeof value === 'boolean',
  // The one character that PostgreSQL has in no text.
  text: (value: unknown) => typeof value === 'string' && !value.includes('\0'),
};

/** What a value of a cursor is. */
export type PlaceKind = keyof typeof isOfKind;

/** Reads a cursor, which comes from outside: nothing reaches the database that `toPage` has not made. Throws InvalidOptionError. */
export function placeOf(cursor: string, kinds: readonly PlaceKind[]): PageCursor {
  let place: unknown = null;
  try {
    place = JSON.parse(cursor);
  } catch {
    // Told below.
  }
  const fits =
    Array.isArray(place) &&
    place.length === kinds.length &&
    kinds.every((kind, index) => isOfKind[kind]((place as unknown[])[index]));
  if (fits) return place as PageCursor;
  throw new InvalidOptionError('cursor', 'pass on what the previous page had as its cursor.');
}
