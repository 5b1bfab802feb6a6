import type { CancelTimer, Clock } from '../ports/clock.js';

type Unsubscribe = () => Promise<void>;

const firstDelayMs = 1_000;
const longestDelayMs = 60_000;

/** What a subscription needs. */
export interface SubscriptionParts {
  subscribe: () => Promise<Unsubscribe>;
  clock: Clock;
  random: () => number;
  /** It is not possible; tried again later. Told once until it is. */
  onRefused: (error: unknown) => void;
  /** It is possible after all. */
  onAccepted: () => void;
}

/** Subscribes; what is refused is tried again with growing pauses, for as long as it takes. A server may be full when many processes start at once. */
export class Subscription {
  private unsubscribe: Unsubscribe | null = null;
  private cancelRetry: CancelTimer | null = null;
  private failures = 0;
  private ended = false;

  constructor(private readonly parts: SubscriptionParts) {}

  /** Resolves after the first try. Never rejects. */
  async begin(): Promise<void> {
    const { subscribe, clock, random, onRefused, onAccepted } = this.parts;
    try {
      const unsubscribe = await subscribe();
      if (this.ended) return await unsubscribe();
      this.unsubscribe = unsubscribe;
      if (this.failures > 0) onAccepted();
    } catch (error) {
      if (this.ended) return;
      if (this.failures === 0) onRefused(error);
      const delayMs = Math.min(firstDelayMs * 2 ** Math.min(this.failures++, 10), longestDelayMs);
      this.cancelRetry = clock.setTimer(delayMs * (0.5 + random() / 2), () => void this.begin());
    }
  }

  /** Rejects with what the end of it rejects with. */
  async end(): Promise<void> {
    this.ended = true;
    this.cancelRetry?.();
    await this.unsubscribe?.();
  }
}
