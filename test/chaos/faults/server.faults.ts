import { role } from '../chaos.options.js';
import type { Cluster } from '../cluster.js';
import { pause } from '../pause.js';
import { poolerMissing } from '../pooler.js';
import type { Act, Fault } from './fault.js';
import { scarceRoomMissing } from './scarce.room.js';

/** All connections, or those of one role. */
const terminateSql = `select pg_terminate_backend(pid) from pg_stat_activity
  where pid <> pg_backend_pid() and datname is not null and usename = coalesce($1, usename)`;

const terminate: Act = async (cluster) => {
  const at = Date.now();
  try {
    await cluster.query(terminateSql, [null]);
  } catch {
    // The server may be restarting at this moment: then they are all gone anyway.
  }
  cluster.note({ kind: 'terminate', pid: null, at, until: Date.now(), outage: true });
};

const restart: Act = (cluster) =>
  cluster.alone(async () => {
    const fault = cluster.note({ kind: 'restart', pid: null, at: Date.now(), until: Infinity, outage: true });
    await cluster.database.crash();
    await cluster.database.start();
    fault.until = Date.now();
  });

const snapshot: Act = async (cluster, random) => {
  const at = Date.now();
  const lastsMs = random.between(2_000, 6_000);
  try {
    await cluster.connected(async (client) => {
      await client.query('begin isolation level repeatable read');
      await client.query('select count(*) from chronis.run');
      await pause(lastsMs);
    });
  } catch {
    // Terminated: then it was held as long as it was.
  }
  cluster.note({ kind: 'snapshot', pid: null, at, until: Date.now() });
};

/** As with a standby that was promoted elsewhere: sessions of the role answer 25006 until they are closed, new ones do so for a while. */
const readOnly: Act = (cluster, random) =>
  cluster.alone(async () => {
    const fault = cluster.note({
      kind: 'read-only',
      pid: null,
      at: Date.now(),
      until: Infinity,
      outage: true,
    });
    await untilDone(() => setForRole(cluster, 'default_transaction_read_only', 'on'));
    await untilDone(() => cluster.query(terminateSql, [role]));
    await pause(random.between(2_000, 5_000));
    await untilDone(() => cluster.query(`alter role ${role} reset default_transaction_read_only`));
    await cluster.surroundings.pooler?.reconnect();
    fault.until = Date.now();
  });

/** What administrators set for roles, and what no statement may depend on. */
const settings: readonly (readonly [name: string, value: string])[] = [
  ['lock_timeout', '50ms'],
  ['statement_timeout', '300ms'],
  ['idle_in_transaction_session_timeout', '300ms'],
  ['default_transaction_isolation', 'serializable'],
  ['default_transaction_isolation', 'repeatable read'],
  ['extra_float_digits', '-3'],
  ['array_nulls', 'off'],
  ['DateStyle', 'German, DMY'],
  ['IntervalStyle', 'sql_standard'],
  ['TimeZone', 'Asia/Kolkata'],
  ['bytea_output', 'escape'],
  ['standard_conforming_strings', 'off'],
  ['search_path', 'pg_catalog'],
  ['synchronous_commit', 'off'],
  ['enable_indexscan', 'off'],
];

/** A setting that the role has for some seconds; those who work meanwhile, and those who start, have it. */
const roleSetting: Act = (cluster, random) =>
  cluster.alone(async () => {
    const [name, value] = random.pick(settings);
    const at = Date.now();
    await untilDone(() => setForRole(cluster, name, value));
    await untilDone(() => cluster.query(terminateSql, [role]));
    const fault = cluster.note({
      kind: 'role-setting',
      pid: null,
      at,
      until: Infinity,
      what: `: ${name} = ${value}`,
    });
    await pause(random.between(3_000, 6_000));
    await untilDone(() => cluster.query(`alter role ${role} reset ${name}`));
    await untilDone(() => cluster.query(terminateSql, [role]));
    fault.until = Date.now();
  });

/** The pooler is killed, and is away for some seconds, for its workers only. */
const pooler: Act = async (cluster, random) => {
  const { pooler: victim } = cluster.surroundings;
  if (victim === null) return;
  const lastsMs = random.between(500, cluster.options.leaseMs * 2);
  const at = Date.now();
  await victim.kill();
  for (const { options, pid } of cluster.processes)
    if (options.listenUrl !== null) cluster.note({ kind: 'pooler', pid, at, until: at + lastsMs });
  await pause(lastsMs);
  await victim.start();
};

const diskFull: Act = (cluster, random) =>
  cluster.alone(async () => {
    const { room } = cluster.surroundings;
    if (room === null) return;
    const fault = cluster.note({
      kind: 'disk-full',
      pid: null,
      at: Date.now(),
      until: Infinity,
      outage: true,
    });
    room.fill();
    await pause(random.between(2_000, 6_000));
    room.clear();
    fault.until = Date.now();
  });

function setForRole(cluster: Cluster, name: string, value: string): Promise<unknown> {
  // A list is not one name.
  const text = name === 'DateStyle' || name === 'search_path' ? value : `'${value}'`;
  return cluster.query(`alter role ${role} set ${name} = ${text}`);
}

/** The server may be away for a moment. */
async function untilDone(act: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await act();
      return;
    } catch (error) {
      if (attempt === 50) throw error;
      await pause(200);
    }
  }
}

export const serverFaults: Readonly<Record<string, Fault>> = {
  terminate: { world: 'steady', act: terminate },
  restart: { world: 'steady', act: restart },
  snapshot: { world: 'steady', act: snapshot },
  'read-only': { world: 'steady', act: readOnly },
  'role-setting': { world: 'steady', act: roleSetting },
  pooler: { world: 'steady', act: pooler, missing: poolerMissing },
  'disk-full': { world: 'steady', act: diskFull, missing: scarceRoomMissing },
};
