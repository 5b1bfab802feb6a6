import type { TableNames } from './table.names.js';

/**
 * What schema version 3 adds. The release before works on it: it leaves `app` null where ours fills it in, and such rows are anybody's, as all of them were. What is there
 * gets its app afterwards, see `fillApps`: nobody could work for as long as that takes with the tables locked.
 */
export function schemaV3(t: TableNames): string[] {
  return [
    // Whose handlers are meant, as it is on runs.
    `alter table ${t.cursor} add column app text`,
    // How long the app of a worker keeps the record; null: of the release before.
    `alter table ${t.worker} add column retention jsonb`,
  ];
}
