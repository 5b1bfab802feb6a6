import type { TableNames } from './table.names.js';

/** What schema version 3 adds. The release before works on it: it leaves `app` null where ours fills it in, and such rows are anybody's, as all of them were. */
export function schemaV3(t: TableNames): string[] {
  return [...appOfHandlers(t), ...retention(t)];
}

/** Whose handlers are meant, on the rows by which work is found. */
function appOfHandlers(t: TableNames): string[] {
  return [
    `alter table ${t.cursor} add column app text`,
    `update ${t.cursor} c set app = j.app from ${t.job} j where j.uid = c.job_uid and j.app is not null`,
    `update ${t.run} r set app = j.app from ${t.job} j where j.uid = coalesce(r.job_uid, r.dead_of) and j.app is not null`,
  ];
}

/** How long the app of a worker keeps the record; null: of the release before. */
function retention(t: TableNames): string[] {
  return [`alter table ${t.worker} add column retention jsonb`];
}
