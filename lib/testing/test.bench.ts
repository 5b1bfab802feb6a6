import {
  ChronisOverride,
  InvalidOptionError,
  MemoryStorage,
  parseDuration,
  type AdapterInput,
  type AdapterRecipe,
  type ChronisEvents,
  type ChronisOptions,
  type InjectionToken,
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

const storageExample = 'storage: (clock) => typeOrmStorage({ …, clock })';
const sourceExample = '{ transaction: (work) => work(manager) }';
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
  /** What the token of the application's own stands for; it is made when no module is left to be made. */
  private source: TransactionSource | null = null;

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
    if (typeof given.dataSource === 'object' && !isSource(given.dataSource)) {
      throw new InvalidOptionError('dataSource', `has no function transaction. Give one: ${sourceExample}.`);
    }
    if (given.storage !== undefined && typeof given.storage !== 'function') {
      throw new InvalidOptionError(
        'storage',
        `takes a function, which gives the storage the clock of the test: ${storageExample}.`,
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
  private inMemory(instance: string): MemoryStorage {
    const { clock } = this;
    const { dataSource } = this.given;
    const found: TransactionSource = { transaction: (work) => this.source!.transaction(work) };
    const storage = new MemoryStorage({
      clock,
      recordLimit,
      dataSource: dataSource === undefined || typeof dataSource === 'object' ? dataSource : found,
      unknownManagers: 'at-once',
    });
    this.memories.set(instance, storage);
    return storage;
  }

  /** Finds the application's own in whichever module it is, so that it need not be seen by the scheduler's. Throws ChronisTestingError. */
  resolve(find: (token: InjectionToken) => unknown): void {
    const { dataSource } = this.given;
    if (dataSource === undefined || typeof dataSource === 'object') return;
    const name = typeof dataSource === 'function' ? dataSource.name : String(dataSource);
    let found: unknown;
    try {
      found = find(dataSource);
    } catch (cause) {
      throw new ChronisTestingError(
        `dataSource: no module of the application provides "${name}". Provide it, or give what stands in for it: ${sourceExample}.`,
        { cause },
      );
    }
    if (!isSource(found)) {
      throw new ChronisTestingError(
        `dataSource: what stands for "${name}" has no function transaction. Give one: ${sourceExample}.`,
      );
    }
    this.source = found;
  }

  /** Makes it as if new, as soon as it is open. Throws ChronisTestingError where time would not be that of the test. */
  private async begun(storage: StorageAdapter): Promise<void> {
    try {
      await this.assertTime(storage);
      if (this.given.fresh ?? true) await storage.beginTest?.();
    } catch (error) {
      await storage.close().catch(() => undefined);
      throw error;
    }
  }

  private async assertTime(storage: StorageAdapter): Promise<void> {
    const [before, now] = [this.clock.now(), await storage.now()];
    // Of an adapter that cuts what it stores.
    if (Math.abs(now - before) < 1_000) return;
    throw new ChronisTestingError(
      `The storage does not go by the clock of the test: it is ${new Date(now).toISOString()} there, and ${new Date(before).toISOString()} in the test. Give it that clock: ${storageExample}.`,
    );
  }

  private watched(input: AdapterInput<StorageAdapter>): AdapterRecipe<StorageAdapter> {
    const watch = (storage: StorageAdapter): StorageAdapter =>
      watchedStorage(storage, this.signal, this.activity, () => this.begun(storage));
    if (!('create' in input)) return { create: () => watch(input) };
    return {
      inject: input.inject,
      create: async (...dependencies: never[]) => watch(await input.create(...dependencies)),
    };
  }
}

function isSource(given: unknown): given is TransactionSource {
  return typeof (given as Partial<TransactionSource> | null)?.transaction === 'function';
}
