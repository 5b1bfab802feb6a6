import type { BeatOrder } from '../ports/beat.js';

/** What the thread is started with. */
export interface BeatThreadOrder extends BeatOrder {
  /** For `pg.Client`. */
  connection: Record<string, unknown>;
  /** The statement that renews. */
  sql: string;
  /** Of `beatTimes`. */
  shared: SharedArrayBuffer;
}

/** In place of the moment at which it ended: a renewal of the thread is under way. */
export const underWay = -1n;

/**
 * Four moments that both threads see, 0 for never: the last tick of the event loop, its last renewal, the last renewal of the thread, and when that, or one that failed, had ended.
 * In nanoseconds of `process.hrtime`, which is the one clock that is the same in all threads of a process; a Clock is not.
 */
export function beatTimes(): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * BigInt64Array.BYTES_PER_ELEMENT);
}

export function rightNow(): bigint {
  return process.hrtime.bigint();
}

export function msSince(moment: bigint): number {
  return moment === 0n ? Infinity : Number(rightNow() - moment) / 1e6;
}
