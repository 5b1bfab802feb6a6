import type { LockAdapter, StorageAdapter, JoinableTransaction } from '../index.js';

/** What every subject of a law has. @publicApi */
export interface LawSubject {
  /** Moves the subject's own clock forward; real time need not pass. The clock must not be the local one (`Date.now`), which some laws set wrong. */
  clock: {
    advance(ms: number): Promise<void>;
    /** Sets it back, as an operator does who sets a wrong one right. Laws that need it pass where the subject has no such clock. */
    setBack?(ms: number): void;
  };
  /** Gives everything back that was made for this law. */
  close(): Promise<void>;
}

/** A storage to be judged: fresh and empty for each law. @publicApi */
export interface StorageSubject extends LawSubject {
  storage: StorageAdapter;
  /** Another adapter on the same stored jobs, as another process would have it. */
  open: () => Promise<StorageAdapter>;
  /** Runs `work` in a transaction as an application begins it, for storages that can be joined: commits, or rolls back when it rejects. */
  transaction?: (work: (manager: JoinableTransaction) => Promise<void>) => Promise<void>;
}

/** A lock to be judged: fresh, nothing held. @publicApi */
export interface LockSubject extends LawSubject {
  lock: LockAdapter;
  /** Another adapter on the same locks, as another process would have it. */
  open: () => Promise<LockAdapter>;
}

/** One promise of a port, and how to check it: rejects (AssertionError) when it is broken. @publicApi */
export interface Law<S extends LawSubject = StorageSubject> {
  name: string;
  check(subject: S): Promise<void>;
}

/**
 * Judges one law on a subject of its own. In any test runner:
 *
 * @example
 * for (const law of storageLaws()) test(law.name, () => runLaw(law, makeSubject));
 * @publicApi
 */
export async function runLaw<S extends LawSubject>(
  law: Law<S>,
  makeSubject: () => S | Promise<S>,
): Promise<void> {
  const subject = await makeSubject();
  try {
    await law.check(subject);
  } finally {
    await subject.close();
  }
}

/** Names each law after its topic. */
export function lawsOf<S extends LawSubject = StorageSubject>(
  topic: string,
  checks: Record<string, (subject: S) => Promise<void>>,
): Law<S>[] {
  return Object.entries(checks).map(([name, check]) => ({ name: `${topic}: ${name}`, check }));
}
