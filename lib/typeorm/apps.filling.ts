import type { Database } from './database.js';
import { endFillingSql } from './sql/end.filling.sql.js';
import { fillAppsSql } from './sql/fill.apps.sql.js';
import type { TableNames } from './sql/table.names.js';

const rowsPerStep = 1_000;
const beforeAll = '-9223372036854775808';
/** In `meta`: there are rows of before schema version 3. */
const mark = 'apps_unfilled';

/** Says, as a part of a migration, that rows are to be filled once it is through. */
export function markUnfilled(t: TableNames): string {
  return `insert into ${t.meta} (key, value) values ('${mark}', 'cursor, run')`;
}

/**
 * Gives cursors and runs of before schema version 3 the app of their jobs, beside everything that works on them: a portion at a time, each committed by itself. What somebody has locked stays
 * anybody's until the next start; the mark in `meta` stays too.
 */
export async function fillApps(
  database: Database,
  t: TableNames,
  meta: ReadonlyMap<unknown, unknown>,
): Promise<void> {
  if (!meta.has(mark)) return;
  for (const table of ['cursor', 'run'] as const) {
    const text = fillAppsSql(t, table);
    let after: string | null = beforeAll;
    while (after !== null) {
      const rows: { last: string | null }[] = await database.run(text, [after, rowsPerStep]);
      after = rows[0]!.last;
    }
  }
  await database.run(endFillingSql(t), [mark]);
}
