import { isOfPartitions, isOfQueue, sqlStateOf } from './sql.errors.js';

/**
 * Classes of SQLSTATE by which the server refuses what a statement does to some row: a value, a constraint, a trigger, a limit. All others are about the server, the connection, the time or
 * the rights, and so about every row.
 */
const ofRows = new Set(['09', '21', '22', '23', '27', '38', '39', '44', '54', 'P0']);
/** Where so many are refused one by one, and nothing gets through, it may be no row that is to blame. */
const mostInVain = 16;

/** Whether it may be a single row for which the server refuses the statement. Nothing was done then. */
export function isRefusal(error: unknown): boolean {
  return ofRows.has((sqlStateOf(error) ?? '').slice(0, 2)) && !isOfQueue(error) && !isOfPartitions(error);
}

/** What came of the parts, and what was refused alone. */
export interface Divided<Item, Result> {
  results: Result[];
  refused: { item: Item; error: unknown }[];
  /** Nothing got through, and the rest was not tried any more. */
  isInVain: boolean;
}

export interface DivisionRules {
  /** Whether one item may be to blame. @default isRefusal */
  isOfOne?: (error: unknown) => boolean;
  /** Whether something got through, though all parts have failed. */
  hasProgress?: () => boolean;
}

/**
 * Does the work; what the server refuses, in halves, so that what it is about stands alone in the end, and the rest is done. At random, so that
 * many in a row keep the others from it by chance only, and not the next time.
 */
export async function inHalves<Item, Result>(
  items: readonly Item[],
  work: (items: readonly Item[]) => Promise<Result>,
  { isOfOne = isRefusal, hasProgress = () => false }: DivisionRules = {},
): Promise<Divided<Item, Result>> {
  const results: Result[] = [];
  const refused: Divided<Item, Result>['refused'] = [];
  const isInVain = (): boolean => results.length === 0 && refused.length >= mostInVain && !hasProgress();
  const divide = async (some: readonly Item[], error: unknown): Promise<void> => {
    if (!isOfOne(error)) throw error;
    if (some.length === 1) return void refused.push({ item: some[0]!, error });
    const half = Math.ceil(some.length / 2);
    await attempt(some.slice(0, half));
    await attempt(some.slice(half));
  };
  const attempt = async (some: readonly Item[]): Promise<void> => {
    if (isInVain()) return;
    try {
      results.push(await work(some));
    } catch (error) {
      await divide(some, error);
    }
  };
  if (items.length === 0) return { results, refused, isInVain: false };
  try {
    results.push(await work(items));
  } catch (error) {
    await divide(shuffled(items), error);
  }
  return { results, refused, isInVain: isInVain() };
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  const drawn = items.map((item) => ({ item, lot: Math.random() }));
  return drawn.sort((a, b) => a.lot - b.lot).map(({ item }) => item);
}
