import type { TableNames } from './table.names.js';

/**
 * The tables of workflows. Steps are rows beside `run`, and have one there once they are released: a step that waits for weeks is in no index of claims, and the state of a workflow
 * outlives the runs.
 *
 * Counters of parents are kept on the child (`ok`, `bad`, `skipped` of `parents`), so that the end of a parent costs the same however many others there are; those of a map on the map (`items…`). What is updated is in no
 * index, so these updates are heap-only.
 */
export function flowTables(t: TableNames): string[] {
  return [
    `create table ${t.flow} (
      id bigint generated always as identity primary key,
      run_id bigint not null,
      active integer not null,
      steps integer not null default 0,
      version integer,
      depth smallint not null,
      parent bigint,
      root bigint,
      retry_of bigint,
      first_run bigint,
      job_uid bigint,
      opened_at timestamptz not null,
      ended_at timestamptz,
      paused_at timestamptz,
      ending_at timestamptz,
      retry_at timestamptz,
      verdict text,
      nominal_at timestamptz not null,
      deadline_ms double precision,
      workflow text collate "C" not null,
      namespace text collate "C" not null,
      app text,
      time_zone text not null,
      params json not null,
      ending json
    ) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05)`,
    `create unique index ${t.index('flow_run')} on ${t.flow} (run_id)`,
    `create index ${t.index('flow_first_run')} on ${t.flow} (first_run) where first_run is not null`,
    `create index ${t.index('flow_parent')} on ${t.flow} (parent) where parent is not null`,
    `create index ${t.index('flow_workflow')} on ${t.flow} (namespace, workflow, run_id)`,
    // By what pins a version of a definition.
    `create index ${t.index('flow_version')} on ${t.flow} (workflow, version) where version is not null`,
    `create index ${t.index('flow_active')} on ${t.flow} (run_id) where ended_at is null`,
    `create index ${t.index('flow_ended')} on ${t.flow} (ended_at) where ended_at is not null`,
    `create table ${t.flow_step} (
      id bigint generated always as identity primary key,
      flow bigint not null,
      map_of bigint,
      added_by bigint,
      nth integer not null default -1,
      parents integer not null,
      need integer not null,
      ok integer not null default 0,
      bad integer not null default 0,
      skipped integer not null default 0,
      items integer,
      items_ok integer not null default 0,
      items_bad integer not null default 0,
      result_size integer not null default 0,
      run_id bigint,
      released_at timestamptz,
      ended_at timestamptz,
      verdict text,
      priority smallint not null,
      allow_failure boolean not null,
      is_map boolean not null,
      delay_ms double precision not null,
      deadline_ms double precision,
      name text collate "C" not null,
      otherwise text not null,
      kind text not null,
      handler text not null,
      queue text not null,
      policies json not null,
      payload json,
      reason text,
      result json
    ) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05)`,
    `create unique index ${t.index('flow_step_key')} on ${t.flow_step} (flow, name, nth)`,
    // Instances of a map behind it.
    `create index ${t.index('flow_step_place')} on ${t.flow_step} (flow, (coalesce(map_of, id)), nth)`,
    `create table ${t.flow_edge} (
      parent bigint not null,
      child bigint not null,
      data boolean not null,
      primary key (parent, child)
    )`,
    `create index ${t.index('flow_edge_child')} on ${t.flow_edge} (child)`,
  ];
}
