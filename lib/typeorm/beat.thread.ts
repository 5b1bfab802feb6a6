// The thread that renews a lease while the event loop of the process is blocked. As long as that renews by itself, it only watches.
// The build puts it into beat.source, with all that it imports.
import { parentPort, workerData } from 'node:worker_threads';
import { Client } from 'pg';
import { msSince, rightNow, underWay, type BeatThreadOrder } from './beat.times.js';

const { workerId, leaseMs, maxBlockedMs, connection, sql, shared } = workerData as BeatThreadOrder;
const times = new BigInt64Array(shared);
let client: Client | null = null;

async function connect(): Promise<Client> {
  const fresh = new Client({ ...connection, query_timeout: leaseMs });
  fresh.on('error', () => {
    if (client === fresh) client = null;
  });
  await fresh.connect();
  return fresh;
}

async function disconnect(): Promise<void> {
  const old = client;
  client = null;
  await old?.end().catch(() => undefined);
}

/** False: the lease has ended. */
async function renew(): Promise<boolean> {
  client ??= await connect();
  Atomics.store(times, 3, underWay);
  const sentAt = rightNow();
  const { rows } = await client
    .query<{ lease_until: number | null }>(sql, [null, workerId, leaseMs, null, null, null, null, null])
    .finally(() => Atomics.store(times, 3, rightNow()));
  if (rows[0]?.lease_until === null) return false;
  Atomics.store(times, 2, sentAt);
  return true;
}

async function watch(): Promise<void> {
  for (let alive = true; alive;) {
    await new Promise((resolve) => setTimeout(resolve, leaseMs / 10));
    const ticked = msSince(Atomics.load(times, 0));
    const renewed = msSince(Atomics.load(times, 1));
    if (renewed < leaseMs / 2) await disconnect();
    else if (msSince(Atomics.load(times, 2)) >= leaseMs / 3 && ticked < maxBlockedMs) {
      alive = await renew().catch(async () => {
        await disconnect();
        return true;
      });
    }
  }
  await disconnect();
}

parentPort!.postMessage('started');
void watch();
