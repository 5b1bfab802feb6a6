import type { ChronisEvents } from '../events/chronis.events.js';
import type { ChronisEventMap } from '../events/event.map.js';
import type { Clock } from '../ports/clock.js';

type Answer = ChronisEventMap['storage.answered'];

/** Tells that the storage has answered a call that was sent then (monotonic), if anybody wants to know. */
export function tellAnswer(
  { events, clock }: { events: ChronisEvents; clock: Clock },
  operation: Answer['operation'],
  sentAt: number,
  count = 0,
  claimed = 0,
): void {
  if (!events.hears('storage.answered')) return;
  events.emit('storage.answered', { operation, count, claimed, tookMs: clock.monotonic() - sentAt });
}
