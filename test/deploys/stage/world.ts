import type { Clock, StorageAdapter } from '../../../lib/index.js';
import type { Expected } from '../language/schedules.js';
import type { Instance } from './instance.js';
import type { Ticks } from './ticks.js';

/** Where a scenario is played: simulated time on memory, or real time on PostgreSQL. */
export abstract class World {
  abstract readonly ticks: Ticks;
  abstract readonly leaseMs: number;
  /** Sees what is stored; no worker. */
  abstract readonly observer: StorageAdapter;
  /** The time of the storage, which is that of all machines but those whose clocks are off. */
  abstract readonly clock: Clock;

  abstract open(): Promise<void>;

  /** An adapter for one more process. */
  abstract newStorage(): StorageAdapter;

  /** Time passes until then. */
  abstract passUntil(at: number): Promise<void>;

  /** Time passes until this is so, at most `withinMs`: how much did; null: it is not. */
  abstract until(isSo: () => Promise<boolean>, withinMs: number): Promise<number | null>;

  /** Time passes, as far as it has to, until this has settled. */
  abstract during<T>(work: Promise<T>): Promise<T>;

  /** So much time passes at once, as nobody is there. */
  abstract leap(ms: number): Promise<void>;

  /** So much time passes while these instances go on. */
  abstract wait(ms: number, live: readonly Pick<Instance, 'app' | 'name'>[]): Promise<void>;

  /** A minute passes, in which who was told that an id is taken looks again. */
  abstract lookAgain(restart: () => Promise<void>): Promise<void>;

  /** How long a time with these schedules is looked at, in ticks. */
  abstract mostTicks(expected: Record<string, Expected>): number;

  abstract close(): Promise<void>;
}
