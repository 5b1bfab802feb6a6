import type { Cluster } from '../cluster.js';
import { createOneOff } from '../one.offs.js';
import { pause } from '../pause.js';
import type { WorkerProcess } from '../worker.process.js';
import type { Act, Fault } from './fault.js';

/** A worker is waited for no longer than that to begin what a fault needs. */
export const longestIdleMs = 10_000;

/** Harm to one worker that it survives. */
function toOne(
  kind: string,
  harm: (worker: WorkerProcess) => void,
  heal: (worker: WorkerProcess) => void,
  lasts = 1,
): Fault {
  const act: Act = async (cluster, random) => {
    const lastsMs = cluster.options.leaseMs * (1.3 + random.next()) * lasts;
    const worker = await cluster.victim(random);
    const at = Date.now();
    harm(worker);
    cluster.note({ kind, pid: worker.pid, at, until: at + lastsMs });
    await pause(lastsMs);
    heal(worker);
    worker.busy = false;
  };
  return { world: 'steady', act };
}

/** Ends a worker and puts another in its place at once. */
export async function replace(cluster: Cluster, worker: WorkerProcess, kind: 'kill' | 'term'): Promise<void> {
  const at = Date.now();
  cluster.note({ kind, pid: worker.pid, at, until: at });
  await cluster.replace(worker, kind === 'kill' ? 'SIGKILL' : 'SIGTERM');
}

function replacing(kind: 'kill' | 'term'): Fault {
  return {
    world: 'any',
    act: async (cluster, random) => replace(cluster, await cluster.victim(random), kind),
  };
}

/** Another set of declarations, worker by worker; one that is being harmed, or that nobody else is there for, stays behind. */
const deploy: Act = async (cluster) => {
  cluster.release++;
  const at = Date.now();
  const old = cluster.workers.filter((worker) => worker.options.release < cluster.release);
  for (const worker of old) if (cluster.canSpare(worker)) await replace(cluster, worker, 'term');
  cluster.note({ kind: 'deploy', pid: null, at, until: Date.now() });
};

/** Frozen between the verdict of a `ctx.transaction` and its COMMIT, for longer than the lease, and killed then: until the server notices it holds the rows of that run and job. */
const stopAtCommit: Act = async (cluster, random) => {
  const worker = await cluster.victim(random);
  const within = cluster.options.leaseMs * 2 + 8_000;
  const at = await new Promise<number | null>((resolve) => {
    const timer = setTimeout(() => resolve(null), longestIdleMs);
    worker.proxy.holdNextCommit(() => {
      worker.signal('SIGSTOP');
      clearTimeout(timer);
      resolve(Date.now());
    });
  });
  if (at !== null) {
    cluster.note({ kind: 'stop-at-commit', pid: worker.pid, at, until: at + within });
    await pause(within);
    return replace(cluster, worker, 'kill');
  }
  worker.proxy.heal();
  worker.busy = false;
};

let poisons = 0;

/** A one-off that ends each process that executes it. */
const poison: Act = async (cluster) => {
  const at = Date.now();
  const { scheduler } = cluster.surroundings.applicant!;
  await createOneOff(scheduler, `poison-${++poisons}`, { handler: 'poison', in: 1 });
  cluster.note({ kind: 'poison', pid: null, at, until: Date.now() });
};

const freeze = toOne(
  'freeze',
  (worker) => worker.signal('SIGSTOP'),
  (worker) => worker.signal('SIGCONT'),
);
const cut = toOne(
  'cut',
  ({ proxy }) => proxy.cut(),
  ({ proxy }) => proxy.heal(),
);
const silence = toOne(
  'silence',
  ({ proxy }) => proxy.silence(),
  ({ proxy }) => proxy.heal(),
);
const swallow = toOne(
  'swallow',
  ({ proxy }) => proxy.swallow(),
  () => undefined,
  2,
);
/** As long as a kernel may keep bytes whose sender has given up. */
const deliverLate = toOne(
  'deliver-late',
  ({ proxy }) => proxy.delay(35_000),
  () => undefined,
  2,
);
const trickle = toOne(
  'trickle',
  ({ proxy }) => proxy.limit(60_000),
  ({ proxy }) => proxy.heal(),
  2,
);

export const workerFaults: Readonly<Record<string, Fault>> = {
  kill: replacing('kill'),
  freeze,
  term: replacing('term'),
  cut,
  silence,
  swallow,
  'deliver-late': deliverLate,
  trickle,
  'stop-at-commit': { world: 'steady', act: stopAtCommit },
  poison: { world: 'steady', act: poison },
  deploy: { world: 'steady', act: deploy },
};
