import { MemoryStorage, type StorageAdapter } from '../../../lib/index.js';
import { ManualClock } from '../../../lib/testing/index.js';
import { Ticks } from './ticks.js';
import { World } from './world.js';

const stepMs = 100;
const longestStopMs = 60_000;

/** Simulated time: it passes only where a scenario lets it. Leases and beats are those that users have by default. */
export class MemoryWorld extends World {
  readonly clock = new ManualClock();
  readonly ticks = new Ticks(this.clock.now(), 5_000);
  readonly leaseMs = 30_000;
  readonly observer = new MemoryStorage({ clock: this.clock });

  async open(): Promise<void> {}

  newStorage(): StorageAdapter {
    return this.observer.open();
  }

  async passUntil(at: number): Promise<void> {
    await this.clock.advanceBy(Math.max(0, at - this.clock.now()));
    await this.settle();
  }

  async until(isSo: () => Promise<boolean>, withinMs: number): Promise<number | null> {
    for (let passed = 0; passed <= withinMs; passed += stepMs) {
      if (await isSo()) return passed;
      await this.clock.advanceBy(stepMs);
      await this.settle();
    }
    return null;
  }

  async during<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const end = (): void => void (settled = true);
    work.then(end, end);
    await this.settle();
    for (let passed = 0; !settled && passed < longestStopMs; passed += stepMs)
      await this.clock.advanceBy(stepMs);
    return work;
  }

  async leap(ms: number): Promise<void> {
    await this.clock.advanceBy(ms);
  }

  async wait(ms: number): Promise<void> {
    await this.clock.advanceBy(ms);
    await this.settle();
  }

  lookAgain(): Promise<void> {
    return this.wait(60_000);
  }

  mostTicks(): number {
    return Infinity;
  }

  async close(): Promise<void> {}

  /** What needs no time is done. */
  private async settle(): Promise<void> {
    for (let turn = 0; turn < 10; turn++) await this.clock.advanceBy(0);
  }
}
