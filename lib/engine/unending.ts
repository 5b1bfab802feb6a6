import type { ChronisEvents } from '../events/chronis.events.js';
import type { Clock } from '../ports/clock.js';

/** Not at once, as what has thrown may do so again and again. */
const anewAfterMs = 1_000;

/** Runs a loop until it ends by itself. One that throws is told, and begun anew as long as it is needed; never rejects. */
export async function unending(
  part: string,
  loop: () => Promise<void>,
  needed: () => boolean,
  { clock, events }: { clock: Clock; events: ChronisEvents },
): Promise<void> {
  for (;;) {
    try {
      return await loop();
    } catch (error) {
      events.emit('engine.failed', { part, error });
    }
    if (!needed()) return;
    await new Promise<void>((resolve) => void clock.setTimer(anewAfterMs, resolve));
    if (!needed()) return;
  }
}
