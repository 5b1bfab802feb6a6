import { commentsOfTable, commentStatements } from './comments.sql.js';
import type { TableNames } from './table.names.js';

/** The version that has comments of all that is older. */
const commentsSince = 4;

const changed = [
  'run',
  'flow',
  'flow_history',
  'attempt',
  'worker',
  'flow',
  'run_step',
  'run_signal',
  'audit',
  'run_log',
  'run_progress',
  'pause_end',
  'overdue',
  'bulk_action',
  'stat_minute',
  'stat_hour',
  'stat_day',
] as const;

/** What schema version 6 adds, for those who operate it. The release before works on it: it leaves null what it does not know. */
export function schemaV6(t: TableNames, from: number): string[] {
  return [
    // How each worker is, as it tells with its beats.
    `alter table ${t.worker} add column slots integer, add column clock_offset_ms double precision, add column loop_lag_ms double precision, add column given_up text[]`,
    // Which step it is, whatever run it has: null of those that the release before opens.
    `alter table ${t.flow} add column place text collate "C"`,
    `alter table ${t.flow_history} add column place text collate "C"`,
    // What is kept for the retry of a workflow when its run is gone: null for all others.
    `alter table ${t.run_step} add column flow_step bigint`,
    `alter table ${t.run_signal} add column flow_step bigint`,
    // Of which traces runs are a part: null for all that are in none.
    `alter table ${t.run} add column trace_parent text, add column last_trace text`,
    `alter table ${t.flow} add column trace text`,
    `alter table ${t.flow_history} add column trace text`,
    ...fingerprints(t),
    ...audit(t),
    ...runLogs(t),
    ...runProgress(t),
    ...pauseEnds(t),
    ...overdue(t),
    ...bulkActions(t),
    ...statTables(t),
    ...(from < commentsSince ? commentStatements(t) : changed.flatMap((table) => commentsOfTable(t, table))),
  ];
}

/** What failures have in common. Nothing but failures is in these indexes: who succeeds writes none of them. */
function fingerprints(t: TableNames): string[] {
  return [
    `alter table ${t.run} add column last_fingerprint text`,
    `alter table ${t.attempt} add column error_fingerprint text`,
    `create index ${t.index('attempt_failed')} on ${t.attempt} (finished_at) where error_fingerprint is not null`,
    `create index ${t.index('attempt_fingerprint')} on ${t.attempt} (error_fingerprint, finished_at) where error_fingerprint is not null`,
  ];
}

/** Who has asked for what. It is written at the rate of people, and read in many ways: newest first, by what it was about or by who it was. */
function audit(t: TableNames): string[] {
  const newest = 'at desc, id desc';
  return [
    `create table ${t.audit} (
      id bigint generated always as identity primary key,
      at timestamptz not null,
      action text not null,
      actor text not null,
      note text,
      request_id text,
      namespace text collate "C",
      job_id text collate "C",
      run_id bigint,
      scope_kind text,
      scope_name text,
      details json,
      count integer not null,
      batch text,
      request_key text collate "C",
      request json
    )`,
    `create index ${t.index('audit_time')} on ${t.audit} (${newest})`,
    `create index ${t.index('audit_namespace')} on ${t.audit} (namespace, ${newest})`,
    `create index ${t.index('audit_job')} on ${t.audit} (namespace, job_id, ${newest}) where job_id is not null`,
    `create index ${t.index('audit_run')} on ${t.audit} (run_id, ${newest}) where run_id is not null`,
    `create index ${t.index('audit_actor')} on ${t.audit} (actor, ${newest})`,
    `create index ${t.index('audit_action')} on ${t.audit} (action, ${newest})`,
    `create unique index ${t.index('audit_batch')} on ${t.audit} (batch) where batch is not null`,
    `create unique index ${t.index('audit_request')} on ${t.audit} (request_key, actor) where request_key is not null`,
  ];
}

/** What runs have logged, a row for all that was written of an attempt at once: found by the run, and forgotten by its age. */
function runLogs(t: TableNames): string[] {
  return [
    `create table ${t.run_log} (
      run_id bigint not null,
      fence integer not null,
      part integer not null,
      attempt integer not null,
      at timestamptz not null,
      line_count integer not null,
      bytes integer not null,
      dropped integer not null,
      lines json not null,
      primary key (run_id, fence, part)
    )`,
    `create index ${t.index('run_log_time')} on ${t.run_log} (at)`,
  ];
}

