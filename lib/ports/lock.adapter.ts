/** A held lock. */
export interface Lock {
  key: string;
  owner: string;
  /** Grows with every acquisition of the key, also after a reset: a resource that remembers the highest can refuse stale holders. */
  fence: number;
}

/** What can be seen of a lock. */
export interface LockState extends Lock {
  expiresAt: Date;
}

/**
 * Mutual exclusion with leases. Serves the sync of definitions, the janitor, and users.
 *
 * Any implementation must pass `lockLaws` from `nestjs-chronis/testing`. @publicApi
 */
export abstract class LockAdapter {
  /** Whether other processes see these locks. Must be true where the storage is shared. */
  abstract readonly shared: boolean;

  /** Prepares the adapter. Called once, after the storage's `init`. */
  abstract init(): Promise<void>;
  abstract close(): Promise<void>;

  /**
   * Takes the lock if it is free or its lease has ended: of any number of concurrent callers exactly one gets it.
   * The same owner asking again gets it anew, with a higher fence and a new lease. Null: somebody else holds it.
   */
  abstract acquire(key: string, owner: string, ttlMs: number): Promise<Lock | null>;
  /** Sets the lease to end `ttlMs` from now. False: the lock is no longer held with this fence, or its lease has ended; nothing was changed. */
  abstract extend(lock: Lock, ttlMs: number): Promise<boolean>;
  /** Gives the lock back. False: it was no longer held with this fence; nothing was changed. */
  abstract release(lock: Lock): Promise<boolean>;
  /** Frees a key whoever holds it; the fence goes on counting. False: it was free. */
  abstract reset(key: string): Promise<boolean>;
  /** Who holds the key, or null. */
  abstract inspect(key: string): Promise<LockState | null>;
}
