import type { ChronisEventMap } from '../events/event.map.js';
import type { Capability, StorageAdapter } from '../ports/storage.adapter.js';
import { wallText } from '../triggers/wall.text.js';

/** What a worker will run next, for the log. Rejects when the storage cannot be reached. */
export async function nextUp(
  storage: StorageAdapter,
  capability: Capability,
): Promise<Pick<ChronisEventMap['scheduler.started'], 'nextAt' | 'nextJob' | 'isDue'>> {
  const { now, cursorAt, runAt } = await storage.nextWakeAt(capability);
  const isDue = Math.min(runAt ?? Infinity, cursorAt ?? Infinity) <= now;
  if (runAt !== null && runAt < (cursorAt ?? Infinity)) {
    return { nextAt: new Date(runAt), nextJob: null, isDue };
  }
  if (cursorAt === null) return { nextAt: null, nextJob: null, isDue };
  const aheadMs = Math.max(cursorAt - now, 0);
  const [first] = (await storage.dueCursors(capability, 1, aheadMs)).cursors;
  // Another worker may have fired it meanwhile.
  if (first === undefined) return { nextAt: new Date(cursorAt), nextJob: null, isDue };
  const { jobId, namespace, nominalAt, timeZone } = first;
  const { full } = wallText(nominalAt, timeZone);
  return { nextAt: new Date(nominalAt), nextJob: { namespace, id: jobId, timeZone, wallTime: full }, isDue };
}
