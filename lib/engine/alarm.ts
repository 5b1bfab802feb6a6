import type { Clock } from '../ports/clock.js';

/** Sleeps until a time or until woken; a wake that comes while nobody sleeps ends the next sleep at once. */
export class Alarm {
  private woken = false;
  private end: (() => void) | null = null;

  constructor(private readonly clock: Clock) {}

  wake(): void {
    this.woken = true;
    this.end?.();
  }

  async sleep(ms: number): Promise<void> {
    if (!this.woken) {
      await new Promise<void>((resolve) => {
        // Rounded up: a timer that fires a moment early finds nothing due and has to sleep again.
        const cancel = this.clock.setTimer(Math.ceil(ms), resolve);
        this.end = () => {
          cancel();
          resolve();
        };
      });
      this.end = null;
    }
    this.woken = false;
  }
}
