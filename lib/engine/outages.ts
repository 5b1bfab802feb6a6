import type { ChronisEvents } from '../events/chronis.events.js';
import type { ChronisEventMap } from '../events/event.map.js';
import type { Clock } from '../ports/clock.js';

/** What should have been tried again twice by now is not tried any more, or by somebody else. */
const patience = 2;
const graceMs = 1_000;

interface Outage {
  failures: number;
  since: number;
  failedAt: number;
  retryInMs: number;
  error: unknown;
}

/** An operation that was told as failing, and not as recovered yet. `since`: monotonic. */
export interface FailingOperation {
  operation: string;
  since: number;
  error: unknown;
}

/**
 * Sees to it that each operation that was told as failing is told as recovered: when it succeeds, or, if it is not tried any more, as the lease was lost or another worker does
 * it now, when the storage answers to others.
 */
export class Outages {
  /** How often something was told as recovered. What has answered before it may be lost: a standby that was behind may be who answers now. */
  recoveries = 0;
  private readonly outages = new Map<string, Outage>();
  /** How many tries of an operation are under way. One may take until the deadline of its statement. */
  private readonly tries = new Map<string, number>();

  constructor(
    private readonly clock: Clock,
    private readonly events: ChronisEvents,
  ) {
    events.on('storage.failing', (failure) => this.note(failure));
    events.on('storage.recovered', ({ operation }) => void this.outages.delete(operation));
  }

  /** The longest failing first. */
  get failing(): FailingOperation[] {
    return Array.from(this.outages, ([operation, { since, error }]) => ({ operation, since, error }));
  }

  /** A try of the operation begins, until `ends`. */
  begins(operation: string): void {
    this.tries.set(operation, (this.tries.get(operation) ?? 0) + 1);
  }

  ends(operation: string): void {
    const others = this.tries.get(operation)! - 1;
    if (others > 0) this.tries.set(operation, others);
    else this.tries.delete(operation);
  }

  /** The operation has succeeded. */
  answered(operation: string): void {
    if (this.outages.size === 0) return;
    this.tell(operation);
    const now = this.clock.monotonic();
    for (const [other, { failedAt, retryInMs }] of this.outages) {
      const isGivenUp = !this.tries.has(other) && now - failedAt > patience * retryInMs + graceMs;
      if (isGivenUp) this.tell(other);
    }
  }

  private note({ operation, error, retryInMs }: ChronisEventMap['storage.failing']): void {
    const failedAt = this.clock.monotonic();
    const { failures, since } = this.outages.get(operation) ?? { failures: 0, since: failedAt };
    this.outages.set(operation, { failures: failures + 1, since, failedAt, retryInMs, error });
  }

  private tell(operation: string): void {
    const outage = this.outages.get(operation);
    if (outage === undefined) return;
    this.outages.delete(operation);
    this.recoveries++;
    this.events.emit('storage.recovered', { operation, failures: outage.failures });
  }
}
