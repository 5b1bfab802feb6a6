import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  addOneOff,
  addRecurring,
  claimOne,
  day,
  hour,
  minute,
  settle,
} from '../../../lib/testing/laws/fixture.js';
import type { FindingCode, FindingSeverity } from '../../../lib/typeorm/index.js';
import { schemaVersion } from '../../../lib/typeorm/index.js';
import { SystemClock } from '../../../lib/index.js';
import { OffsetClock } from '../../support/offset.clock.js';
import { databaseUrl } from '../../support/schema.js';
import { refusingPooler } from '../../support/refusing.pooler.js';
import { findingCodes } from '../../../lib/typeorm/doctor/finding.codes.js';
import { serverFindings } from '../../../lib/typeorm/doctor/server.checks.js';
import { role } from '../../chaos/chaos.options.js';
import { freePort } from '../../chaos/free.port.js';
import { Pooler, poolerMissing } from '../../chaos/pooler.js';
import { DoctorGround } from './doctor.ground.js';

const ground = DoctorGround.forEachTest();

interface Fault {
  plant: (ground: DoctorGround) => Promise<unknown>;
  /** How the doctor is called then. */
  with?: (ground: DoctorGround) => Record<string, unknown>;
  /** What the sentence or the evidence says. */
  says?: RegExp;
  severity?: FindingSeverity;
  /** What the repair says. */
  repairs?: RegExp;
  /** The SQL that is given mends it: all is well afterwards. @default true where SQL is given */
  mends?: boolean;
}

const ago = (ms: number): string => `now() - interval '${ms} milliseconds'`;
const sqlOf =
  (text: string) =>
  (on: DoctorGround): Promise<unknown> =>
    on.sql(text.replaceAll('$database', on.database));

const attemptAt = (finishedAt: string): string =>
  `insert into chronis.attempt (run_id, namespace, job_id, handler, queue, origin, nominal_at, attempt, fence, outcome, final, finished_at) values (1, 'default', 'x', 'x', 'x', 'at', now(), 1, 1, 'succeeded', true, ${finishedAt})`;

/** The partition of the ledger for today, or so many days later. */
async function ledgerDay(on: DoctorGround, ahead = 0): Promise<string> {
  const date = new Date((await on.storage.now()) + ahead * day).toISOString().slice(0, 10);
  return `chronis.attempt_${date.replaceAll('-', '')}`;
}

/** A trigger for each row whose function returns null. */
function swallowing(when: string): string {
  return `create function public.swallow() returns trigger language plpgsql as $$ begin return null; end $$; create trigger swallow ${when} for each row execute function public.swallow()`;
}

const refusing = `create function public.refuse() returns event_trigger language plpgsql as $$ begin raise exception 'no'; end $$;`;

