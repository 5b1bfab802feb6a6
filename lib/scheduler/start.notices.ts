import { LookAfterStart } from '../engine/look.after.start.js';
import type { ChronisEvents } from '../events/chronis.events.js';
import type { Clock } from '../ports/clock.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import { standingPauses } from './standing.pauses.js';
import { findUnservedHandlers } from './unserved.handlers.js';
import { findUnserved } from './unserved.steps.js';

const graceMs = 1_000;

/** What they work with. */
export interface StartNoticesParts {
  storage: StorageAdapter;
  clock: Clock;
  events: ChronisEvents;
  /** The process that has started. */
  own: () => {
    app: string;
    queues: readonly string[];
    /** All that it knows. */
    handlers: readonly string[];
    /** Those that it serves. */
    offered: readonly string[];
    /** Whether it declares jobs. */
    declares: boolean;
  };
}

/** Tells, soon after the start of a process, what is paused of all that it would run, what workflows need that it lacks, and what jobs need that every process lacks. */
export function startNotices({ storage, clock, events, own }: StartNoticesParts): LookAfterStart {
  const look = async (): Promise<() => void> => {
    const { offered, ...process } = own();
    const paused = await standingPauses(storage, process);
    const { app } = process;
    const { steps, definitions } = await findUnserved(storage, { app, handlers: offered });
    const handlers = await findUnservedHandlers(storage, { app, handlers: offered, withLive: true });
    return () => {
      if (paused !== null) events.emit('pauses.standing', paused);
      if (steps.length + definitions.length > 0)
        events.emit('workflows.unserved', { app, steps, definitions });
      if (handlers.length > 0) events.emit('handlers.unserved', { app, handlers });
    };
  };
  return new LookAfterStart({ clock, events, operation: 'look for pauses', graceMs, look });
}
