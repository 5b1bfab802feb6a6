import { WakeSignal, type ClaimedRun, type StorageAdapter, type Wake } from '../index.js';

/** Told of each call that begins and ends, and of what is handed out. */
export interface StorageWatch {
  /** The handlers that go on. */
  readonly running: readonly unknown[];
  callBegan(method: string): void;
  callEnded(method: string): void;
  claimed(workerId: string, runs: readonly ClaimedRun[]): void;
}

/** They hand out runs. */
const handsOut = ['fire', 'claim'];
/** The ends of runs set others off: what waited for them, a fixed delay. */
const setsOff = ['settle', 'settleOpen', 'transaction'];
/** May ask for the end of runs that go on; where users do, the service tells its engine itself. */
const mayCancel = 'fire';
/** Its time is the handler's. */
const unwatched = ['transaction'];

/**
 * The same storage, with its calls watched and a signal that does not travel: a notification that is on its way through the database would
 * come at a moment that no test could know.
 */
export function watchedStorage(
  storage: StorageAdapter,
  signal: LocalSignal,
  watch: StorageWatch,
  opened: () => Promise<void> | undefined,
): StorageAdapter {
  const call = async (method: string, args: unknown[], perform: () => unknown): Promise<unknown> => {
    const watched = !unwatched.includes(method);
    if (watched) watch.callBegan(method);
    try {
      const answer = await perform();
      if (method === 'init') await opened();
      if (handsOut.includes(method)) {
        const [{ workerId }] = args as [{ workerId: string }];
        watch.claimed(workerId, (answer as { runs: ClaimedRun[] }).runs);
      }
      return answer;
    } finally {
      if (setsOff.includes(method)) signal.wake({ kind: 'change' });
      if (method === mayCancel && watch.running.length > 0) signal.wake({ kind: 'cancel' });
      if (watched) watch.callEnded(method);
    }
  };
  return new Proxy(storage, {
    get(target, key) {
      if (key === 'wakeSignal') return signal;
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function' || typeof key !== 'string') return value;
      return (...args: unknown[]) => call(key, args, () => value.apply(target, args) as unknown);
    },
  });
}

/** Wakes the engines of this process only. */
export class LocalSignal extends WakeSignal {
  private readonly listeners = new Set<(wake: Wake) => void>();

  async subscribe(listener: (wake: Wake) => void): Promise<() => Promise<void>> {
    this.listeners.add(listener);
    return async () => void this.listeners.delete(listener);
  }

  /** Something of this kind may have changed. */
  wake(wake: Wake): void {
    for (const listener of this.listeners) listener(wake);
  }
}
