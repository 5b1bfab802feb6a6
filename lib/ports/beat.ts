/** Renewals of one worker's lease from outside the event loop, for the time that the event loop is blocked. */
export interface Beat {
  /** Shows that the event loop turns; `renewedMsAgo`: when it last renewed the lease by itself. */
  tick(renewedMsAgo: number): void;
  /** How long ago the last successful renewal of the beat was sent, in ms; Infinity: none was. */
  renewedMsAgo(): number;
  /**
   * How long ago a renewal of the beat was last under way, in ms: until then it may have taken effect, also after a renewal of the event loop that was sent later. 0: one is; Infinity: none was.
   * Without it, `renewedMsAgo`.
   */
  underWayMsAgo?(): number;
  /** No renewal is sent after this. */
  stop(): Promise<void>;
}

/** What a beat is asked to do. */
export interface BeatOrder {
  workerId: string;
  leaseMs: number;
  /** Without a tick for so long the process hangs, and the lease shall end. */
  maxBlockedMs: number;
}
