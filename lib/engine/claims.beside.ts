import type { Clock } from '../ports/clock.js';
import { Alarm } from './alarm.js';
import type { StorageCalls } from './storage.calls.js';

/** A firing, or a look at what is due, that takes longer waits for somebody else's lock, as a rule. */
export const firingPatienceMs = 1_000;
/** How often it claims then what nobody tells of. */
const claimEveryMs = 500;

/** What claims beside the loop need of it. */
export interface ClaimsBesideParts {
  clock: Clock;
  calls: StorageCalls;
  isNeeded: () => boolean;
  /** Claims what is due and has room; whether there may be more. */
  claim: () => Promise<boolean>;
}

/**
 * Claims while the loop waits for what needs more than a claim does: firings and looks at schedules stand still while somebody has locked the table of cursors, for instance, and runs that are
 * there already are not to wait for that.
 *
 * off → on (a step has not answered for a moment) → off (a step has answered). One that fails leaves it on: the next one may well hang, too.
 */
export class ClaimsBeside {
  private alarm: Alarm;
  private isOn = false;
  private claims: Promise<void> | null = null;

  constructor(private readonly parts: ClaimsBesideParts) {
    this.alarm = new Alarm(parts.clock);
  }

  /** Something is due, or there is room. */
  wake(): void {
    if (this.isOn) this.alarm.wake();
  }

  /** What the step resolves to, or rejects with. No claim is under way beside the loop when it has resolved. */
  async during<T>(step: Promise<T>): Promise<T> {
    const cancel = this.isOn ? null : this.parts.clock.setTimer(firingPatienceMs, () => this.begin());
    let value: T;
    try {
      value = await step;
    } finally {
      cancel?.();
    }
    if (this.isOn) await this.stop();
    return value;
  }

  /** Resolves when no claim is under way any more. */
  async stop(): Promise<void> {
    this.wake();
    this.isOn = false;
    await this.claims;
  }

  private begin(): void {
    this.isOn = true;
    this.alarm = new Alarm(this.parts.clock);
    const isNeeded = (): boolean => this.isOn && this.parts.isNeeded();
    this.claims = this.parts.calls.keepGoing(
      'claims beside the loop',
      () => this.claimWhile(isNeeded),
      isNeeded,
    );
  }

  private async claimWhile(isNeeded: () => boolean): Promise<void> {
    while (isNeeded()) {
      const answer = await this.parts.calls.repeat('claim', this.parts.claim, isNeeded);
      if (answer?.value === false && isNeeded()) await this.alarm.sleep(claimEveryMs);
    }
  }
}
