import { InvalidOptionError, StorageError, type StorageAdapter } from '../index.js';

/**
 * When a call fails. `before`: the storage never sees it · `during`: the caller is told while the storage is at it, which goes on to its
 * end · `after`: the storage has done it, and the answer is lost. @publicApi
 */
export type Fault = 'before' | 'during' | 'after';

/** A failure that `flaky` has made. @publicApi */
export class FlakyStorageError extends StorageError {
  constructor(
    readonly operation: string,
    readonly fault: Fault,
  ) {
    super(`The call of ${operation} failed ${fault} its execution, as the flaky storage was asked to.`);
  }
}

/** @publicApi */
export interface FlakyOptions {
  /** The same seed makes the same faults in the same sequence of calls. */
  seed: number;
  /** How probable each fault is for a call; together at most 1. @default 0.05 each */
  before?: number;
  during?: number;
  after?: number;
  /** Which faults may hit which method. @default all, and all but `init` and `close` */
  may?: (method: string, fault: Fault) => boolean;
}

const never: readonly string[] = ['init', 'close'];

/**
 * The same storage over a bad connection: calls fail at random, by the seed. For tests of what depends on a storage: whoever calls
 * it must cope with not knowing what became of a call. Throws InvalidOptionError (seed, before, during, after).
 *
 * @example
 * const storage = flaky(new MemoryStorage(), { seed: 7, after: 0.2 });
 * @publicApi
 */
export function flaky<S extends StorageAdapter>(storage: S, options: FlakyOptions): S {
  const { seed, before = 0.05, during = 0.05, after = 0.05, may = () => true } = options;
  if (!Number.isSafeInteger(seed)) throw new InvalidOptionError('seed', `${seed} is not a whole number.`);
  for (const [option, value] of Object.entries({
    before,
    during,
    after,
    'before + during + after': before + during + after,
  })) {
    if (!(value >= 0 && value <= 1)) throw new InvalidOptionError(option, `${value} is not a probability.`);
  }
  const random = seeded(seed);
  const draw = (): Fault | null => {
    const number = random();
    if (number < before) return 'before';
    if (number < before + during) return 'during';
    return number < before + during + after ? 'after' : null;
  };
  const call = async (method: string, perform: () => Promise<unknown>): Promise<unknown> => {
    const fault = draw();
    if (fault === null || !may(method, fault)) return perform();
    if (fault === 'before') throw new FlakyStorageError(method, fault);
    const answer = perform();
    if (fault === 'after') await answer;
    else answer.catch(() => undefined);
    throw new FlakyStorageError(method, fault);
  };
  return new Proxy(storage, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function' || typeof key !== 'string') return value;
      const method = value.bind(target) as (...args: unknown[]) => Promise<unknown>;
      return never.includes(key) ? method : (...args: unknown[]) => call(key, async () => method(...args));
    },
  });
}

/** Mulberry32: numbers in [0, 1). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
