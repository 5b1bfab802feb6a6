import pg from 'pg';
import type { SeededRandom } from '../simulation/seeded.random.js';
import { pause, type Cluster } from './cluster.js';
import type { WorkerProcess } from './worker.process.js';

/** Does its harm, notes it, and resolves when it is over. */
type Fault = (cluster: Cluster, random: SeededRandom) => Promise<void>;

/** Harm to one worker that it survives. */
function toOne(
  kind: string,
  harm: (worker: WorkerProcess) => void,
  heal: (worker: WorkerProcess) => void,
): Fault {
  return async (cluster, random) => {
    const lastsMs = cluster.options.leaseMs * (1.3 + random.next());
    const worker = await cluster.victim(random);
    const at = Date.now();
    harm(worker);
    cluster.note({ kind, pid: worker.pid, at, until: at + lastsMs });
    await pause(lastsMs);
    heal(worker);
    worker.busy = false;
  };
}

/** Ends a worker and puts another in its place at once. */
async function replace(cluster: Cluster, worker: WorkerProcess, kind: 'kill' | 'term'): Promise<void> {
  const at = Date.now();
  cluster.note({ kind, pid: worker.pid, at, until: at });
  await cluster.replace(worker, kind === 'kill' ? 'SIGKILL' : 'SIGTERM');
}

function replacing(kind: 'kill' | 'term'): Fault {
  return async (cluster, random) => {
    await replace(cluster, await cluster.victim(random), kind);
  };
}

/** Another set of declarations, worker by worker; one that is being harmed stays behind. */
const deploy: Fault = async (cluster) => {
  cluster.release++;
  const at = Date.now();
  const old = cluster.workers.filter((worker) => worker.options.release < cluster.release);
  for (const worker of old) if (!worker.busy) await replace(cluster, worker, 'term');
  cluster.note({ kind: 'deploy', pid: null, at, until: Date.now() });
};

const terminate: Fault = async (cluster) => {
  const at = Date.now();
  try {
    await cluster.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname is not null',
    );
  } catch {
    // The server may be restarting at this moment: then they are all gone anyway.
  }
  cluster.note({ kind: 'terminate', pid: null, at, until: Date.now() });
};

const restart: Fault = async (cluster) => {
  while (cluster.serverIsDown) await pause(50);
  cluster.serverIsDown = true;
  const at = Date.now();
  await cluster.server.kill('SIGQUIT');
  await cluster.server.restart();
  cluster.serverIsDown = false;
  cluster.note({ kind: 'restart', pid: null, at, until: Date.now() });
};

const snapshot: Fault = async (cluster, random) => {
  const at = Date.now();
  const lastsMs = random.between(2_000, 6_000);
  const client = new pg.Client(cluster.server.url);
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('begin isolation level repeatable read');
    await client.query('select count(*) from chronis.run');
    await pause(lastsMs);
  } catch {
    // Terminated: then it was held as long as it was.
  } finally {
    await client.end().catch(() => undefined);
  }
  cluster.note({ kind: 'snapshot', pid: null, at, until: Date.now() });
};

export const faults: Readonly<Record<string, Fault>> = {
  kill: replacing('kill'),
  freeze: toOne(
    'freeze',
    (worker) => worker.signal('SIGSTOP'),
    (worker) => worker.signal('SIGCONT'),
  ),
  term: replacing('term'),
  terminate,
  restart,
  snapshot,
  cut: toOne(
    'cut',
    ({ proxy }) => proxy.cut(),
    ({ proxy }) => proxy.heal(),
  ),
  silence: toOne(
    'silence',
    ({ proxy }) => proxy.silence(),
    ({ proxy }) => proxy.heal(),
  ),
  deploy,
};
