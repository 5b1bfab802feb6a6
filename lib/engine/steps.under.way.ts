import { InvalidOptionError } from '../model/errors.js';
import { follow } from './step.order.js';

/** Which durable steps of an attempt have begun and not ended, and whether their order is known: as long as each begins after those before it have ended, and none has failed. */
export class StepsUnderWay {
  private readonly begun = new Set<string>();
  private count = 0;
  private isOrdered = true;
  private readonly awaitingIdle: (() => void)[] = [];

  get any(): boolean {
    return this.count > 0;
  }

  /** Returns its place in the order, from 1; null: that is not known. Throws InvalidOptionError. */
  begin(name: string): number | null {
    if (this.begun.has(name)) {
      throw new InvalidOptionError(
        'name',
        `the step ${JSON.stringify(name)} has begun already in this attempt: its end is found again by this name. In a loop, put into it what tells one from the other.`,
      );
    }
    if (this.any) this.isOrdered = false;
    this.count++;
    this.begun.add(name);
    return this.isOrdered ? this.begun.size : null;
  }

  /** What follows one that has failed, and whose failure the handler has caught, may not follow in the next attempt. */
  failed(): void {
    this.isOrdered = false;
  }

  /** Returns whether it was the last one. */
  ended(): boolean {
    this.count--;
    if (this.any) return false;
    for (const resolve of this.awaitingIdle.splice(0)) resolve();
    return true;
  }

  /** Resolves when none is under way, and none has followed. */
  async idle(): Promise<void> {
    while (this.any) {
      await new Promise<void>((resolve) => this.awaitingIdle.push(resolve));
      await this.isFollowed();
    }
  }

  /** Whether another is under way once what has ended has had the time to begin the step that follows. */
  async isFollowed(): Promise<boolean> {
    await follow(() => this.any);
    return this.any;
  }
}
