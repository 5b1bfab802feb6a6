import type { ChronisEventMap } from './event.map.js';
import { outageOperations, rowOf } from './storage.operations.js';

/**
 * Decides which failures of the storage are worth a line: that an outage has begun, and that it is over, however many operations meet it. What fails for itself (one schedule, one run, a sync, a round
 * of the janitor) is told for itself.
 */
export class ToldOutages {
  /** Operations that do not get through; what they have in common is the outage. */
  private readonly outage = new Set<string>();
  /** By which operation it was told. */
  private begunBy = '';
  /** What else fails meanwhile, for which the outage accounts. */
  private readonly accountedFor = new Set<string>();
  /** Those that were told to fail for themselves. */
  private readonly told = new Set<string>();

  get isOut(): boolean {
    return this.outage.size > 0;
  }

  /** Whether this is news. */
  begins({ operation }: ChronisEventMap['storage.failing']): boolean {
    if (outageOperations.has(operation)) {
      const { isOut } = this;
      if (!isOut) this.begunBy = operation;
      this.outage.add(operation);
      return !isOut;
    }
    if (this.told.has(operation) || this.accountedFor.has(operation)) return false;
    const isNews = !this.isOut || rowOf(operation) !== null;
    (isNews ? this.told : this.accountedFor).add(operation);
    return isNews;
  }

  /** What is over, as its beginning was told: as a rule the operations of an outage do not recover in the order in which they failed. */
  nameOf({ operation }: ChronisEventMap['storage.recovered']): string {
    const isOther = outageOperations.has(operation) && this.begunBy !== operation;
    return isOther && !this.isOut ? `${this.begunBy}, ${operation}` : operation;
  }

  /** Whether this is news. */
  ends({ operation }: ChronisEventMap['storage.recovered']): boolean {
    if (!this.outage.delete(operation)) {
      this.accountedFor.delete(operation);
      return this.told.delete(operation);
    }
    if (this.isOut) return false;
    // What else the outage has hit is told anew when it fails again.
    this.accountedFor.clear();
    return true;
  }
}