const faults: [code: FindingCode, fault: Fault][] = [
  // The server
  [
    'doctor.synchronous-commit',
    { plant: sqlOf('alter database $database set synchronous_commit = off'), says: /run again/ },
  ],
  ['doctor.read-only', { plant: sqlOf('alter database $database set default_transaction_read_only = on') }],
  ['doctor.autovacuum-off', { plant: setOnServer('autovacuum', 'off') }],
  ['doctor.crash-safety', { plant: setOnServer('full_page_writes', 'off') }],
  // The same where it stands in the file that people write.
  ['doctor.crash-safety', { plant: setInFile('fsync', 'off') }],
  ['doctor.crash-safety', { plant: setInFile('full_page_writes', 'off') }],
  ['doctor.synchronous-commit', { plant: setInFile('synchronous_commit', 'off') }],
  ['doctor.autovacuum-off', { plant: setInFile('autovacuum', 'off') }],
  ['doctor.autovacuum-off', { plant: setInFile('track_counts', 'off') }],
  ['doctor.read-only', { plant: setInFile('default_transaction_read_only', 'on') }],
  // And where it is said of everybody, or of one.
  [
    'doctor.synchronous-commit',
    {
      plant: sqlOf('alter role all set synchronous_commit = off'),
      repairs: /^alter role all reset synchronous_commit;$/,
    },
  ],
  [
    'doctor.read-only',
    {
      plant: async (on) => {
        await clerk(on);
        await on.sql('alter role clerk set default_transaction_read_only = on');
      },
      with: (on) => ({ url: on.urlOf(on.database, 'clerk') }),
    },
  ],
  [
    'doctor.connections',
    {
      plant: async (on) => {
        for (let pid = 1; pid <= 9; pid++) await on.worker({ pid });
      },
      says: /9 processes with a pool of 4 may take up to 63 connections/,
    },
  ],
  // The way to it
  [
    'doctor.listen',
    {
      plant: async () => undefined,
      with: () => ({ listenUrl: 'postgres://x:sesame@127.0.0.1:1/none' }),
      says: /LISTEN is not possible/,
    },
  ],
  [
    'doctor.listen',
    {
      plant: async () => undefined,
      with: (on) => ({ listenUrl: on.urlOf('postgres') }),
      says: /leads to the database "postgres", and the tables are in "doctor_\w+" of the same server/,
      repairs: /listenUrl.* "doctor_\w+"/,
    },
  ],
  [
    'doctor.listen',
    {
      plant: async () => undefined,
      with: () => ({ listenUrl: databaseUrl() }),
      says: /leads to another server, .* and the tables are in "doctor_\w+" of the server/,
    },
  ],
  [
    'doctor.clock',
    {
      plant: async () => undefined,
      with: () => ({ clock: new OffsetClock(new SystemClock(), 90_000) }),
      says: /90\.\d s behind/,
    },
  ],
  [
    'doctor.zone-data',
    {
      plant: async (on) => [await on.worker(), await on.worker({ zoneData: '2001a' })],
      says: /data 2001a, others/,
    },
  ],
  // What keeps the tables from being cleaned up
  [
    'doctor.long-transaction',
    {
      plant: async (on) => {
        const client = await on.other();
        await client.query('begin isolation level repeatable read; select 1; select pg_backend_pid()');
        void client.query('select pg_sleep(60)').catch(() => undefined);
        await on.sql('select pg_sleep(0.05)');
      },
      with: () => ({ longTransaction: 20 }),
    },
  ],
  [
    'doctor.idle-transaction',
    {
      plant: async (on) => {
        await (await on.other()).query('begin; create table left_open ()');
        await on.sql('select pg_sleep(0.05)');
      },
      with: () => ({ longTransaction: 20 }),
    },
  ],
  [
    'doctor.replication-slot',
    { plant: sqlOf(`select pg_create_physical_replication_slot('nobody', true)`), says: /nobody/ },
  ],
  [
    'doctor.prepared-transaction',
    {
      plant: sqlOf(`begin; create table half (); prepare transaction 'it''s half'; select pg_sleep(0.05)`),
      with: () => ({ longTransaction: 20 }),
    },
  ],
  [
    'doctor.vacuum-debt',
    {
      plant: async (on) => {
        await on.sql(
          `insert into chronis.gap (job_uid, namespace, job_id, from_at, verdict, count, reason) select 1, 'default', 'x', now(), 'missed', 1, 'misfire' from generate_series(1, 30000)`,
        );
        await on.sql('delete from chronis.gap; select pg_stat_force_next_flush()');
        await on.sql('select pg_stat_clear_snapshot()');
      },
      says: /30000 rows that are gone/,
    },
  ],
  [
    'doctor.table-autovacuum',
    { plant: sqlOf('alter table chronis.run set (autovacuum_enabled = off)'), says: /chronis\.run/ },
  ],
  [
    'doctor.table-autovacuum',
    {
      plant: async (on) => on.sql(`alter table ${await ledgerDay(on)} set (autovacuum_enabled = OF)`),
      says: /^The automatic clean-up of chronis\.attempt_\d{8} is switched off/,
    },
  ],
  [
    'doctor.table-autovacuum',
    {
      plant: sqlOf('alter table chronis.attempt_default set (autovacuum_enabled = false)'),
      says: /chronis\.attempt_default is switched off/,
    },
  ],
  [
    'doctor.table-autovacuum',
    {
      plant: sqlOf('alter table chronis.run set (toast.autovacuum_enabled = off)'),
      says: /^The automatic clean-up of what chronis\.run stores out of line is switched off/,
      repairs: /^alter table chronis\.run reset \(toast\.autovacuum_enabled\);$/,
    },
  ],
  [
    'doctor.table-autovacuum',
    {
      plant: sqlOf('alter table chronis.job set (autovacuum_enabled = off, toast.autovacuum_enabled = off)'),
      says: /^The automatic clean-up of chronis\.job, and of what it stores out of line, is switched off/,
    },
  ],
  [
    'doctor.late-autovacuum',
    {
      plant: sqlOf('alter table chronis.run set (autovacuum_vacuum_scale_factor = 0.5)'),
      says: /clean-up of chronis\.run waits until 50 rows, and 50 rows for each 100 that are there, are gone/,
    },
  ],
  [
    'doctor.late-autovacuum',
    {
      plant: sqlOf('alter table chronis.cursor set (autovacuum_vacuum_threshold = 1000000)'),
      says: /chronis\.cursor waits until 1000000 rows, and 5 rows for each 100/,
    },
  ],
  [
    'doctor.late-autovacuum',
    {
      plant: async (on) => {
        await setOnServer('autovacuum_vacuum_scale_factor', '0.8')(on);
        await on.sql('alter table chronis.job_stat reset (autovacuum_vacuum_scale_factor)');
      },
      says: /chronis\.job_stat waits until 50 rows, and 80 rows for each 100/,
    },
  ],
  [
    'doctor.table-wraparound',
    {
      plant: sqlOf(
        `update pg_class set relfrozenxid = (((txid_current() - 1600000000) % 4294967296 + 4294967296) % 4294967296)::text::xid where oid = 'chronis.run'::regclass`,
      ),
      says: /chronis\.run has row versions that are 1600000\d\d\d transactions old/,
    },
  ],
  [
    'doctor.wraparound',
    {
      plant: sqlOf(
        `update pg_database set datfrozenxid = (((txid_current() - 600000000) % 4294967296 + 4294967296) % 4294967296)::text::xid where datname = '$database'`,
      ),
      says: /has row versions that are 600000\d\d\d transactions old.*takes no changes/,
    },
  ],
  // The schema
  ['doctor.no-schema', { plant: sqlOf('drop schema chronis cascade') }],
  ['doctor.missing-version', { plant: sqlOf('delete from chronis.meta'), says: /does not say of which/ }],
  [
    'doctor.missing-version',
    { plant: sqlOf(`delete from chronis.meta where key = 'schema_version'`), says: /no process starts/ },
  ],
  ['doctor.missing-version', { plant: sqlOf('drop table chronis.meta') }],
  [
    'doctor.missing-version',
    { plant: sqlOf('delete from chronis.meta; alter table chronis.gap drop column reason cascade') },
  ],
  [
    'doctor.schema-behind',
    // The table of the last version is not there yet.
    {
      plant: sqlOf(
        `drop table chronis.stat_minute, chronis.stat_hour, chronis.stat_day; update chronis.meta set value = '${schemaVersion - 1}' where key = 'schema_version'`,
      ),
    },
  ],
  [
    'doctor.schema-ahead',
    {
      plant: sqlOf(
        `update chronis.meta set value = '999' where key in ('schema_version', 'compatible_with')`,
      ),
    },
  ],
  ['doctor.missing-table', { plant: sqlOf('drop table chronis.run_wait cascade'), says: /run_wait/ }],
  [
    'doctor.rights',
    {
      plant: async (on) => {
        await clerk(on);
        await on.sql('revoke delete on chronis.gap from clerk');
      },
      with: (on) => ({ url: on.urlOf(on.database, 'clerk') }),
      says: /clerk.*chronis\.gap: it lacks delete/,
    },
  ],
  [
    'doctor.rights',
    {
      plant: async (on) => {
        await clerk(on);
        await on.sql('revoke usage on schema chronis from clerk');
      },
      with: (on) => ({ url: on.urlOf(on.database, 'clerk') }),
      says: /^The role clerk may not look into the schema "chronis": it lacks usage/,
    },
  ],
  [
    'doctor.rights',
    {
      plant: async (on) => {
        await clerk(on);
        await on.sql('revoke all on chronis.meta from clerk');
      },
      with: (on) => ({ url: on.urlOf(on.database, 'clerk') }),
      says: /chronis\.meta: it lacks select, insert, update, delete/,
    },
  ],
  [
    'doctor.row-security',
    {
      plant: async (on) => {
        await clerk(on);
        await on.sql('alter table chronis.job enable row level security');
      },
      with: (on) => ({ url: on.urlOf(on.database, 'clerk') }),
    },
  ],
  [
    'doctor.test-tables',
    { plant: sqlOf(`insert into chronis.meta (key, value) values ('made_by', 'tests')`) },
  ],
  [
    'doctor.missing-column',
    {
      plant: sqlOf('alter table chronis.lock drop column lease_ms'),
      says: /lock"\.lease_ms is gone/,
    },
  ],
  [
    'doctor.column-drift',
    { plant: sqlOf('alter table chronis.gap alter column count type bigint'), says: /count/ },
  ],
  ['doctor.missing-index', { plant: sqlOf('drop index chronis.run_claim'), says: /run_claim/ }],
  [
    'doctor.invalid-index',
    {
      plant: sqlOf(`update pg_index set indisvalid = false where indexrelid = 'chronis.run_kept'::regclass`),
      says: /run_kept/,
    },
  ],
  [
    'doctor.index-drift',
    {
      plant: sqlOf('drop index chronis.run_job; create index run_job on chronis.run (job_uid)'),
      says: /run_job/,
    },
  ],
  [
    'doctor.column-drift',
    { plant: sqlOf('alter table chronis.run alter id drop default'), says: /run"?\.id is not filled in/ },
  ],
  [
    'doctor.column-drift',
    { plant: sqlOf('alter table chronis.run alter attempt drop default'), says: /attempt is not filled in/ },
  ],
  [
    'doctor.column-drift',
    { plant: sqlOf('alter table chronis.job alter uid drop identity'), says: /uid is not filled in/ },
  ],
  [
    'doctor.column-drift',
    {
      plant: sqlOf(`alter table chronis.run alter queue set default 'slow'`),
      says: /has given the column "chronis"\."run"\.queue the default slow/,
    },
  ],
  [
    'doctor.column-drift',
    {
      plant: sqlOf('alter table chronis.run alter held set default true'),
      says: /default of the column "chronis"\."run"\.held: rows that leave it out get true, and not false/,
    },
  ],
  [
    'doctor.column-drift',
    {
      plant: sqlOf(`alter table chronis.flow_step alter nth set default 0`),
      says: /flow_step"\.nth: rows that leave it out get 0, and not -1/,
    },
  ],
  [
    'doctor.column-drift',
    { plant: sqlOf('alter table chronis.run alter id set default 7'), says: /run"\.id: .* get 7, and not / },
  ],
  [
    'doctor.foreign-constraint',
    { plant: sqlOf('alter table chronis.run add constraint low check (priority < 3)'), says: /low/ },
  ],
  [
    'doctor.foreign-constraint',
    { plant: sqlOf('create rule lost as on insert to chronis.gap do instead nothing'), says: /rule lost/ },
  ],
  [
    'doctor.foreign-constraint',
    {
      plant: sqlOf('create unique index one on chronis.run ((1)) where id > 0'),
      says: /unique index chronis\.one/,
    },
  ],
  [
    'doctor.foreign-constraint',
    {
      plant: sqlOf('alter table chronis.gap add constraint once unique (job_id, from_at)'),
      says: /constraint once/,
    },
  ],
  [
    'doctor.foreign-constraint',
    {
      plant: sqlOf('create unique index "A b" on chronis.attempt_default (run_id)'),
      says: /unique index chronis\."A b" on chronis\.attempt_default/,
    },
  ],
  [
    'doctor.foreign-constraint',
    {
      plant: sqlOf('alter table chronis.attempt add constraint brief check (length(error) < 10)'),
      says: /constraint brief on chronis\.attempt:/,
    },
  ],
  [
    'doctor.foreign-constraint',
    {
      plant: sqlOf('create table public.notes (r bigint references chronis.run)'),
      says: /constraint notes_r_fkey of public\.notes refers to chronis\.run:.*is executed again/,
    },
  ],
  [
    'doctor.foreign-constraint',
    {
      plant: sqlOf(
        'create table public.notes (j bigint references chronis.job on delete cascade, at date) partition by range (at); create table public.some_notes partition of public.notes default',
      ),
      says: /constraint notes_j_fkey of public\.notes refers to chronis\.job: rows of public\.notes are deleted when /,
    },
  ],
  [
    'doctor.foreign-constraint',
    {
      plant: sqlOf(
        'alter table chronis.gap add constraint within foreign key (job_uid) references chronis.job',
      ),
      says: /constraint within on chronis\.gap:/,
    },
  ],
  ['doctor.unlogged-table', { plant: sqlOf('alter table chronis.gap set unlogged'), says: /empties it/ }],
  [
    'doctor.unlogged-table',
    {
      plant: async (on) => on.sql(`alter table ${await ledgerDay(on)} set unlogged`),
      says: /table chronis\.attempt_\d{8} is unlogged/,
    },
  ],
  [
    'doctor.unlogged-sequence',
    {
      plant: sqlOf('alter sequence chronis.run_number set unlogged'),
      says: /sequence chronis\.run_number is unlogged.*rows of chronis\.run get numbers/,
    },
  ],
  [
    'doctor.foreign-trigger',
    {
      plant: sqlOf(
        `create function f() returns trigger language plpgsql as 'begin return new; end'; create trigger watch before update on chronis.run for each row execute function f()`,
      ),
      says: /watch/,
    },
  ],
  [
    'doctor.foreign-trigger',
    {
      plant: async (on) => {
        await on.worker();
        await on.sql(
          `create function f() returns trigger language plpgsql as 'begin return null; end'; create trigger lost before insert on chronis.attempt_default for each row execute function f()`,
        );
      },
      says: /lost on chronis\.attempt_default/,
    },
  ],
  [
    'doctor.foreign-trigger',
    {
      plant: sqlOf(
        `create function f() returns trigger language plpgsql as 'begin return new; end'; create trigger all_of before insert on chronis.attempt for each row execute function f()`,
      ),
      says: /all_of on chronis\.attempt:/,
    },
  ],
  // What a rule or a trigger swallows, the server reports as done.
  [
    'doctor.foreign-constraint',
    {
      plant: sqlOf('create rule keep as on delete to chronis.run do instead nothing'),
      severity: 'error',
      says: /rule keep on chronis\.run: deletes .*is executed again/,
    },
  ],
  [
    'doctor.foreign-constraint',
    {
      plant: sqlOf('create rule also as on update to chronis.job do also notify x'),
      severity: 'error',
      says: /rule also on chronis\.job: it does something else beside updates/,
    },
  ],
  [
    'doctor.foreign-trigger',
    {
      plant: sqlOf(swallowing('before delete on chronis.run')),
      severity: 'error',
      says: /trigger swallow on chronis\.run: .*may swallow deletes.*is executed again/,
    },
  ],
  [
    'doctor.foreign-trigger',
    {
      plant: sqlOf(swallowing('before insert or update on chronis.attempt_default')),
      severity: 'error',
      says: /trigger swallow on chronis\.attempt_default: .*may swallow inserts and updates/,
    },
  ],
  [
    'doctor.missing-view',
    {
      plant: sqlOf(
        'drop view chronis.jobs_view; create materialized view chronis.jobs_view as select 1 as id',
      ),
      says: /the materialized view of that name is none of Chronis/,
    },
  ],
  [
    'doctor.missing-view',
    {
      plant: sqlOf('drop view chronis.jobs_view; create table chronis.jobs_view (id int)'),
      says: /the table of that name is none of Chronis/,
    },
  ],
  [
    'doctor.missing-view',
    { plant: sqlOf('drop view chronis.jobs_view'), says: /view "chronis"\."jobs_view" is gone/ },
  ],
  [
    'doctor.view-drift',
    {
      plant: sqlOf(
        `do $$ begin execute replace('create or replace view chronis.run_steps_view as ' || pg_get_viewdef('chronis.run_steps_view'), '''sleeping''', '''asleep'''); end $$`,
      ),
      says: /"chronis"\."run_steps_view" is another one/,
    },
  ],
  [
    'doctor.view-drift',
    { plant: sqlOf('alter view chronis.jobs_view rename column id to job'), says: /jobs_view/ },
  ],
  [
    'doctor.view-drift',
    {
      plant: sqlOf(
        `do $$ begin execute replace('create or replace view chronis.flows_history_view as ' || pg_get_viewdef('chronis.flows_history_view'), ' AS counts', ' AS counts, 1 as one'); end $$`,
      ),
      says: /flows_history_view/,
    },
  ],
  [
    'doctor.inherited-table',
    {
      plant: sqlOf('create table public.old_runs () inherits (chronis.run)'),
      says: /public\.old_runs inherits from chronis\.run/,
    },
  ],
  [
    'doctor.sequence-end',
    {
      plant: sqlOf(
        `alter sequence chronis.job_uid_seq maxvalue 100; select setval('chronis.job_uid_seq', 90)`,
      ),
      says: /chronis\.job_uid_seq has reached 90 of 100/,
    },
  ],
  [
    'doctor.sequence-end',
    {
      plant: sqlOf(`select setval('chronis.release_generation_seq', 2147483640)`),
      says: /release_generation_seq has reached 2147483640 of 2147483647/,
    },
  ],
  [
    'doctor.sequence-cycle',
    {
      plant: sqlOf('alter sequence chronis.job_uid_seq cycle'),
      says: /chronis\.job_uid_seq begins anew.*rows of chronis\.job get numbers/,
    },
  ],
  [
    'doctor.missing-partition',
    {
      plant: async (on) => {
        await on.worker();
        await on.sql(`drop table ${await ledgerDay(on)}`);
        // A row of that day is in the default partition, and moves.
        await on.sql(attemptAt('now()'));
      },
    },
  ],
  [
    'doctor.detached-partition',
    {
      plant: async (on) => {
        await on.worker();
        await on.sql(`alter table chronis.attempt detach partition ${await ledgerDay(on)}`);
        // What has come meanwhile is in the default partition, and moves.
        await on.sql(attemptAt('now()'));
      },
      says: /table "chronis"\."attempt_\d{8}" is no partition of the ledger/,
    },
  ],
  [
    'doctor.detached-partition',
    {
      plant: async (on) => on.sql(`alter table chronis.attempt detach partition ${await ledgerDay(on, 2)}`),
      says: /until it is attached again, its rows are not seen/,
    },
  ],
  [
    'doctor.detached-partition',
    {
      plant: async (on) => {
        const tomorrow = await ledgerDay(on, 1);
        await on.sql(`drop table ${tomorrow}; create view ${tomorrow} as select 1 as one`);
      },
      says: /view "chronis"\."attempt_\d{8}" has the name/,
    },
  ],
  [
    'doctor.detached-partition',
    {
      plant: async (on) => {
        const tomorrow = await ledgerDay(on, 1);
        await on.sql(
          `alter table chronis.attempt detach partition ${tomorrow}; alter table ${tomorrow} drop column result`,
        );
      },
      says: /table "chronis"\."attempt_\d{8}" has the name/,
    },
  ],
  [
    'doctor.detached-partition',
    {
      plant: sqlOf('alter table chronis.attempt detach partition chronis.attempt_default'),
      says: /^The table "chronis"\."attempt_default" is no partition of the ledger.*get no verdict/,
    },
  ],
  [
    'doctor.detached-partition',
    // What was in it has a day of its own meanwhile.
    {
      plant: sqlOf(
        `alter table chronis.attempt detach partition chronis.attempt_default; ${attemptAt('now()').replace('chronis.attempt', 'chronis.attempt_default')}`,
      ),
      says: /attempt_default" is no partition of the ledger/,
    },
  ],
  [
    'doctor.detached-partition',
    {
      plant: sqlOf(
        'drop table chronis.attempt_default; create view chronis.attempt_default as select 1 as one',
      ),
      says: /^The view "chronis"\."attempt_default" has the name of the default partition/,
    },
  ],
  [
    'doctor.detached-partition',
    {
      plant: sqlOf('alter table chronis.attempt_default rename to others'),
      says: /^The default partition of the ledger is called chronis\.others/,
    },
  ],
  [
    'doctor.missing-partition',
    {
      plant: sqlOf('drop table chronis.attempt_default'),
      says: /^The ledger has no default partition.*get no verdict/,
    },
  ],
  [
    'doctor.default-partition',
    {
      plant: sqlOf(attemptAt("'2001-01-01'")),
      says: /holds 1 rows/,
    },
  ],
  [
    'doctor.event-trigger',
    {
      plant: sqlOf(
        `${refusing} create event trigger "No ddl" on ddl_command_start when tag in ('CREATE TABLE', 'CREATE VIEW') execute function public.refuse()`,
      ),
      says: /^The event trigger "No ddl" runs public\.refuse\(\) at ddl_command_start: .*cannot be made/,
    },
  ],
  [
    'doctor.event-trigger',
    {
      plant: sqlOf(`${refusing} create event trigger keep on sql_drop execute function public.refuse()`),
      says: /^The event trigger keep runs public\.refuse\(\) at sql_drop: .*cannot be dropped/,
    },
  ],
  [
    'doctor.claim-plan',
    {
      plant: async (on) => {
        await on.worker();
        await on.sql(
          `insert into chronis.run (nominal_at, priority, keyed, due_at, queue, handler, namespace, job_id, origin, trigger, policies, metadata, run_count)
           select now() + interval '1 day', 5, true, now() + interval '1 day', 'default', 'work', 'default', 'job ' || n, 'at', '{"type":"at"}', '{}', '{}', 0 from generate_series(1, 8000) n`,
        );
        await on.sql('analyze chronis.run');
        await on.sql(
          `alter database ${on.database} set enable_indexscan = off; alter database ${on.database} set enable_bitmapscan = off`,
        );
      },
      says: /enable_bitmapscan and enable_indexscan are off/,
      repairs: /^alter database \w+ reset enable_bitmapscan; alter database \w+ reset enable_indexscan;$/,
    },
  ],
  // The work
  [
    'doctor.no-worker',
    {
      plant: (on) => addRecurring(on.storage, { dueInMs: -hour }),
      says: /No worker is alive, and 1 job is overdue.*default\/job/,
    },
  ],
  [
    'doctor.lost-worker',
    {
      plant: async (on) => {
        const { workerId } = await on.worker({ name: 'pod-7' });
        await on.sql(
          `update chronis.worker set lease_until = ${ago(5 * minute)}, running = 2 where id = '${workerId}'`,
        );
      },
      says: /"pod-7".*2 runs in hands/,
    },
  ],
  [
    'doctor.missing-handler',
    {
      plant: async (on) => {
        await on.worker();
        await addRecurring(on.storage, { id: 'report', handler: 'Reports.daily', dueInMs: hour });
      },
      says: /"Reports\.daily": 1 job.*default\/report/,
    },
  ],
  [
    'doctor.unserved-queue',
    {
      plant: async (on) => {
        await on.worker();
        await addOneOff(on.storage, { queue: 'mail', dueInMs: hour });
      },
      says: /takes the queue "mail"/,
    },
  ],
  [
    'doctor.overdue-jobs',
    {
      plant: async (on) => {
        await on.worker();
        await addRecurring(on.storage, { dueInMs: -hour });
      },
      says: /1 job is overdue/,
    },
  ],
  [
    'doctor.overdue-runs',
    {
      plant: async (on) => {
        await on.worker();
        await addOneOff(on.storage, { dueInMs: -hour });
      },
      says: /1 run is overdue/,
    },
  ],
  [
    'doctor.schedules-ahead',
    {
      plant: async (on) => {
        await on.worker();
        await addRecurring(on.storage, { dueInMs: day });
        await on.sql(`update chronis.cursor set fired_until = now() + interval '1 hour'`);
      },
      says: /1 job has fired, or was created, by a clock that was ahead.*"default\/job"/,
    },
  ],
  [
    'doctor.schedules-ahead',
    {
      plant: async (on) => {
        await on.worker();
        const anchor = new Date((await on.storage.now()) + hour).toISOString();
        await addRecurring(on.storage, { dueInMs: hour, trigger: { type: 'interval', every: 1000, anchor } });
        await on.sql(`update chronis.job set created_at = now() + interval '1 hour'`);
      },
      says: /1 job has fired, or was created, by a clock that was ahead/,
    },
  ],
  [
    'doctor.schedules-ahead',
    {
      plant: async (on) => {
        await on.worker();
        const anchor = new Date((await on.storage.now()) + hour).toISOString();
        await addRecurring(on.storage, {
          dueInMs: hour,
          trigger: { type: 'interval', every: day, calendar: true, anchor },
        });
        await on.sql(`update chronis.job set created_at = now() + interval '1 hour'`);
      },
      says: /1 job has fired, or was created, by a clock that was ahead/,
    },
  ],
  [
    'doctor.orphaned-jobs',
    {
      plant: async (on) => {
        await addRecurring(on.storage, { id: 'old job', dueInMs: hour });
        await on.sql(
          `update chronis.job set orphaned_at = ${ago(day)}, orphaned_reason = 'undeclared'; delete from chronis.cursor`,
        );
      },
      says: /default\/old job/,
    },
  ],
  [
    'doctor.stale-pause',
    {
      plant: async (on) => {
        await on.storage.pauseScope({ kind: 'queue', name: 'mail' }, { reason: 'migration', by: 'ops' });
        await on.sql(`update chronis.pause set paused_at = ${ago(8 * day)}`);
      },
      says: /The queue "mail" has been paused since .* \(migration\) by ops/,
    },
  ],
  [
    'doctor.dead-letters',
    {
      plant: async (on) => {
        const worker = await on.worker();
        for (const id of ['mail', 'mail 2', 'report']) {
          await addOneOff(on.storage, { id });
          await settle(on.storage, await claimOne(on.storage, worker), {
            outcome: 'failed',
            error: 'The token sesame is wrong.',
          });
        }
      },
      with: () => ({ deadLetters: 3 }),
      says: /^3 runs have given up and are kept.*most of them of the handler "work" \(3\), the oldest since /,
    },
  ],
  [
    'doctor.open-run',
    {
      plant: async (on) => {
        const worker = await on.worker();
        await addOneOff(on.storage, { id: 'payment' });
        await settle(on.storage, await claimOne(on.storage, worker), { outcome: 'opened', retryAt: null });
        await on.sql(`update chronis.run set opened_at = ${ago(8 * day)}`);
      },
      says: /default\/payment.*without a deadline/,
    },
  ],
];

function setOnServer(setting: string, value: string) {
  return async (on: DoctorGround): Promise<void> => {
    await on.sql(`alter system set ${setting} = ${value}`);
    await reload(on);
  };
}

/** A reload is done when a new connection sees it. */
async function reload(on: DoctorGround): Promise<void> {
  const before = await on.client.query<{ at: Date }>('select pg_conf_load_time() as at');
  await on.sql('select pg_reload_conf()');
  for (;;) {
    const { rows } = await on.client.query<{ at: Date }>('select pg_conf_load_time() as at');
    if (rows[0]!.at > before.rows[0]!.at) return;
  }
}

/** In postgresql.conf, in whose folder the server is. */
function setInFile(setting: string, value: string) {
  return async (on: DoctorGround): Promise<void> => {
    await on.sql(`copy (select '${setting} = ${value} ${ofTest}') to program 'cat >> postgresql.conf'`);
    await reload(on);
  };
}

const ofTest = '# of a test';

async function clerk(on: DoctorGround): Promise<void> {
  await on.sql(`do $$ begin create role clerk login; exception when duplicate_object then null; end $$`);
  await on.sql(
    'grant usage on schema chronis to clerk; grant select, insert, update, delete on all tables in schema chronis to clerk',
  );
}

test('a database where nothing is wrong has no findings, and every check is made', async () => {
  await ground.worker();
  await addRecurring(ground.storage, { dueInMs: hour });
  await addOneOff(ground.storage, { id: 'later', dueInMs: day });
  const { findings, unchecked, checked, server, schema } = await ground.diagnose();
  expect(findings).toEqual([]);
  expect(unchecked).toEqual([]);
  expect(checked.length).toBeGreaterThan(18);
  expect({ server, schema }).toEqual({
    server: `127.0.0.1:${ground.server.port}/${ground.database}`,
    schema: 'chronis',
  });
});

test.each(faults)(
  '%s is found, and nothing else',
  async (code, { plant, with: given, says, severity, repairs, mends = true }) => {
    await plant(ground);
    try {
      const diagnosis = await ground.diagnose(given?.(ground));
      const { findings, unchecked } = diagnosis;
      expect([findings.map((found) => found.code), unchecked]).toEqual([[code], []]);
      const [{ sentence, evidence, repair, severity: found }] = findings as [(typeof findings)[0]];
      if (severity) expect(found).toBe(severity);
      if (says) expect(sentence).toMatch(says);
      if (repairs) expect(repair.text).toMatch(repairs);
      expect(Object.keys(evidence).length).toBeGreaterThan(0);
      expect(sentence).toMatch(/\.$/);
      expect(repair.text).not.toBe('');
      expect(JSON.stringify(diagnosis)).not.toContain('sesame');
      if (repair.by !== 'sql' || !mends) return;
      // A statement alone, as CONCURRENTLY and VACUUM want it.
      const mender = await ground.other();
      for (const statement of repair.text.split(/;\s*/)) if (statement) await mender.query(statement);
      if (repair.text.includes('pg_reload_conf')) await reload(ground);
      await settled();
      expect((await ground.diagnose(given?.(ground))).findings).toEqual([]);
    } finally {
      await restore();
    }
  },
);

/** Statistics of tables are told by the sessions that have changed them. */
async function settled(): Promise<void> {
  await ground.sql('select pg_stat_force_next_flush()');
  await ground.sql('select pg_stat_clear_snapshot()');
}

/** What is of the server and not of the database of the test. */
async function restore(): Promise<void> {
  await ground.sql(
    'set session characteristics as transaction read write; set default_transaction_read_only = off',
  );
  await ground.sql('alter system reset all');
  await ground.sql('alter role all reset all');
  await ground.sql(`copy (select) to program 'sed -i "/${ofTest}/d" postgresql.conf'`);
  await reload(ground);
  await ground.sql('select pg_drop_replication_slot(slot_name) from pg_replication_slots');
  const { rows } = await ground.client.query<{ gid: string }>('select gid from pg_prepared_xacts');
  for (const { gid } of rows) await ground.sql(`rollback prepared '${gid.replaceAll("'", "''")}'`);
  await ground.sql(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state like '%transaction%'",
  );
}

test("a column that somebody has added, and that is filled in by itself, is in nobody's way", async () => {
  await ground.sql('alter table chronis.run add column mine integer not null default 3');
  expect((await ground.diagnose()).findings).toEqual([]);
});

test('the rows of a partition that was detached are seen again, with those that came meanwhile', async () => {
  const today = await ledgerDay(ground);
  await ground.sql(attemptAt('now()'));
  await ground.sql(`alter table chronis.attempt detach partition ${today}`);
  await ground.sql(attemptAt("now() + interval '1 second'"));
  const [{ repair }] = (await ground.diagnose()).findings as unknown as [{ repair: { text: string } }];
  await ground.sql(repair.text);
  const { rows } = await ground.client.query(
    'select tableoid::regclass::text as day, count(*)::int as rows from chronis.attempt group by 1',
  );
  expect(rows).toEqual([{ day: today, rows: 2 }]);
});

test("a table of an earlier day that somebody keeps beside the ledger is in nobody's way", async () => {
  await ground.sql('create table chronis.attempt_20010101 (like chronis.attempt)');
  expect((await ground.diagnose()).findings).toEqual([]);
});

test('an event trigger that refuses nothing is a note; one that is off, or of other commands, is not told', async () => {
  await ground.sql(
    `${refusing}
     create function public.watch() returns event_trigger language plpgsql as $$ begin raise notice 'ddl'; notify watched; end $$;
     create event trigger watch on ddl_command_end execute function public.watch();
     create event trigger unused on ddl_command_start execute function public.refuse();
     alter event trigger unused disable;
     create event trigger elsewhere on ddl_command_start when tag in ('CREATE FUNCTION') execute function public.refuse();
     create event trigger rewriting on table_rewrite execute function public.refuse()`,
  );
  expect((await ground.diagnose()).findings).toMatchObject([
    { code: 'doctor.event-trigger', severity: 'note', evidence: { trigger: 'watch' } },
  ]);
});

test("a foreign key that is not enforced is in nobody's way", async ({ skip }) => {
  const { rows } = await ground.client.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  );
  skip(rows[0]!.version < 180_000, 'This server enforces all of them.');
  await ground.sql('create table public.notes (r bigint references chronis.run not enforced)');
  expect((await ground.diagnose()).findings).toEqual([]);
});

test('numbers go on behind those that are there, where a column is given back what fills it in', async () => {
  await addRecurring(ground.storage, { id: 'before', dueInMs: hour });
  await ground.sql('alter table chronis.job alter uid drop identity');
  const [{ repair }] = (await ground.diagnose()).findings as unknown as [{ repair: { text: string } }];
  for (const statement of repair.text.split(/;\s*/)) if (statement) await ground.sql(statement);
  await addRecurring(ground.storage, { id: 'after', dueInMs: hour });
  const { rows } = await ground.client.query<{ id: string }>('select id from chronis.job order by uid');
  expect(rows.map(({ id }) => id)).toEqual(['before', 'after']);
});

test('what a pooler keeps from the sessions is found', async () => {
  await ground.sql(`alter database ${ground.database} set default_transaction_isolation = 'serializable'`);
  await ground.sql(`alter database ${ground.database} set statement_timeout = '2s'`);
  const pooler = await refusingPooler(['options', 'statement_timeout'], ground.url);
  try {
    const { findings } = await ground.diagnose({ url: pooler.url });
    expect(findings.map(({ code }) => code)).toEqual(['doctor.session-setting', 'doctor.statement-timeout']);
  } finally {
    pooler.close();
  }
});

test('what the role may not read is said to be unchecked, and the rest is checked', async () => {
  await clerk(ground);
  await ground.sql('revoke all on chronis.pause from clerk');
  const { findings, unchecked } = await ground.diagnose({ url: ground.urlOf(ground.database, 'clerk') });
  expect(findings.map(({ code }) => code)).toEqual(['doctor.rights']);
  expect(unchecked.map(({ check }) => check)).toContain('pauses');
  expect(unchecked[0]!.why).toMatch(/permission denied/);
});

test('a server that is away is told without the password', async () => {
  const diagnosis = ground.diagnose({ url: 'postgres://x:sesame@127.0.0.1:1/none' });
  await expect(diagnosis).rejects.toThrow(/PostgreSQL at 127\.0\.0\.1:1\/none cannot be examined: /);
  await expect(diagnosis).rejects.not.toThrow(/sesame/);
});

test('nothing is written', async () => {
  await ground.worker();
  await addOneOff(ground.storage, { dueInMs: -hour });
  const written = async (): Promise<unknown> =>
    (
      await ground.client.query(
        `select sum(n_tup_ins + n_tup_upd + n_tup_del)::int as rows from pg_stat_user_tables`,
      )
    ).rows;
  await settled();
  const before = await written();
  await ground.diagnose();
  await settled();
  expect(await written()).toEqual(before);
});

test('an encoding that lacks characters is found', async () => {
  const database = `${ground.database}_latin`;
  await ground.sql(`create database ${database} encoding 'LATIN1' template template0`);
  const { findings } = await ground.diagnose({ url: ground.urlOf(database) });
  expect(findings.map(({ code }) => code)).toEqual(['doctor.encoding', 'doctor.no-schema']);
  expect(findings[0]!.sentence).toContain('LATIN1');
});

test('a standby and a server that is too old are found', () => {
  const fine = { version: 150_004, shown: '15.4', encoding: 'UTF8', database: 'app', standby: false };
  const codes = (change: Partial<typeof fine>): string[] =>
    serverFindings({ ...fine, ...change }).map(({ code }) => code);
  expect(codes({})).toEqual([]);
  expect(codes({ version: 140_012, shown: '14.12' })).toEqual(['doctor.server-version']);
  expect(codes({ standby: true })).toEqual(['doctor.read-only']);
});

test('a queue of notifications that is full is found, and what keeps it so', async ({ skip }) => {
  skip(!ground.hasSmallQueue, 'This server has a queue of gigabytes.');
  const idler = await ground.other();
  await idler.query('listen elsewhere');
  await idler.query('begin');
  const filler = await ground.other();
  // Ten times 7 KiB are nine pages of the 64 that this server has.
  const flood = `select pg_notify('elsewhere', n || repeat('x', 7000)) from generate_series(1, 10) n`;
  for (let isFull = false; !isFull;) await filler.query(flood).catch(() => (isFull = true));
  const { findings } = await ground.diagnose();
  const { rows } = await idler.query<{ pid: number }>('select pg_backend_pid() as pid');
  await idler.query('commit');
  expect(findings).toMatchObject([
    {
      code: 'doctor.notify-queue',
      severity: 'error',
      repair: { text: `select pg_terminate_backend(${rows[0]!.pid});` },
    },
  ]);
});

test.skipIf(poolerMissing() !== null)(
  'a pooler in transaction mode, by which LISTEN hears nothing, is found',
  async () => {
    await ground.sql(
      `do $$ begin create role ${role} superuser login; exception when duplicate_object then null; end $$`,
    );
    const pooler = await Pooler.before(ground.server.port, await freePort());
    try {
      const url = `postgres://${role}@127.0.0.1:${pooler.port}/postgres`;
      const found = await ground.diagnose({ url });
      expect(found.unchecked).toEqual([]);
      expect(found.findings).toMatchObject([
        { code: 'doctor.no-schema' },
        {
          code: 'doctor.listen',
          evidence: { pooled: true },
          sentence: expect.stringContaining('pooler in transaction mode'),
        },
      ]);
      const { findings } = await ground.diagnose({ url, listenUrl: ground.urlOf('postgres') });
      expect(findings.map(({ code }) => code)).toEqual(['doctor.no-schema']);
    } finally {
      await pooler.stop();
    }
  },
);

test('every code is planted here, or where a service is asked', async () => {
  const files = [import.meta.url, new URL('../../cli/storage.checkup.spec.ts', import.meta.url)];
  const source = files.map((file) => readFileSync(new URL(file), 'utf8')).join('\n');
  for (const code of findingCodes) expect(source).toContain(`'${code}'`);
});

test('settings of the database neither end what the doctor reads nor make it find what is not there', async () => {
  await ground.worker();
  await ground.sql(
    `alter database ${ground.database} set quote_all_identifiers = on; alter database ${ground.database} set idle_in_transaction_session_timeout = 1`,
  );
  const { findings, unchecked } = await ground.diagnose();
  expect({ findings, unchecked }).toEqual({ findings: [], unchecked: [] });
});
