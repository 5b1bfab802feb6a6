import type { ReadSchema } from './schema.reading.js';

/** What a fresh schema of this version holds. Made by a test, which says how: test/typeorm/doctor/expected.schema.spec.ts. */
export const expectedSchema: ReadSchema = {
  columns: {
    attempt: list(
      'attempt integer not null, error text, fence integer not null, final boolean not null, finished_at timestamp with time zone not null, handler text not null, job_id text not null, job_uid bigint, namespace text not null, nominal_at timestamp with time zone not null, origin text not null, outcome text not null, queue text not null, result json, retry_of bigint, run_id bigint not null, started_at timestamp with time zone, worker text',
    ),
    binary: list(
      'bytes bytea not null, sha256 text not null, size integer not null, stored_at timestamp with time zone not null, used_at timestamp with time zone not null',
    ),
    cursor: list(
      'app text, delay_ms bigint, fired integer not null, fired_until timestamp with time zone, handler text not null, job_uid bigint not null, namespace text not null, next_at timestamp with time zone not null, queue text not null, revision integer not null',
    ),
    definition: list(
      'app text not null, created_at timestamp with time zone not null, created_by text, deleted_at timestamp with time zone, hash text not null, id bigint not null, kind text not null, name text not null, namespace text not null, params_schema json, source text not null, spec json not null, version integer not null',
    ),
    definition_history: list(
      'app text not null, archived_at timestamp with time zone not null, created_at timestamp with time zone not null, created_by text, deleted_at timestamp with time zone, hash text not null, id bigint not null, kind text not null, name text not null, namespace text not null, params_schema json, source text not null, spec json not null, version integer not null',
    ),
    flow: list(
      'active integer not null, app text, deadline_ms double precision, depth smallint not null, ended_at timestamp with time zone, first_run bigint, id bigint not null, job_uid bigint, namespace text not null, nominal_at timestamp with time zone not null, opened_at timestamp with time zone not null, params json not null, parent bigint, paused_at timestamp with time zone, retry_of bigint, run_id bigint not null, time_zone text not null, verdict text, version integer, workflow text not null',
    ),
    flow_edge: list('child bigint not null, data boolean not null, parent bigint not null'),
    flow_edge_history: list(
      'archived_at timestamp with time zone not null, child bigint not null, data boolean not null, parent bigint not null',
    ),
    flow_history: list(
      'active integer not null, app text, archived_at timestamp with time zone not null, deadline_ms double precision, depth smallint not null, ended_at timestamp with time zone, first_run bigint, id bigint not null, job_uid bigint, namespace text not null, nominal_at timestamp with time zone not null, opened_at timestamp with time zone not null, params json not null, parent bigint, paused_at timestamp with time zone, retry_of bigint, run_id bigint not null, time_zone text not null, verdict text, version integer, workflow text not null',
    ),
    flow_step: list(
      'added_by bigint, allow_failure boolean not null, bad integer not null, deadline_ms double precision, delay_ms double precision not null, ended_at timestamp with time zone, flow bigint not null, handler text not null, id bigint not null, is_map boolean not null, items integer, items_bad integer not null, items_ok integer not null, kind text not null, map_of bigint, name text not null, need integer not null, nth integer not null, ok integer not null, otherwise text not null, parents integer not null, payload json, policies json not null, priority smallint not null, queue text not null, reason text, released_at timestamp with time zone, result json, result_size integer not null, run_id bigint, skipped integer not null, verdict text',
    ),
    flow_step_history: list(
      'added_by bigint, allow_failure boolean not null, archived_at timestamp with time zone not null, bad integer not null, deadline_ms double precision, delay_ms double precision not null, ended_at timestamp with time zone, flow bigint not null, handler text not null, id bigint not null, is_map boolean not null, items integer, items_bad integer not null, items_ok integer not null, kind text not null, map_of bigint, name text not null, need integer not null, nth integer not null, ok integer not null, otherwise text not null, parents integer not null, payload json, policies json not null, priority smallint not null, queue text not null, reason text, released_at timestamp with time zone, result json, result_size integer not null, run_id bigint, skipped integer not null, verdict text',
    ),
    gap: list(
      'count integer not null, from_at timestamp with time zone not null, id bigint not null, job_id text not null, job_uid bigint not null, namespace text not null, reason text not null, until_at timestamp with time zone, verdict text not null',
    ),
    job: list(
      'app text, changed json, created_at timestamp with time zone not null, definition_hash text not null, fired integer not null, fired_until timestamp with time zone, generation integer not null, handler text not null, id text not null, metadata jsonb not null, name text, namespace text not null, open_gap bigint, orphaned_at timestamp with time zone, orphaned_reason text, paused_at timestamp with time zone, paused_by text, paused_reason text, payload json not null, policies json not null, previous_ids text[] not null, priority smallint not null, queue text not null, revision integer not null, source text not null, time_zone text not null, trigger json not null, trigger_type text not null, uid bigint not null, undeclared_since timestamp with time zone, updated_at timestamp with time zone not null',
    ),
    job_stat: list(
      'consecutive_failures integer not null, error_count bigint not null, job_uid bigint not null, last_error text, last_run_at timestamp with time zone, last_verdict text, run_count bigint not null',
    ),
    lock: list(
      'expires_at timestamp with time zone not null, fence bigint not null, key text not null, lease_ms double precision, owner text',
    ),
    meta: list('key text not null, value text not null'),
    pause: list(
      'kind text not null, name text not null, paused_at timestamp with time zone not null, paused_by text, paused_reason text',
    ),
    release: list(
      'app text not null, declarations json, declared text[] not null, first_seen timestamp with time zone not null, generation integer not null, outranked json, place bigint, set_hash text not null, synced_beside text',
    ),
    run: list(
      'app text, attempt integer not null, awaiting_fence integer, blocked boolean not null, blocks boolean not null, cancel_requested boolean not null, claimed_handler text, claimed_queue text, consecutive_failures integer not null, created_at timestamp with time zone, dead_of bigint, deferred_until timestamp with time zone, definition_hash text, due_at timestamp with time zone, error_count integer not null, fence integer not null, finished_at timestamp with time zone, flow bigint, flow_step bigint, handler text not null, held boolean not null, held_due_at timestamp with time zone, id bigint not null, job_id text not null, job_uid bigint, keep_until timestamp with time zone, keyed boolean not null, last_attempt boolean not null, last_error text, last_run_at timestamp with time zone, last_verdict text, lifted smallint not null, lost_count integer not null, metadata jsonb, missed integer not null, name text, namespace text not null, nominal_at timestamp with time zone not null, opened_at timestamp with time zone, opened_fence integer, origin text not null, parked_by text, paused_at timestamp with time zone, paused_by text, paused_reason text, payload json, policies json, priority smallint not null, queue text not null, retry_of bigint, revision integer, run_count integer not null, signalled_fence integer, source text, started_at timestamp with time zone, time_zone text, trigger json, updated_at timestamp with time zone, verdict text, worker text',
    ),
    run_signal: list(
      'id bigint not null, name text not null, payload json not null, run_id bigint not null, sent_at timestamp with time zone not null',
    ),
    run_step: list(
      'attempt integer not null, ended integer, error text, failures integer not null, finished_at timestamp with time zone, kind text not null, name text not null, position integer, result json, run_id bigint not null, signal text, started_at timestamp with time zone not null, timed_out boolean not null, wait_until timestamp with time zone',
    ),
    run_wait: list(
      'child bigint not null, gone boolean not null, nth integer not null, parent bigint not null, parent_id text not null, verdict text',
    ),
    worker: list(
      'app text not null, generation integer, handlers text[] not null, host text not null, id text not null, lease_ms double precision, lease_until timestamp with time zone not null, name text not null, pid integer not null, queues text[] not null, reached timestamp with time zone, released_at timestamp with time zone, retention jsonb, running integer not null, started_at timestamp with time zone not null, version text not null, zone_data text not null',
    ),
  },
  indexes: {
    attempt_job: 'attempt btree (namespace, job_id, finished_at)',
    attempt_run: 'attempt btree (run_id)',
    attempt_time: 'attempt btree (finished_at)',
    binary_pkey: 'unique binary btree (sha256)',
    binary_used: 'binary btree (used_at)',
    cursor_due: 'cursor btree (handler, next_at)',
    cursor_pkey: 'unique cursor btree (job_uid)',
    definition_deleted: 'definition btree (deleted_at) WHERE (deleted_at IS NOT NULL)',
    definition_history_name: 'definition_history btree (namespace, name, version)',
    definition_history_pkey: 'unique definition_history btree (id)',
    definition_history_time: 'definition_history btree (archived_at)',
    definition_pkey: 'unique definition btree (id)',
    definition_version: 'unique definition btree (namespace, name, version)',
    flow_active: 'flow btree (run_id) WHERE (ended_at IS NULL)',
    flow_edge_child: 'flow_edge btree (child)',
    flow_edge_history_child: 'flow_edge_history btree (child)',
    flow_edge_history_pkey: 'unique flow_edge_history btree (parent, child)',
    flow_edge_pkey: 'unique flow_edge btree (parent, child)',
    flow_ended: 'flow btree (ended_at) WHERE (ended_at IS NOT NULL)',
    flow_first_run: 'flow btree (first_run) WHERE (first_run IS NOT NULL)',
    flow_history_pkey: 'unique flow_history btree (id)',
    flow_history_run: 'flow_history btree (run_id)',
    flow_history_time: 'flow_history btree (archived_at)',
    flow_history_workflow: 'flow_history btree (namespace, workflow, run_id)',
    flow_parent: 'flow btree (parent) WHERE (parent IS NOT NULL)',
    flow_pkey: 'unique flow btree (id)',
    flow_run: 'unique flow btree (run_id)',
    flow_step_history_flow: 'flow_step_history btree (flow)',
    flow_step_history_pkey: 'unique flow_step_history btree (id)',
    flow_step_key: 'unique flow_step btree (flow, name, nth)',
    flow_step_pkey: 'unique flow_step btree (id)',
    flow_step_place: 'flow_step btree (flow, COALESCE(map_of, id), nth)',
    flow_version: 'flow btree (workflow, version) WHERE (version IS NOT NULL)',
    flow_workflow: 'flow btree (namespace, workflow, run_id)',
    gap_job: 'gap btree (namespace, job_id, id)',
    gap_pkey: 'unique gap btree (id)',
    gap_until: 'gap btree (verdict, until_at) WHERE (until_at IS NOT NULL)',
    job_changed: 'job btree (app) WHERE (changed IS NOT NULL)',
    job_declared: "job btree (app) WHERE (source = 'code'::text)",
    job_key: 'unique job btree (namespace, id)',
    job_metadata: 'job gin (metadata jsonb_path_ops)',
    job_pkey: 'unique job btree (uid)',
    job_stat_pkey: 'unique job_stat btree (job_uid)',
    lock_pkey: 'unique lock btree (key)',
    meta_pkey: 'unique meta btree (key)',
    pause_scope: 'unique pause btree (kind, name)',
    release_app_set_hash_key: 'unique release btree (app, set_hash)',
    release_pkey: 'unique release btree (generation)',
    run_backfill:
      "run btree (job_uid, id) WHERE ((origin = 'backfill'::text) AND blocks AND (verdict IS NULL))",
    run_blocked: 'run btree (job_uid) WHERE blocked',
    run_cancelled: 'run btree (id) WHERE cancel_requested',
    run_claim:
      'run btree (queue, GREATEST(((priority - lifted))::integer, 0), due_at) WHERE ((due_at IS NOT NULL) AND (parked_by IS NULL))',
    run_dead: 'run btree (dead_of, id) WHERE (dead_of IS NOT NULL)',
    run_deferred: 'run btree (handler, queue, deferred_until) WHERE (deferred_until IS NOT NULL)',
    run_detached: 'run btree (namespace, job_id) WHERE ((NOT keyed) AND (job_uid IS NULL))',
    run_ended: 'run btree (id) WHERE (verdict IS NOT NULL)',
    run_job: 'run btree (job_uid) WHERE (job_uid IS NOT NULL)',
    run_kept: 'run btree (keep_until) WHERE (keep_until IS NOT NULL)',
    run_key: 'unique run btree (namespace, job_id) WHERE keyed',
    run_metadata: "run gin (metadata jsonb_path_ops) WHERE (keyed AND (metadata <> '{}'::jsonb))",
    run_parked: 'run btree (parked_by) WHERE (parked_by IS NOT NULL)',
    run_pkey: 'unique run btree (id)',
    run_signal_pkey: 'unique run_signal btree (id)',
    run_signal_run: 'run_signal btree (run_id, name, id)',
    run_signal_time: 'run_signal btree (sent_at)',
    run_step_pkey: 'unique run_step btree (run_id, name)',
    run_step_time: 'run_step btree (COALESCE(finished_at, started_at))',
    run_wait_parent: 'run_wait btree (parent)',
    run_wait_pkey: 'unique run_wait btree (child, nth)',
    run_waiting: "run btree (job_uid) WHERE (blocked AND (origin <> 'backfill'::text))",
    worker_alive: 'worker btree (app) WHERE (released_at IS NULL)',
    worker_pkey: 'unique worker btree (id)',
  },
};

function list(columns: string): string[] {
  return columns.split(', ');
}
