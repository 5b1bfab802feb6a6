import { rankOf } from './rank.fragment.js';
import type { TableNames } from './table.names.js';

/** The tables of schema version 1. Once released, it never changes: later versions add to it. */
export function schemaV1(t: TableNames): string[] {
  return [...definitions(t), ...runs(t), ...record(t), ...cluster(t)];
}

// Ids compare by bytes: the same order in every database and in every adapter.
const idText = 'text collate "C" not null';

/** Cold: written by the sync and by users only. */
function definitions(t: TableNames): string[] {
  return [
    `create table ${t.job} (
      uid bigint generated always as identity primary key,
      namespace ${idText},
      id ${idText},
      name text,
      source text not null,
      app text,
      generation integer not null,
      handler text not null,
      queue text not null,
      priority smallint not null,
      trigger json not null,
      trigger_type text not null,
      time_zone text not null,
      payload json not null,
      metadata jsonb not null,
      policies json not null,
      definition_hash text not null,
      paused_at timestamptz,
      paused_reason text,
      paused_by text,
      undeclared_since timestamptz,
      orphaned_at timestamptz,
      open_gap bigint,
      fired integer not null,
      fired_until timestamptz,
      revision integer not null,
      created_at timestamptz not null,
      updated_at timestamptz not null
    )`,
    `create unique index ${t.index('job_key')} on ${t.job} (namespace, id)`,
    `create index ${t.index('job_declared')} on ${t.job} (app) where source = 'code'`,
    `create index ${t.index('job_metadata')} on ${t.job} using gin (metadata jsonb_path_ops)`,
    `create table ${t.pause} (
      kind text not null,
      name text collate "C" not null,
      paused_at timestamptz not null,
      paused_reason text,
      paused_by text
    )`,
    `create unique index ${t.index('pause_scope')} on ${t.pause} (kind, name)`,
    // The handler comes first: a worker finds its own due cursors however many are due that it cannot fire.
    `create table ${t.cursor} (
      job_uid bigint primary key,
      namespace ${idText},
      handler text not null,
      queue text not null,
      next_at timestamptz not null,
      delay_ms bigint,
      revision integer not null,
      fired integer not null,
      fired_until timestamptz
    ) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05)`,
    `create index ${t.index('cursor_due')} on ${t.cursor} (handler, next_at)`,
    `create table ${t.job_stat} (
      job_uid bigint primary key,
      run_count bigint not null default 0,
      error_count bigint not null default 0,
      consecutive_failures integer not null default 0,
      last_run_at timestamptz,
      last_verdict text,
      last_error text
    ) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05)`,
  ];
}

/**
 * Hot. A one-off is a row here and nothing else, so the row carries what a job has; a recurring job's runs have null there.
 * `keyed`: the row holds its job's id. For a recurring job a row of origin `reserved`, never due, does, so that one
 * unique index decides for both kinds. `lifted`: levels of priority that the janitor adds while the run is overdue. `dead_of` in place of `job_uid`: a recurring job's run that gave up, in nobody's way.
 *
 * A claim changes no column that is in an index, and more than half of a page is left empty, so that it writes no index (a heap-only update): with half of it, one run in
 * fourteen found no room, as a claimed run is longer than a waiting one. What is claimed stays in the
 * index of claims, between what is due, until it is settled; what takes longer is `parked_by` its worker, and out of the way. What is born in a worker's hands is so from the start.
 *
 * What an update has to read, as it is in an index, comes first, and before it only what has a fixed length and is never null: PostgreSQL finds such a column at once, and
 * the others by walking over all before them. What a claim changes is together, as the log has all from the first to the last of these.
 *
 * `blocked`: waits for the end of all runs of its job that are marked `blocks`; `held_due_at` has its time until then.
 */
