import { shortestKeptMs, type Retention } from '../model/retention.js';
import { ceilTo, floorTo, statisticsKeptMs, unitMs, type RollupMark } from '../model/rollup.js';
import type { EpochMs, RollupStorage } from '../ports/storage.adapter.js';

/** So long after an attempt has ended its row may come and is counted within the next round. */
const lateMs = 15 * unitMs.minute;
/** What is nearer than this to being forgotten is not counted anew: it may go meanwhile. */
const marginMs = 5 * unitMs.minute;
const mostStepsPerRound = 60;
const rowsForgottenPerRound = 5_000;

/** From when on the ledger has all rows for sure. */
export function wholeSince(now: EpochMs, wholeMs: number): EpochMs {
  return now - wholeMs + marginMs;
}

/**
 * Counts what the ledger comes to, in steps of an hour at most, each of them a transaction: whoever is killed has done a step or has not. What is counted is replaced, so the last minutes are counted in each round
 * anew, for rows that come late, and each hour is compared with the ledger once more when its day is over.
 */
export class RollupMaker {
  private stepMs: number = unitMs.hour;

  constructor(
    private readonly rollups: RollupStorage,
    private readonly retention: Retention,
  ) {}

  async round(isStopped: () => boolean): Promise<void> {
    const state = await this.rollups.rollupState();
    const { now, mark, oldest } = state;
    const wholeMs = state.wholeMs ?? shortestKeptMs(this.retention);
    const whole = wholeSince(now, wholeMs);
    const target = floorTo(now, 'minute');
    let steps = 0;
    const hasRoom = (): boolean => steps++ < mostStepsPerRound && !isStopped();
    let from = beginning(mark, oldest, whole, target);
    while (from < target && hasRoom()) {
      const until = Math.min(from + this.stepAt(from, now), target, floorTo(from, 'hour') + unitMs.hour);
      await this.make(from, until, wholeMs);
      from = until;
    }
    if (from < target) return;
    const over = floorTo(target - lateMs, 'day');
    let hour = Math.max(floorTo(mark?.checkedUntil ?? over, 'hour'), ceilTo(whole, 'hour'));
    for (; hour < over && hasRoom(); hour += unitMs.hour)
      await this.rollups.makeRollups({ from: hour, until: hour + unitMs.hour, kind: 'check', wholeMs });
    await this.rollups.forgetRollups(statisticsKeptMs, rowsForgottenPerRound);
  }

  /** Hours of which the minutes are gone are counted as a whole. */
  private stepAt(from: EpochMs, now: EpochMs): number {
    return from < now - statisticsKeptMs.minute + unitMs.day ? unitMs.hour : this.stepMs;
  }

  /** What is too much for the deadline of a statement is less the next time. */
  private async make(from: EpochMs, until: EpochMs, wholeMs: number): Promise<void> {
    try {
      await this.rollups.makeRollups({ from, until, kind: 'make', wholeMs });
      this.stepMs = Math.min(this.stepMs * 2, unitMs.hour);
    } catch (error) {
      this.stepMs = Math.max(floorTo(this.stepMs / 2, 'minute'), unitMs.minute);
      throw error;
    }
  }
}

/** Where a round begins: where the last one ended, less what may come late; the first one where the ledger does. */
function beginning(
  mark: RollupMark | null,
  oldest: EpochMs | null,
  whole: EpochMs,
  target: EpochMs,
): EpochMs {
  if (mark === null) return Math.max(floorTo(oldest ?? target, 'hour'), ceilTo(whole, 'hour'));
  const from = Math.min(mark.until, target - lateMs);
  if (from >= whole) return Math.max(from, mark.from);
  return ceilTo(whole, whole < target - statisticsKeptMs.minute ? 'hour' : 'minute');
}
