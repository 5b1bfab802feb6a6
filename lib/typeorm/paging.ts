import type { Page } from '../model/job.js';

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
