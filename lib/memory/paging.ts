import { InvalidOptionError } from '../model/errors.js';
import type { Page } from '../model/job.js';
import type { PageRequest } from '../ports/storage.adapter.js';

/** Where a row stands in its order; compared part by part. */
type Place = readonly (string | number)[];

/** One page of the rows in the order of their places. The cursor is the place of the last item, so rows may come and go meanwhile. */
export function pageOf<R, T>(
  rows: readonly R[],
  { limit = 100, cursor }: PageRequest,
  placeOf: (row: R) => Place,
  view: (row: R) => T,
): Page<T> {
  const after = cursor === undefined ? null : placeIn(cursor, rows[0] && placeOf(rows[0]));
  const rest = first(
    rows
      .map((row) => ({ row, place: placeOf(row) }))
      .filter(({ place }) => after === null || comparePlaces(place, after) > 0),
    limit + 1,
  );
  const items = rest.slice(0, limit);
  return {
    items: items.map(({ row }) => view(row)),
    cursor: rest.length > items.length ? JSON.stringify(items.at(-1)!.place) : null,
  };
}

/** Cursors come from outside. `example`: a place in the same order. Throws InvalidOptionError. */
function placeIn(cursor: string, example: Place | undefined): Place {
  let place: unknown = null;
  try {
    place = JSON.parse(cursor);
  } catch {
    // Told below.
  }
  const fits =
    Array.isArray(place) &&
    (example === undefined ||
      (place.length === example.length &&
        example.every((part, index) => typeof part === typeof (place as unknown[])[index])));
  if (fits) return place as Place;
  throw new InvalidOptionError('cursor', 'pass on what the previous page had as its cursor.');
}

/** The first `count` in order, without sorting all of them: whoever reads many pages would wait for it at each. */
function first<T extends { place: Place }>(items: readonly T[], count: number): T[] {
  const kept: T[] = [];
  const cut = (): void => {
    kept.sort((a, b) => comparePlaces(a.place, b.place)).splice(count);
  };
  let last: Place | null = null;
  for (const item of items) {
    if (last !== null && comparePlaces(item.place, last) > 0) continue;
    kept.push(item);
    if (kept.length < 2 * count) continue;
    cut();
    last = kept.at(-1)!.place;
  }
  cut();
  return kept;
}

function comparePlaces(a: Place, b: Place): number {
  for (const [index, part] of a.entries()) {
    const other = b[index];
    if (part === other) continue;
    if (typeof part === 'number') return part - Number(other);
    return compareText(part, String(other));
  }
  return 0;
}

/** By code points, as the bytes of UTF-8 compare in databases; `<` compares UTF-16 units, where surrogates come before U+E000. */
function compareText(a: string, b: string): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const difference = rank(a.charCodeAt(index)) - rank(b.charCodeAt(index));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
