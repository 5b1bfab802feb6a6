import type { ChronisEventMap } from './event.map.js';

/** What is tried again sooner fails for as long as the storage does; rounds that come seldom say nothing of now. */
const longestPauseMs = 5_000;
/** Of one row, which may be all that fails. */
const isOfOneRow = /^(?:fire |settle run )/;

/**
 * Decides which failures of the storage are worth a line: that an outage has begun, and that it is over, however many operations meet it. What fails for itself (one schedule, one run, a round
 * of the janitor) is told for itself.
 */
export class ToldOutages {
  /** Those that were told, or that the outage accounts for. */
  private readonly failing = new Set<string>();
  /** Operations that do not get through; what they have in common is the outage. */
  private readonly outage = new Set<string>();

  get isOut(): boolean {
    return this.outage.size > 0;
  }

  /** Whether this is news. */
  begins({ operation, retryInMs }: ChronisEventMap['storage.failing']): boolean {
    const isNews = !this.failing.has(operation) && (!this.isOut || isOfOneRow.test(operation));
    this.failing.add(operation);
    if (retryInMs > 0 && retryInMs <= longestPauseMs && !isOfOneRow.test(operation))
      this.outage.add(operation);
    return isNews;
  }

  /** Whether this is news. */
  ends({ operation }: ChronisEventMap['storage.recovered']): boolean {
    const wasOut = this.outage.delete(operation);
    if (!wasOut) return this.failing.delete(operation);
    if (this.isOut) return false;
    // What else the outage has hit is told anew when it fails again.
    for (const other of this.failing) if (!isOfOneRow.test(other)) this.failing.delete(other);
    return true;
  }
}
