import type { TableNames } from '../sql/table.names.js';
import { bySql } from './check.js';
import type { Finding } from './diagnosis.js';
import { expectedSchema, type SchemaContent } from './expected.schema.js';

/** Columns that are filled in with something else than the migrations say, where a row leaves them out. */
export function defaultFindings(found: SchemaContent, t: TableNames): Finding[] {
  const expected = expectedSchema(t);
  return [...found.defaults].flatMap(([table, actual]) =>
    [...actual].flatMap(([column, is]): Finding[] => {
      // What somebody has added has findings of its own, and how an identity is made does not matter.
      const isOwn = expected.columns.get(table)?.some((text) => text.startsWith(`${column} `)) ?? false;
      if (!isOwn || expected.filled.get(table)!.get(column) === 'identity') return [];
      const was = expected.defaults.get(table)!.get(column);
      if (was === is) return [];
      const place = t.qualified(table);
      const evidence = { table: place, column, expected: was ?? null, actual: is };
      const change = `alter table ${place} alter column ${column}`;
      return [
        was === undefined
          ? {
              code: 'doctor.column-drift',
              severity: 'warning',
              sentence: `Somebody has given the column ${place}.${column} the default ${is}: rows that leave it out get that, and have nothing there as Chronis makes it.`,
              evidence,
              repair: bySql(`${change} drop default;`),
            }
          : {
              code: 'doctor.column-drift',
              severity: 'error',
              sentence: `Somebody has changed the default of the column ${place}.${column}: rows that leave it out get ${is}, and not ${was}.`,
              evidence,
              repair: bySql(`${change} set ${expected.filling.get(`${table}.${column}`)!};`),
            },
      ];
    }),
  );
}
