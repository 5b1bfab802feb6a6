import { Clock, type CancelTimer } from '../../lib/ports/clock.js';

/**
 * A process that can be frozen (as by SIGSTOP or a long pause of the machine) and killed. While frozen nothing in it happens: timers that fall due
 * and answers that arrive wait for the thaw. After the kill nothing happens any more.
 */
export class VirtualProcess extends Clock {
  alive = true;
  private frozen = false;
  private skewMs: number;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly world: Clock,
    skewMs: number,
  ) {
    super();
    this.skewMs = skewMs;
  }

  now(): number {
    return this.world.now() + this.skewMs;
  }

  monotonic(): number {
    return this.world.monotonic();
  }

  setTimer(delayMs: number, callback: () => void): CancelTimer {
    let cancelled = false;
    const cancel = this.world.setTimer(delayMs, () => this.enter(() => cancelled || callback()));
    return () => {
      cancelled = true;
      cancel();
    };
  }

  /** Whether anything happens in it. */
  get awake(): boolean {
    return this.alive && !this.frozen;
  }

  /** The wall clock is set forward or back. */
  jump(ms: number): void {
    this.skewMs += ms;
  }

  freeze(): void {
    this.frozen = true;
  }

  thaw(): void {
    this.frozen = false;
    for (const happening of this.waiting.splice(0)) this.enter(happening);
  }

  kill(): void {
    this.alive = false;
    this.waiting.length = 0;
  }

  /** Something reaches the process from outside: now, after the thaw, or never. */
  enter(happening: () => void): void {
    if (!this.alive) return;
    if (this.frozen) this.waiting.push(happening);
    else happening();
  }
}