function runs(t: TableNames): string[] {
  return [
    `create table ${t.run} (
      id bigint generated always as identity primary key,
      nominal_at timestamptz not null,
      missed integer not null default 0,
      lost_count integer not null default 0,
      priority smallint not null,
      lifted smallint not null default 0,
      keyed boolean not null,
      held boolean not null default false,
      blocked boolean not null default false,
      blocks boolean not null default false,
      cancel_requested boolean not null default false,
      last_attempt boolean not null default false,
      attempt integer not null default 0,
      fence integer not null default 0,
      due_at timestamptz,
      job_uid bigint,
      started_at timestamptz,
      worker text,
      queue text not null,
      handler text not null,
      namespace ${idText},
      job_id ${idText},
      origin text not null,
      held_due_at timestamptz,
      deferred_until timestamptz,
      parked_by text,
      claimed_handler text,
      claimed_queue text,
      retry_of bigint,
      dead_of bigint,
      verdict text,
      finished_at timestamptz,
      keep_until timestamptz,
      last_error text,
      name text,
      source text,
      app text,
      trigger json,
      time_zone text,
      payload json,
      metadata jsonb,
      policies json,
      definition_hash text,
      paused_at timestamptz,
      paused_reason text,
      paused_by text,
      revision integer,
      created_at timestamptz,
      updated_at timestamptz,
      run_count integer not null default 0,
      error_count integer not null default 0,
      consecutive_failures integer not null default 0,
      last_run_at timestamptz,
      last_verdict text
    ) with (fillfactor = 45, autovacuum_vacuum_scale_factor = 0.05)`,
    // A job has few runs at a time. What the server counts by itself depends on the moment, so that it would plan the firing anew most of the time, and for too many.
    `alter table ${t.run} alter column job_uid set (n_distinct = -1)`,
    `create unique index ${t.index('run_key')} on ${t.run} (namespace, job_id) where keyed`,
    `create index ${t.index('run_claim')} on ${t.run} (queue, (${rankOf()}), due_at)
      where due_at is not null and parked_by is null`,
    `create index ${t.index('run_parked')} on ${t.run} (parked_by) where parked_by is not null`,
    `create index ${t.index('run_cancelled')} on ${t.run} (id) where cancel_requested`,
    `create index ${t.index('run_job')} on ${t.run} (job_uid) where job_uid is not null`,
    `create index ${t.index('run_detached')} on ${t.run} (namespace, job_id) where not keyed and job_uid is null`,
    `create index ${t.index('run_dead')} on ${t.run} (dead_of, id) where dead_of is not null`,
    `create index ${t.index('run_ended')} on ${t.run} (id) where verdict is not null`,
    `create index ${t.index('run_blocked')} on ${t.run} (job_uid) where blocked`,
    // Of one-offs that have any: others would pay for it at each claim.
    `create index ${t.index('run_metadata')} on ${t.run} using gin (metadata jsonb_path_ops)
      where keyed and metadata <> '{}'`,
    // No predicate on `worker`: claims would have to write this index.
    `create index ${t.index('run_deferred')} on ${t.run} (handler, queue, deferred_until)
      where deferred_until is not null`,
    `create index ${t.index('run_kept')} on ${t.run} (keep_until) where keep_until is not null`,
  ];
}

/** Append-only; old days of the ledger are dropped as a whole. */
function record(t: TableNames): string[] {
  return [
    `create table ${t.attempt} (
      run_id bigint not null,
      job_uid bigint,
      namespace ${idText},
      job_id ${idText},
      handler text not null,
      queue text not null,
      origin text not null,
      nominal_at timestamptz not null,
      attempt integer not null,
      fence integer not null,
      worker text,
      outcome text not null,
      final boolean not null,
      started_at timestamptz,
      finished_at timestamptz not null,
      error text,
      result json,
      retry_of bigint
    ) partition by range (finished_at)`,
    `create index ${t.index('attempt_job')} on ${t.attempt} (namespace, job_id, finished_at)`,
    `create index ${t.index('attempt_run')} on ${t.attempt} (run_id)`,
    `create index ${t.index('attempt_time')} on ${t.attempt} (finished_at)`,
    `create table ${t.qualified('attempt_default')} partition of ${t.attempt} default`,
    `create table ${t.gap} (
      id bigint generated always as identity primary key,
      job_uid bigint not null,
      namespace ${idText},
      job_id ${idText},
      from_at timestamptz not null,
      until_at timestamptz,
      verdict text not null,
      count integer not null,
      reason text not null
    )`,
    `create index ${t.index('gap_job')} on ${t.gap} (namespace, job_id, id)`,
    `create index ${t.index('gap_until')} on ${t.gap} (verdict, until_at) where until_at is not null`,
  ];
}

function cluster(t: TableNames): string[] {
  return [
    `create table ${t.worker} (
      id text primary key,
      name text not null,
      app text not null,
      generation integer,
      host text not null,
      pid integer not null,
      version text not null,
      zone_data text not null,
      queues text[] not null,
      handlers text[] not null,
      started_at timestamptz not null,
      lease_until timestamptz not null,
      released_at timestamptz,
      running integer not null default 0
    ) with (fillfactor = 50)`,
    `create table ${t.release} (
      generation integer generated always as identity primary key,
      app text not null,
      set_hash text not null,
      declared text[] not null,
      first_seen timestamptz not null,
      unique (app, set_hash)
    )`,
    `create table ${t.lock} (
      key text collate "C" primary key,
      owner text,
      fence bigint not null,
      expires_at timestamptz not null
    ) with (fillfactor = 50)`,
  ];
}
