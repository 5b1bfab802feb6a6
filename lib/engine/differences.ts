import type { ChronisEvents } from '../events/chronis.events.js';
import { sameRetention } from '../model/retention.js';
import type { StorageAdapter, WorkerInfo } from '../ports/storage.adapter.js';
import type { EngineOptions } from './engine.options.js';

/** Tells, when a process begins to work, what live workers do in another way though it concerns all: zone data, and how long the record is kept. */
export async function tellDifferences(
  storage: StorageAdapter,
  events: ChronisEvents,
  { app, retention, zoneData }: Pick<EngineOptions, 'app' | 'retention' | 'zoneData'>,
): Promise<void> {
  const now = await storage.now();
  const live = (await storage.queryWorkers()).filter((worker) => worker.leaseUntil.getTime() > now);
  const versions = new Set(live.map((worker) => worker.zoneData));
  versions.delete(zoneData);
  // A Node without a version of its own cannot be compared.
  if (versions.size > 0 && /^\d{4}[a-z]/.test(zoneData)) {
    events.emit('zone-data.differs', { own: zoneData, others: [...versions].toSorted() });
  }
  const others = retentionsOfOthers(live, { app, retention });
  if (others.length > 0) events.emit('keep-ledger.differs', { app, own: retention, others });
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
