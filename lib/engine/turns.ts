import type { Clock } from '../ports/clock.js';
import type { Walk } from '../triggers/walk.js';

/** Ten milliseconds of work, or twenty where each instant of a cron is looked at (`npm run bench -- catchup`). */
const mostPerTurn = 2_500;

/** Does long computations bit by bit, so that everything else in the process has its turn in between. */
export class Turns {
  /** All that was ever done, in instants walked over. */
  spent = 0;
  private inTurn = 0;

  constructor(private readonly clock: Clock) {}

  async finish<T>(walk: Walk<T>): Promise<T> {
    for (;;) {
      const step = walk.next();
      if (step.done) return step.value;
      await this.spend(step.value);
    }
  }

  async spend(instants: number): Promise<void> {
    this.spent += instants;
    this.inTurn += instants;
    if (this.inTurn < mostPerTurn) return;
    await new Promise<void>((resolve) => void this.clock.setTimer(0, resolve));
    this.inTurn = 0;
  }
}
