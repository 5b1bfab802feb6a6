/**
 * What changed elsewhere.
 * `due`: something is due at `at` (epoch ms of the storage's clock), a run or a cursor, or either where nothing is said · `cancel`: somebody asked to cancel a run · `release`: the last worker has gone that carried a set
 * of declarations, so others may be in force · `change`: anything else.
 */
export type Wake =
  | { kind: 'due'; at: number; what?: 'run' | 'cursor' }
  | { kind: 'cancel' }
  | { kind: 'release' }
  | { kind: 'change' };

/** Is told what becomes of a subscription. @publicApi */
export interface WakeWatcher {
  /** No signals arrive at present. Told again for each loss. */
  lost(error: Error): void;
  /** They arrive again. */
  resumed(): void;
}

/**
 * Tells workers at once what a poll would tell them later. Losing a signal costs latency, never a run. @publicApi
 */
export abstract class WakeSignal {
  /**
   * Begins to deliver; signals of this process are delivered too. Reconnects by itself, and then delivers one `change`
   * because something may have been missed. Resolves when listening, or rejects when it cannot (the engine then polls, and tries again later).
   * `watcher`: is told when a subscription that listened does not any more, and when it does again.
   */
  abstract subscribe(listener: (wake: Wake) => void, watcher?: WakeWatcher): Promise<() => Promise<void>>;
}
