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
    // How long its lease is, so that one is known that was renewed while the clock was ahead, and how far that was then: what it had claimed may be due as late as that.
    `alter table ${t.worker} add column lease_ms double precision, add column reached timestamptz`,
    `alter table ${t.lock} add column lease_ms double precision`,
    // What the code of live workers declares. A set of the release before has no more than the ids in `declared`, and no place.
    `alter table ${t.release} add column declarations json, add column place bigint, add column synced_beside text, add column outranked json`,
    // Why a declared job does not fire; null, of an orphan of the release before: nobody declares it.
    `alter table ${t.job} add column orphaned_reason text, add column previous_ids text[] not null default '{}'`,
    // What was changed at run time of a declared job, under which hash: it is void under another one, as the release before has written the whole definition then.
    `alter table ${t.job} add column changed json`,
    `create index ${t.index('job_changed')} on ${t.job} (app) where changed is not null`,
    // The head of a backfill that runs one after the other, and what else waits beside it, however long it is.
    `create index ${t.index('run_backfill')} on ${t.run} (job_uid, id) where origin = 'backfill' and blocks and verdict is null`,
    `create index ${t.index('run_waiting')} on ${t.run} (job_uid) where blocked and origin <> 'backfill'`,
    `create index ${t.index('worker_alive')} on ${t.worker} (app) where released_at is null`,
    ...identities(t),
  ];
}

/** Under a publication for all tables nothing is changed or deleted in a table whose rows have no identity. What the parent has does not hold for its partitions. */
function identities(t: TableNames): string[] {
  const days = `select inhrelid::regclass from pg_inherits where inhparent = '${t.attempt}'::regclass`;
  return [
    `alter table ${t.pause} add primary key using index ${t.index('pause_scope')}`,
    `alter table ${t.attempt} replica identity full`,
    // In one line, as whoever runs the script may part it where lines end.
    `do $$ declare day regclass; begin for day in ${days} loop execute format('alter table %s replica identity full', day); end loop; end $$`,
  ];
}
