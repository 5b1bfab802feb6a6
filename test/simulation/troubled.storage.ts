import type { Clock } from '../../lib/ports/clock.js';
import type { StorageAdapter } from '../../lib/ports/storage.adapter.js';
import type { SeededRandom } from './seeded.random.js';
import type { VirtualProcess } from './virtual.process.js';

/** How much trouble there is between a process and its storage, as probabilities of one call. */
export interface Trouble {
  slow: number;
  /** How long such a way takes at most. @default 2 s */
  slowestMs?: number;
  lostRequest: number;
  lostAnswer: number;
  /** The call is given up by the process, and carried out by the storage a minute later or so, as with bytes that a kernel still has. */
  late: number;
  crashBefore: number;
  crashAfter: number;
}

/**
 * The storage as one process sees it: every call takes time on the way there and back; requests and answers get lost; and the
 * process may die between any two of its calls, also after the storage did what it was asked.
 */
export function troubledStorage(
  storage: StorageAdapter,
  world: Clock,
  process: VirtualProcess,
  random: SeededRandom,
  trouble: () => Trouble,
  crash: () => void,
  /** A call has failed by it. */
  onFailure: (method: string) => void = () => undefined,
): StorageAdapter {
  const travel = (): Promise<void> => {
    const { slow, slowestMs = 2_000 } = trouble();
    const ms = random.chance(slow) ? random.between(100, slowestMs) : random.between(0, 5);
    return new Promise((resolve) => world.setTimer(ms, resolve));
  };
  const call = async (method: string, perform: () => Promise<unknown>): Promise<unknown> => {
    const { lostRequest, lostAnswer, crashBefore, crashAfter } = trouble();
    if (random.chance(crashBefore)) crash();
    if (random.chance(trouble().late)) {
      world.setTimer(random.between(31_000, 90_000), () => void perform().catch(() => undefined));
      await new Promise<void>((resolve) => world.setTimer(2_000, resolve));
      return new Promise((_, reject) => {
        process.enter(() => reject(new Error('The storage does not answer.')));
      });
    }
    const sent = process.alive && !random.chance(lostRequest);
    await travel();
    let answer: unknown;
    let failure: unknown = sent ? null : new Error('The connection was cut before the request arrived.');
    // A request that left the process is carried out, even if the process is dead by now.
    if (sent) {
      try {
        answer = await perform();
      } catch (error) {
        failure = error;
      }
      if (random.chance(crashAfter)) crash();
      if (random.chance(lostAnswer)) failure = new Error('The connection was cut before the answer arrived.');
    }
    if (failure !== null && process.alive) onFailure(method);
    await travel();
    return new Promise((resolve, reject) => {
      process.enter(() => (failure === null ? resolve(answer) : reject(failure as Error)));
    });
  };
  return new Proxy(storage, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return key === 'wakeSignal' ? undefined : value;
      return (...args: unknown[]) =>
        call(String(key), async () => Reflect.apply(value, target, args) as unknown);
    },
  });
}
