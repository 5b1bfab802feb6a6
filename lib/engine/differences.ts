import { hostname } from 'node:os';
import type { ChronisEvents } from '../events/chronis.events.js';
import { sameRetention } from '../model/retention.js';
import type { StorageAdapter, WorkerInfo } from '../ports/storage.adapter.js';
import type { EngineOptions } from './engine.options.js';

/** Tells, when a process begins to work, what live workers do in another way though it concerns all (zone data, and how long the record is kept), and whose leases have to be waited for. */
export async function tellDifferences(
  storage: StorageAdapter,
  events: ChronisEvents,
  { app, retention, zoneData }: Pick<EngineOptions, 'app' | 'retention' | 'zoneData'>,
): Promise<void> {
  const now = await storage.now();
  const live = (await storage.queryWorkers()).filter((worker) => worker.leaseUntil.getTime() > now);
  const killed = live.filter(isKilled).map(({ id, pid, leaseUntil }) => ({
    workerId: id,
    pid,
    leaseMs: leaseUntil.getTime() - now,
  }));
  if (killed.length > 0) events.emit('workers.killed', { workers: killed });
  const versions = new Set(live.map((worker) => worker.zoneData));
  versions.delete(zoneData);
  // A Node without a version of its own cannot be compared.
  if (versions.size > 0 && /^\d{4}[a-z]/.test(zoneData)) {
    events.emit('zone-data.differs', { own: zoneData, others: [...versions].toSorted() });
  }
  const others = retentionsOfOthers(live, { app, retention });
  if (others.length > 0) events.emit('keep-ledger.differs', { app, own: retention, others });
}

/**
 * Whether its process does not exist any more on this machine, though its lease goes on. That is only told, and its runs are not taken: containers may share the name of a host and not its processes.
 */
function isKilled({ host, pid }: WorkerInfo): boolean {
  if (host !== hostname() || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** Each app with what it wants that is not the same; in one app it differs during a deploy only. */
function retentionsOfOthers(
  live: readonly WorkerInfo[],
  own: Pick<EngineOptions, 'app' | 'retention'>,
): { app: string; retention: EngineOptions['retention'] }[] {
  const others = new Map<string, EngineOptions['retention']>();
  for (const { app, retention } of live) {
    if (app === own.app || retention === null || sameRetention(retention, own.retention)) continue;
    others.set(app, retention);
  }
  return [...others].map(([app, retention]) => ({ app, retention }));
}
