import { LockTimeoutError } from '../model/errors.js';
import type { Clock } from '../ports/clock.js';
import type { Lock, LockAdapter } from '../ports/lock.adapter.js';

const askAgainMs = 200;

/** Takes a lock as soon as it is free. Throws LockTimeoutError after `waitMs`; a wait longer than the lease outlives a dead holder. */
export async function acquireWithin(
  locks: LockAdapter,
  clock: Clock,
  { key, owner, ttlMs, waitMs }: { key: string; owner: string; ttlMs: number; waitMs: number },
): Promise<Lock> {
  const since = clock.monotonic();
  for (;;) {
    const lock = await locks.acquire(key, owner, ttlMs);
    if (lock !== null) return lock;
    const waited = clock.monotonic() - since;
    if (waited >= waitMs) throw new LockTimeoutError(key, Math.round(waited));
    await new Promise<void>((resolve) => {
      clock.setTimer(Math.min(askAgainMs, waitMs - waited), resolve);
    });
  }
}
