import { isMainThread } from 'node:worker_threads';
import type { CancelTimer, Clock } from '../ports/clock.js';

/** They are often enabled last of all, when the application listens. */
const enabledWithinMs = 10_000;

/** What a platform, a container or a watcher ends processes with; Windows knows only the keyboard's. */
const signal = process.platform === 'win32' ? 'SIGINT' : 'SIGTERM';

/** Tells by and by when nothing listens to the signal that ends processes: then no hook of Nest runs, and handlers end in the middle. */
export function watchShutdownHooks(clock: Clock, tell: (signal: string) => void): CancelTimer {
  return clock.setTimer(enabledWithinMs, () => {
    if (isMainThread && process.listenerCount(signal) === 0) tell(signal);
  });
}
