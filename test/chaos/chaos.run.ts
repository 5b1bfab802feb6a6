import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeededRandom } from '../simulation/seeded.random.js';
import { Applicant } from './applicant.js';
import { check, type Report } from './chaos.checker.js';
import { jobs, role, type ChaosOptions } from './chaos.options.js';
import { Cluster } from './cluster.js';
import { ClockedDatabase, LoneDatabase, ReplicatedDatabase, type Database } from './databases.js';
import { Executions, readExecutions } from './executions.js';
import { unleash } from './fault.schedule.js';
import { clockLibrary, furthestAheadMs } from './faults/failover.faults.js';
import type { WorldName } from './faults/fault.js';
import { makeScarceRoom } from './faults/scarce.room.js';
import { freePort } from './free.port.js';
import { Manager } from './manager.js';
import { notesSql } from './notes.sql.js';
import { createOneOffs } from './one.offs.js';
import { pause } from './pause.js';
import { Pooler } from './pooler.js';
import { Watch } from './watch.js';
import { planWorlds, type WorldPlan } from './worlds.js';

/** The longest time to finish what was begun, once nothing disturbs any more. */
const quietWithinMs = 120_000;

/** Plays the worlds that the faults need, one after another. */
export async function runChaos(options: ChaosOptions): Promise<Record<string, Report>> {
  const reports: Record<string, Report> = {};
  for (const plan of planWorlds(options.faults, options.seconds)) {
    options.tell(`world ${plan.name}, ${plan.seconds} s: ${plan.faults.join(', ')}`);
    reports[plan.name] = await playWorld(plan, { ...options, faults: plan.faults });
  }
  return reports;
}

/** Lets workers run under faults for so many seconds, waits until all is finished, and compares the tables with what was seen. */
async function playWorld({ name, seconds, faults }: WorldPlan, options: ChaosOptions): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'chronis-executions-'));
  const database = await begin(name);
  const room = faults.includes('disk-full') ? makeScarceRoom() : null;
  const pooler = faults.includes('pooler') ? await Pooler.before(database.port, await freePort()) : null;
  const surroundings = { database, room, pooler, folder, applicant: null as Applicant | null };
  const cluster = new Cluster(surroundings, options, seconds);
  const unwatch = new Executions(join(folder, 'proxies')).watchLoop();
  try {
    await cluster.query(notesSql);
    if (room !== null) {
      await cluster.query(`create tablespace scarce location '${room.folder}'`);
      await cluster.query(`alter role ${role} set default_tablespace = scarce`);
    }
    await Promise.all(Array.from({ length: options.workers }, () => cluster.add()));
    const { startAt, endAt } = await cluster.period;
    const applicant = (surroundings.applicant = await Applicant.begin(database));
    const manager = new Manager(
      applicant.scheduler,
      { startAt, endAt },
      new SeededRandom(options.seed + 1),
      cluster.changing,
      name === 'lossy',
    );
    const watch = new Watch(cluster);
    const watching = watch.keep();
    await pause(startAt - Date.now());
    const [oneOffs] = await Promise.all([
      createOneOffs(applicant.scheduler, options.rate, endAt),
      unleash(cluster, endAt),
      options.changes ? manager.manage() : undefined,
    ]);
    if (options.changes) await manager.releaseAll();
    const stuck = await untilQuiet(cluster);
    watch.stop();
    await watching;
    cluster.watchForCrashes();
    await cluster.end();
    await applicant.end();
    const { leaseMs, slackMs } = options;
    const { report, evidence } = await check((text, values) => cluster.query(text, values), {
      leaseMs,
      slackMs,
      period: { startAt, endAt },
      sameClock: name !== 'clock',
      ...readExecutions(folder),
      sightings: watch.sightings,
      changes: manager.changes,
      faults: cluster.faults,
      oneOffs,
    });
    options.keep?.(name, evidence);
    if (stuck.length > 0) {
      report.found['due, and not done'] = stuck;
      report.violations += stuck.length;
    }
    if (cluster.crashes.length > 0) {
      report.found['workers that ended by themselves'] = cluster.crashes;
      report.violations += cluster.crashes.length;
    }
    return report;
  } finally {
    unwatch();
    await Promise.all(Array.from(cluster.processes, (worker) => worker.end('SIGKILL')));
    await pooler?.stop();
    await database.stop();
    room?.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

function begin(name: WorldName): Promise<Database> {
  switch (name) {
    case 'steady':
      return LoneDatabase.begin();
    case 'failover':
      return ReplicatedDatabase.begin(true);
    case 'lossy':
      return ReplicatedDatabase.begin(false, { wal_writer_delay: '1000ms' });
    case 'clock':
      return ClockedDatabase.begin(clockLibrary()!);
  }
}

/**
 * Returns what was due and not done within a good while. What was written while the clock of the server was ahead is due later by as much, and nothing is lost of it: so at the
 * end the clock is set there.
 */
async function untilQuiet(cluster: Cluster): Promise<string[]> {
  const { database } = cluster;
  const isClocked = database instanceof ClockedDatabase;
  const stuck = await untilNone(cluster, isClocked ? 'due' : 'left');
  if (!isClocked) return [];
  const at = Date.now();
  const what = `: ${furthestAheadMs / 60_000} min, at the end`;
  const leap = cluster.note({ kind: 'clock', pid: null, at, until: Infinity, outage: true, what });
  await database.setClock(furthestAheadMs);
  leap.until = Date.now();
  await untilNone(cluster, 'left');
  return stuck;
}

/** What is left after that is found by the checks. */
async function untilNone(cluster: Cluster, what: 'due' | 'left'): Promise<string[]> {
  const giveUpAt = Date.now() + quietWithinMs;
  const isDue = (at: string): string => (what === 'due' ? `and ${at} <= now()` : '');
  for (;;) {
    const left = await cluster.query<{ id: string }>(`
      select job_id || ' run ' || id as id from ${jobs}.run
      where origin <> 'reserved' and verdict is null ${isDue(`case when worker is null then due_at else '-infinity' end`)}
      union all
      select j.id || ' stands at ' || c.next_at from ${jobs}.cursor c join ${jobs}.job j on j.uid = c.job_uid where true ${isDue('c.next_at')}`);
    if (left.length === 0 || Date.now() > giveUpAt) return left.map(({ id }) => id);
    await pause(200);
  }
}
