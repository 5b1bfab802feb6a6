import {
  ChronisOverride,
  InvalidOptionError,
  MemoryStorage,
  parseDuration,
  type AdapterInput,
  type AdapterRecipe,
  type ChronisEvents,
  type ChronisOptions,
  type StorageAdapter,
  type TransactionSource,
} from '../index.js';
import { Activity } from './activity.js';
import { ManualClock } from './manual.clock.js';
import { TestTime } from './test.time.js';
import { ChronisTestingError } from './testing.errors.js';
import type { ChronisTestingModuleOptions } from './testing.options.js';
import { StorageClock } from './storage.clock.js';
import { LocalSignal, watchedStorage } from './watched.storage.js';

const defaultPatienceMs = 3_000;
/** A year of many schedules. */
const recordLimit = 10_000_000;

/** What a test has instead of the world: the clock, the storage, and an eye on what goes on. Throws InvalidOptionError, InvalidScheduleError (startAt, patienceMs). */
export class TestBench extends ChronisOverride {
  readonly clock: ManualClock;
  readonly activity = new Activity();
  readonly time: TestTime;
  private readonly signal = new LocalSignal();
  /** Of the application, by name. */
  private readonly instances = new Set<string>();
  private readonly memories = new Map<string, MemoryStorage>();

  constructor(private readonly given: ChronisTestingModuleOptions) {
    super();
    const { clock, startAt, patienceMs = defaultPatienceMs } = given;
    if (clock !== undefined && startAt !== undefined) {
      throw new InvalidOptionError('startAt', 'the clock that is given has a time already. Leave one out.');
    }
    if (given.storage !== undefined && given.dataSource !== undefined) {
      throw new InvalidOptionError(
        'dataSource',
        'is for the storage in memory; the one that is given has its own. Leave one out.',
      );
    }
    this.clock = clock ?? new ManualClock(startAt);
    this.time = new TestTime(this.clock, this.activity, this.signal, parseDuration(patienceMs, 'patienceMs'));
  }

  options(given: ChronisOptions, instance: string): ChronisOptions {
    const { clock } = this;
    this.instances.add(instance);
    const storage = this.watched(
      this.given.storage?.(new StorageClock(clock), instance) ?? this.inMemory(instance),
    );
    return { ...given, ...this.given.chronis, storage, lock: undefined, clock };
  }

  observe(events: ChronisEvents): void {
    this.activity.observe(events);
  }

  /** The instance of this name; without one the default, or the only one that there is. Throws ChronisTestingError. */
  instanceOf(name?: string): string {
    const names = [...this.instances];
    const meant = name ?? (names.length === 1 ? names[0]! : 'default');
    if (this.instances.has(meant)) return meant;
    const [first = null] = names;
    const there = names.map((each) => `"${each}"`).join(', ');
    const fix =
      first === null
        ? 'There is none: import ChronisModule.forRoot().'
        : `There ${names.length === 1 ? 'is' : 'are'}: ${there}. Name the one that is meant: chronis.instance('${first}').`;
    throw new ChronisTestingError(`The application has no instance "${meant}" of ChronisModule. ${fix}`);
  }

  /** The storage in memory of an instance. Throws ChronisTestingError. */
  memoryOf(instance: string): MemoryStorage {
    const storage = this.memories.get(instance);
    if (storage !== undefined) return storage;
    throw new ChronisTestingError(
      'The storage of this test has transactions of its own. Begin one there, and give its manager to the calls.',
    );
  }

  /** Transactions end in it as somebody tells, or at once. */
  private inMemory(instance: string): AdapterInput<StorageAdapter> {
    const { clock } = this;
    const { dataSource } = this.given;
    const create = (source?: TransactionSource): MemoryStorage => {
      const storage = new MemoryStorage({
        clock,
        recordLimit,
        dataSource: source,
        unknownManagers: 'at-once',
      });
      this.memories.set(instance, storage);
      return storage;
    };
    return typeof dataSource === 'object'
      ? create(dataSource)
      : { inject: dataSource === undefined ? [] : [dataSource], create };
  }

  /** Makes it as if new, as soon as it is open. */
  private async emptied(storage: StorageAdapter): Promise<void> {
    try {
      await storage.beginTest?.();
    } catch (error) {
      await storage.close().catch(() => undefined);
      throw error;
    }
  }

  private watched(input: AdapterInput<StorageAdapter>): AdapterRecipe<StorageAdapter> {
    const { fresh = true } = this.given;
    const watch = (storage: StorageAdapter): StorageAdapter =>
      watchedStorage(storage, this.signal, this.activity, () => (fresh ? this.emptied(storage) : undefined));
    if (!('create' in input)) return { create: () => watch(input) };
    return {
      inject: input.inject,
      create: async (...dependencies: never[]) => watch(await input.create(...dependencies)),
    };
  }
}
