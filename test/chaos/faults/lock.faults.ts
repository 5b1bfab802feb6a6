import { allTables } from '../../../lib/typeorm/sql/table.names.js';
import { jobs } from '../chaos.options.js';
import type { Cluster } from '../cluster.js';
import { pause } from '../pause.js';
import type { Act, Fault } from './fault.js';
import { longestIdleMs, replace } from './worker.faults.js';

/** The rows of a table that belong to some jobs, with the names of these; `$1`: how many. */
const rowsOf: Readonly<Record<string, string>> = {
  run: `select job_id from ${jobs}.run where origin <> 'reserved' and verdict is null order by random() limit $1`,
  cursor: `select j.id as job_id from ${jobs}.cursor c join ${jobs}.job j on j.uid = c.job_uid order by random() limit $1`,
  job: `select id as job_id from ${jobs}.job order by random() limit $1`,
  job_stat: `select j.id as job_id from ${jobs}.job_stat s join ${jobs}.job j on j.uid = s.job_uid order by random() limit $1`,
  lock: `select null as job_id from ${jobs}.lock limit $1`,
  pause: `select null as job_id from ${jobs}.pause limit $1`,
  gap: `select null as job_id from ${jobs}.gap order by random() limit $1`,
  attempt: `select null as job_id from ${jobs}.attempt order by random() limit $1`,
};

/** The alias whose rows are locked. */
const lockedOf: Readonly<Record<string, string>> = { cursor: ' of c', job_stat: ' of s' };

/** A transaction of somebody else holds some rows, as a caller's own that was forgotten does. */
const lockRows: Act = async (cluster, random) => {
  const table = random.pick(Object.keys(rowsOf));
  const mode = random.pick(['for update', 'for share']);
  await hold(cluster, 'lock-rows', `: ${table} ${mode}`, random.between(3_000, 6_000), async (query) =>
    query(`${rowsOf[table]} ${mode}${lockedOf[table] ?? ''}`, [random.between(1, 4)]),
  );
};

/** What a worker is executing is held by somebody, and then the worker dies. One that executes nothing for a good while is left alone. */
const lockDead: Act = async (cluster, random) => {
  const worker = await cluster.victim(random);
  const lastsMs = cluster.options.leaseMs * 2 + 8_000;
  const replacing: Promise<void>[] = [];
  await hold(cluster, 'lock-dead', ` of ${worker.pid}`, lastsMs, async (query) => {
    const giveUpAt = Date.now() + longestIdleMs;
    for (;;) {
      const held = await query(
        `select r.job_id from ${jobs}.run r join ${jobs}.worker w on w.id = r.worker where w.pid = $1 order by r.id limit 1 for update of r`,
        [worker.pid],
      );
      if (held.length > 0) replacing.push(replace(cluster, worker, 'kill'));
      if (held.length > 0 || Date.now() > giveUpAt) return held;
      await pause(20);
    }
  });
  if (replacing.length === 0) worker.busy = false;
  await Promise.all(replacing);
};

/** A migration of somebody, a dump, a VACUUM FULL. */
const lockTable: Act = (cluster, random) =>
  cluster.alone(async () => {
    const table = random.pick(allTables);
    const fault = cluster.note({
      kind: 'lock-table',
      pid: null,
      at: Date.now(),
      until: Infinity,
      outage: true,
      what: `: ${table}`,
    });
    try {
      await cluster.connected(async (client) => {
        await client.query('begin');
        await client.query(`lock table ${jobs}.${table} in access exclusive mode`);
        await pause(random.between(1_000, 3_000));
      });
    } catch {
      // Terminated: then it was held as long as it was.
    }
    fault.until = Date.now();
  });

type Query = (text: string, values: unknown[]) => Promise<{ job_id: string | null }[]>;

async function hold(
  cluster: Cluster,
  kind: string,
  what: string,
  lastsMs: number,
  take: (query: Query) => Promise<{ job_id: string | null }[]>,
): Promise<void> {
  try {
    await cluster.connected(async (client) => {
      await client.query('begin');
      const at = Date.now();
      const held = await take(
        async (text, values) => (await client.query<{ job_id: string | null }>(text, values)).rows,
      );
      const named = held.flatMap(({ job_id }) => (job_id === null ? [] : [job_id]));
      cluster.note({ kind, pid: null, at, until: at + lastsMs, jobs: [...new Set(named)], what });
      await pause(lastsMs);
    });
  } catch {
    // Terminated: then it was held as long as it was.
  }
}

export const lockFaults: Readonly<Record<string, Fault>> = {
  'lock-rows': { world: 'steady', act: lockRows },
  'lock-dead': { world: 'steady', act: lockDead },
  'lock-table': { world: 'steady', act: lockTable },
};
