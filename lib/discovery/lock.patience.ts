import { LockTimeoutError } from '../model/errors.js';
import type { Clock } from '../ports/clock.js';
import type { Lock, LockAdapter } from '../ports/lock.adapter.js';

const askAgain = { firstMs: 200, mostMs: 1_000 };

/**
 * Takes a lock as soon as it is free. Throws LockTimeoutError when it has had the same holder for `waitMs`; a wait longer than the lease outlives a dead one. As long as it passes from hand
 * to hand, others go on, and the turn of this one comes: very many instances may start at once.
 *
 * `settled` is asked before each try: true ends the wait without the lock (null), as what it was for is done.
 */
export async function acquireWithin(
  locks: LockAdapter,
  clock: Clock,
  { key, owner, ttlMs, waitMs }: { key: string; owner: string; ttlMs: number; waitMs: number },
  settled: () => Promise<boolean> = async () => false,
): Promise<Lock | null> {
  let since = clock.monotonic();
  let holder: number | null = null;
  for (let tries = 0; ; tries++) {
    if (await settled()) return null;
    const lock = await locks.acquire(key, owner, ttlMs);
    if (lock !== null) return lock;
    const waited = clock.monotonic() - since;
    if (tries === 0 || waited >= waitMs) {
      const fence = (await locks.inspect(key))?.fence ?? null;
      if (tries > 0 && fence !== null && fence === holder)
        throw new LockTimeoutError(key, Math.round(waited));
      holder = fence;
      since = clock.monotonic();
    }
    const pauseMs = Math.min(askAgain.firstMs * 1.5 ** Math.min(tries, 10), askAgain.mostMs);
    await new Promise<void>((resolve) => {
      clock.setTimer(Math.max(Math.min(pauseMs, waitMs - (clock.monotonic() - since)), 1), resolve);
    });
  }
}
