import { existsSync } from 'node:fs';
import { replicationBinaries, replicationNeeds } from '../../support/standby.js';
import { role } from '../chaos.options.js';
import { ClockedDatabase, ReplicatedDatabase } from '../databases.js';
import { pause } from '../pause.js';
import type { Act, Fault } from './fault.js';

const needsReplication = (): string | null => (replicationBinaries() === null ? replicationNeeds : null);

const clockLibraries = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1',
];
export const clockLibrary = (): string | null => clockLibraries.find((path) => existsSync(path)) ?? null;

/** The primary is lost, the standby takes its place. `behindMs`: for how long it had got nothing. */
const failover =
  (kind: string, behindMs: readonly [number, number] | null): Act =>
  (cluster, random) =>
    cluster.alone(async () => {
      const { database } = cluster;
      if (!(database instanceof ReplicatedDatabase)) return;
      await database.ready();
      const lostFrom = Date.now();
      if (behindMs !== null) {
        await database.fallBehind();
        await pause(random.between(...behindMs));
      }
      const fault = cluster.note({
        kind,
        pid: null,
        at: Date.now(),
        until: Infinity,
        outage: true,
        ...(behindMs === null ? {} : { lostFrom }),
      });
      await database.failOver();
      cluster.pointToDatabase();
      fault.until = Date.now();
    });

/** A crash while commits are answered before they are on disk; the server flushes them once a second. */
const crashUnflushed: Act = (cluster, random) =>
  cluster.alone(async () => {
    // A standby that is being made needs the server.
    if (cluster.database instanceof ReplicatedDatabase) await cluster.database.ready();
    await cluster.query(`alter role ${role} set synchronous_commit = off`);
    await cluster.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where usename = '${role}' and pid <> pg_backend_pid()`,
    );
    await pause(random.between(2_000, 4_000));
    const at = Date.now();
    const fault = cluster.note({
      kind: 'crash-unflushed',
      pid: null,
      at,
      until: Infinity,
      outage: true,
      lostFrom: at - 4_000,
    });
    await cluster.database.crash();
    await cluster.database.start();
    fault.until = Date.now();
    await cluster.query(`alter role ${role} reset synchronous_commit`);
  });

const leapsMin = [-60, -10, -1, 1, 10, 60] as const;
/** Beyond all that was written while the clock was ahead, with a run's patience. */
export const furthestAheadMs = (Math.max(...leapsMin) + 1) * 60_000;

/**
 * The clock of the server is set, and set right again some seconds later. What somebody changes meanwhile goes by that clock, as the guide on failover says: a pause that ends an hour ahead leaves a gap up to then.
 * So no schedule is changed beside it.
 */
const clock: Act = (cluster, random) =>
  cluster.alone(() =>
    cluster.changing.take(async () => {
      const { database } = cluster;
      if (!(database instanceof ClockedDatabase)) return;
      const minutes = random.pick(leapsMin);
      const fault = cluster.note({
        kind: 'clock',
        pid: null,
        at: Date.now(),
        until: Infinity,
        outage: true,
        what: `: ${minutes} min`,
      });
      await database.setClock(minutes * 60_000);
      await pause(random.between(3_000, 6_000));
      await database.setClock(0);
      fault.until = Date.now();
    }),
  );

export const failoverFaults: Readonly<Record<string, Fault>> = {
  failover: { world: 'failover', act: failover('failover', null), missing: needsReplication },
  'failover-lossy': {
    world: 'lossy',
    act: failover('failover-lossy', [1_000, 4_000]),
    missing: needsReplication,
  },
  'crash-unflushed': { world: 'lossy', act: crashUnflushed, missing: needsReplication },
  clock: {
    world: 'clock',
    act: clock,
    missing: () => (clockLibrary() === null ? 'there is no libfaketime: install Debian\'s "faketime"' : null),
  },
};
