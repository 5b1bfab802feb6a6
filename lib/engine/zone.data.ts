import type { ChronisEvents } from '../events/chronis.events.js';
import type { Calendars } from '../model/trigger.js';
import type { StandingCursor, StorageAdapter } from '../ports/storage.adapter.js';
import { compileTrigger } from '../triggers/compiled.trigger.js';

/**
 * Keeps stored times true when governments change their clocks: a process whose zone data are newer than those of the stored times computes
 * them anew, from the last instant of each job, and tells which moved.
 */
export async function applyZoneData(
  storage: StorageAdapter,
  events: ChronisEvents,
  zoneData: string,
  calendars: Calendars,
): Promise<void> {
  // A Node without a version of its own cannot be compared.
  if (!/^\d{4}[a-z]/.test(zoneData)) return;
  const { from, moved } = await storage.recomputeCursors(zoneData, (cursor) => nextOf(cursor, calendars));
  if (from !== null) {
    const refs = moved.map(({ namespace, id }) => ({ namespace, id }));
    events.emit('schedules.recomputed', { from, to: zoneData, moved: refs });
  }
}

function nextOf(
  { namespace, id, trigger, since, nextAt }: StandingCursor,
  calendars: Calendars,
): number | null {
  try {
    return compileTrigger(trigger, `${namespace}/${id}`, calendars).next(since);
  } catch {
    // What cannot be computed is told when it falls due.
    return nextAt;
  }
}
