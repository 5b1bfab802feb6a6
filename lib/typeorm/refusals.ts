import { sqlStateOf } from './sql.errors.js';

/**
 * Classes of SQLSTATE by which the server refuses what a statement does to some row: a value, a constraint, a trigger, a limit. All others are about the server, the connection, the time or
 * the rights, and so about every row.
 */
const ofRows = new Set(['09', '21', '22', '23', '27', '38', '39', '44', '54', 'P0']);
/** Where so many are refused one by one, and nothing gets through, no row is to blame. */
const mostInVain = 16;

/** Whether it may be a single row for which the server refuses the statement. Nothing was done then. */
export function isRefusal(error: unknown): boolean {
  return ofRows.has((sqlStateOf(error) ?? '').slice(0, 2));
}

/** What came of the parts, and what was refused alone. */
export interface Divided<Item, Result> {
  results: Result[];
  refused: { item: Item; error: unknown }[];
}

/** Does the work in halves, as the server has refused it for all: what it is about stands alone in the end, and the rest is done. */
export async function inHalves<Item, Result>(
  items: readonly Item[],
  work: (items: readonly Item[]) => Promise<Result>,
): Promise<Divided<Item, Result>> {
  const divided: Divided<Item, Result> = { results: [], refused: [] };
  const attempt = async (some: readonly Item[]): Promise<void> => {
    if (some.length === 0) return;
    try {
      divided.results.push(await work(some));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (some.length > 1) return divide(some);
      divided.refused.push({ item: some[0]!, error });
      if (divided.results.length === 0 && divided.refused.length === mostInVain) throw error;
    }
  };
  const divide = async (some: readonly Item[]): Promise<void> => {
    const half = Math.ceil(some.length / 2);
    await attempt(some.slice(0, half));
    await attempt(some.slice(half));
  };
  await (items.length > 1 ? divide(items) : attempt(items));
  return divided;
}
