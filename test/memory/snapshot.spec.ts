import { describe, expect, test } from 'vitest';
import { InvalidOptionError, MemoryStorage, type StorageAdapter } from '../../lib/index.js';
import {
  lockLaws,
  ManualClock,
  runLaw,
  storageLaws,
  type LockSubject,
  type StorageSubject,
} from '../../lib/testing/index.js';
import { EverRarer } from '../support/ever.rarer.js';

/** What may be asked twice of one restored storage. */
const asks = /^(now|get|query|count|heldBy|nextWakeAt|inspect)/;

/** So much text is written after each change of a law; what more there is makes it write after every second change, then every third … */
const writtenEachTime = 300_000;

/** Jobs that are nothing but a text between any two calls that may change them; in a law of many and large changes, between ever fewer of them. */
class Written {
  private readonly writing = new EverRarer(writtenEachTime);
  readonly clock = new ManualClock();
  private storage = new MemoryStorage({ clock: this.clock });
  private last: Promise<unknown> = Promise.resolve();

  exclusively<T>(method: string, work: (storage: MemoryStorage) => Promise<T>): Promise<T> {
    const call = this.last.then(async () => {
      const answer = await work(this.storage);
      if (!asks.test(method) && this.writing.isDue()) this.storage = this.restored();
      return answer;
    });
    this.last = call.catch(() => undefined);
    return call;
  }

  /** The same from its text, which has to say the same again. */
  private restored(): MemoryStorage {
    const text = this.storage.snapshot();
    this.writing.took(text.length);
    const storage = MemoryStorage.restore(text, { clock: this.clock });
    expect(storage.snapshot() === text).toBe(true);
    return storage;
  }
}

/** What is a storage of its own within one. */
const parts = [
  'definitions',
  'binaries',
  'flows',
  'rollups',
  'runLogs',
  'runProgress',
  'overdue',
  'bulkActions',
];

/** Each of its methods is called on what was restored a moment before. */
function through<T extends object>(
  written: Written,
  like: T,
  part: (storage: MemoryStorage) => T | Promise<T>,
): T {
  let closed = false;
  return new Proxy(like, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      // A transaction goes on between calls, and ends with the storage that it is in.
      if (['wakeSignal', 'joined', 'transaction'].includes(String(key))) return undefined;
      // Who listens does so to one storage, and would not hear the one that is restored from it.
      if (key === 'runEnds') return undefined;
      if (parts.includes(String(key)))
        return through(
          written,
          value as object,
          async (storage) => Reflect.get(await part(storage), key) as object,
        );
      // It notes in the storage that it is of, which is another one by the next call.
      if (key === 'audited')
        return async (...given: Parameters<MemoryStorage['audited']>): Promise<object> =>
          through<object>(written, await (target as unknown as MemoryStorage).audited(...given), (storage) =>
            storage.audited(...given),
          );
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]): Promise<unknown> => {
        if (closed) throw new Error('closed');
        closed = key === 'close';
        return written.exclusively(String(key), async (storage) => {
          const restored = await part(storage);
          const method = Reflect.get(restored, key, restored) as (...given: unknown[]) => Promise<unknown>;
          return method.apply(restored, args);
        });
      };
    },
  });
}

function storageSubject(): StorageSubject {
  const written = new Written();
  const like = new MemoryStorage({ clock: written.clock });
  const open = (): StorageAdapter => through<StorageAdapter>(written, like, (storage) => storage);
  return {
    storage: open(),
    open: async () => open(),
    clock: { advance: (ms) => written.clock.advanceBy(ms) },
    close: () => like.close(),
  };
}

function lockSubject(): LockSubject {
  const written = new Written();
  const like = new MemoryStorage({ clock: written.clock });
  const open = () => through(written, like.lock, (storage) => storage.lock);
  return {
    lock: open(),
    open: async () => open(),
    clock: { advance: (ms) => written.clock.advanceBy(ms) },
    close: () => like.close(),
  };
}

describe('a memory storage that is written and restored after each change keeps the laws', () => {
  for (const law of storageLaws()) test(law.name, () => runLaw(law, storageSubject));
  for (const law of lockLaws()) test(law.name, () => runLaw(law, lockSubject));
});

describe('a snapshot', () => {
  test('is refused unless it is one of this format', () => {
    const text = new MemoryStorage().snapshot();
    const wrong = [
      text.replace('"format":2', '"format":3'),
      text.replace('"held":[]', '"held":[["worker",["7"]]]'),
      text.slice(0, -1),
      'null',
      '{}',
    ];
    for (const given of wrong) expect(() => MemoryStorage.restore(given), given).toThrow(InvalidOptionError);
    expect(() => MemoryStorage.restore(wrong[0]!)).toThrow(
      'snapshot: has the format 3; this version reads 2.',
    );
    expect(() => MemoryStorage.restore(wrong[1]!)).toThrow('names the run 7, which is not in it.');
  });

  test('changes neither with the storage that it was taken from, nor with one that it was restored to', async () => {
    const storage = new MemoryStorage();
    const text = storage.snapshot();
    const lock = await MemoryStorage.restore(text).lock.acquire('key', 'me', 60_000);
    expect(lock?.fence).toBe(1);
    expect(await storage.lock.inspect('key')).toBeNull();
    expect(storage.snapshot()).toBe(text);
  });
});