/** How far runs are. Rows are written anew as long as the run goes on: no index but the key, and room in the page, so that each stays in its place. */
function runProgress(t: TableNames): string[] {
  return [
    `create table ${t.run_progress} (
      run_id bigint primary key,
      fence integer not null,
      attempt integer not null,
      at timestamptz not null,
      fraction double precision not null,
      details json
    ) with (fillfactor = 50)`,
  ];
}

/**
 * The tables of pauses stay as the release before knows them. It resumes and deletes without a look at this one: an end holds for the pause of that very moment alone. The second index has what is
 * paused of the jobs, so that those that were forgotten are found without reading the others.
 */
function pauseEnds(t: TableNames): string[] {
  return [
    `create table ${t.pause_end} (
      kind text collate "C" not null,
      namespace text collate "C" not null,
      name text collate "C" not null,
      paused_at timestamptz not null,
      until_at timestamptz not null,
      primary key (kind, namespace, name)
    )`,
    `create index ${t.index('pause_end_until')} on ${t.pause_end} (until_at) where until_at < 'infinity'`,
    `create index ${t.index('job_paused')} on ${t.job} (paused_at) where paused_at is not null`,
  ];
}

/** What was told as overdue; the index has the few jobs that can be. */
function overdue(t: TableNames): string[] {
  return [
    `create table ${t.overdue} (
      namespace text collate "C" not null,
      job_id text collate "C" not null,
      due_at timestamptz not null,
      late_after_ms double precision not null,
      primary key (namespace, job_id, due_at)
    )`,
    `create index ${t.index('job_late')} on ${t.job} (uid) where json_typeof(policies->'lateAfterMs') = 'number'`,
  ];
}

/** Changes of many, each written once for each of its steps: no index has what changes. */
function bulkActions(t: TableNames): string[] {
  return [
    `create table ${t.bulk_action} (
      id text collate "C" primary key,
      tenant text collate "C",
      action text not null,
      filter json not null,
      expected bigint not null,
      asked text not null,
      actor text,
      owner text not null,
      lease_until timestamptz not null,
      abort_requested boolean not null default false,
      state text not null default 'running',
      matched bigint not null default 0,
      changed bigint not null default 0,
      failed json not null default '[]',
      problem json,
      created_at timestamptz not null,
      ended_at timestamptz
    )`,
    `create index ${t.index('bulk_action_time')} on ${t.bulk_action} (created_at, id)`,
  ];
}

/** What the ledger comes to. Rows that are young are written anew, each time with more in it, without touching the key. */
function statTables(t: TableNames): string[] {
  return [
    `create table ${t.stat_minute} (
      start_at timestamptz not null,
      namespace text collate "C" not null,
      queue text collate "C" not null,
      handler text collate "C" not null,
      verdict text collate "C" not null,
      runs bigint not null,
      attempts bigint not null,
      duration_ms bigint not null,
      longest_ms bigint not null,
      lateness bigint[] not null,
      primary key (start_at, namespace, queue, handler, verdict)
    ) with (fillfactor = 70)`,
    `create table ${t.stat_hour} (
      start_at timestamptz not null,
      namespace text collate "C" not null,
      queue text collate "C" not null,
      handler text collate "C" not null,
      verdict text collate "C" not null,
      runs bigint not null,
      attempts bigint not null,
      duration_ms bigint not null,
      longest_ms bigint not null,
      lateness bigint[] not null,
      primary key (start_at, namespace, queue, handler, verdict)
    ) with (fillfactor = 70)`,
    `create table ${t.stat_day} (
      start_at timestamptz not null,
      namespace text collate "C" not null,
      queue text collate "C" not null,
      handler text collate "C" not null,
      verdict text collate "C" not null,
      runs bigint not null,
      attempts bigint not null,
      duration_ms bigint not null,
      longest_ms bigint not null,
      lateness bigint[] not null,
      primary key (start_at, namespace, queue, handler, verdict)
    ) with (fillfactor = 70)`,
  ];
}
