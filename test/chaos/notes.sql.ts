import { notes, role } from './chaos.options.js';

/** The tables of the handlers and of the test itself. One row of an effect table is one effect. */
export const notesSql = `
create role ${role} superuser login;
create schema ${notes};
-- The id is drawn by the execution: an insert whose answer was lost can be said again.
create table ${notes}.plain_effect (
  id uuid primary key, run_id bigint not null, job_id text not null, nominal_at timestamptz not null, pid integer not null
);
create table ${notes}.unique_effect (
  run_id bigint not null, job_id text not null, nominal_at timestamptz not null, pid integer not null,
  primary key (job_id, nominal_at)
);
create table ${notes}.transaction_effect (
  run_id bigint not null, job_id text not null, nominal_at timestamptz not null, attempt integer not null, pid integer not null
);
create table ${notes}.one_off (job_id text primary key);
create table ${notes}.fault (
  id integer primary key, kind text not null, pid integer, at timestamptz not null, until timestamptz not null,
  outage boolean not null default false, lost_from timestamptz
);
`;
