import { flowTables } from './flow.tables.fragment.js';
import { historyTables } from './history.fragment.js';
import type { TableNames } from './table.names.js';
import { viewStatements } from './views.sql.js';

/** What schema version 4 adds. The release before works on it: it takes an open run for one that was snoozed until its deadline, and executes it then. */
export function schemaV4(t: TableNames, from: number): string[] {
  return [
    // Runs that stay open: by which claim, and since when.
    `alter table ${t.run} add column opened_fence integer, add column opened_at timestamptz`,
    // Runs that wait for a signal: by which claim, and which was to sleep when one had come.
    `alter table ${t.run} add column awaiting_fence integer, add column signalled_fence integer`,
    // Not a row of them is touched by runs without durable steps.
    `create table ${t.run_step} (
      run_id bigint not null,
      name text not null,
      kind text not null default 'step',
      position integer,
      attempt integer not null,
      started_at timestamptz not null,
      finished_at timestamptz,
      ended integer,
      wait_until timestamptz,
      signal text,
      timed_out boolean not null default false,
      failures integer not null default 0,
      error text,
      result json,
      primary key (run_id, name)
    )`,
    `create index ${t.index('run_step_time')} on ${t.run_step} ((coalesce(finished_at, started_at)))`,
    `create table ${t.run_signal} (
      id bigint generated always as identity primary key,
      run_id bigint not null,
      name text not null,
      sent_at timestamptz not null,
      payload json not null
    )`,
    `create index ${t.index('run_signal_run')} on ${t.run_signal} (run_id, name, id)`,
    `create index ${t.index('run_signal_time')} on ${t.run_signal} (sent_at)`,
    // One-offs that wait for others. Not a row of them is touched by runs that nothing waits for.
    `create table ${t.run_wait} (
      child bigint not null,
      nth integer not null,
      parent bigint not null,
      parent_id text collate "C" not null,
      verdict text,
      gone boolean not null default false,
      primary key (child, nth)
    ) with (fillfactor = 60)`,
    `create index ${t.index('run_wait_parent')} on ${t.run_wait} (parent)`,
    // Beside what runs: written by users and by the start of processes only.
    `create table ${t.definition} (
      id bigint generated always as identity primary key,
      namespace text collate "C" not null,
      name text collate "C" not null,
      version integer not null,
      kind text not null,
      app text not null,
      source text not null,
      spec json not null,
      params_schema json,
      hash text not null,
      created_at timestamptz not null,
      created_by text,
      deleted_at timestamptz
    )`,
    `create unique index ${t.index('definition_version')} on ${t.definition} (namespace, name, version)`,
    `create index ${t.index('definition_deleted')} on ${t.definition} (deleted_at) where deleted_at is not null`,
    // Of runs of steps of workflows, and of those that are workflows: null for all others, which pay nothing for them.
    `alter table ${t.run} add column flow_step bigint, add column flow bigint`,
    ...flowTables(t),
    ...historyTables(t),
    // Before version 3 there are none, and one of that name is somebody else's.
    ...viewStatements(t, from < 3 ? 'create view' : 'create or replace view'),
  ];
}
