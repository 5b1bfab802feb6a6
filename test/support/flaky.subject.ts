import type { GiveBackResult, StorageAdapter, Unstarted } from '../../lib/index.js';
import { flaky, FlakyStorageError, type Fault, type StorageSubject } from '../../lib/testing/index.js';

/** What may be said again when the answer was lost: the second answer is the same as the first would have been. */
const repeatable = new Set([
  'now',
  'getJob',
  'queryJobs',
  'queryRefs',
  'countJobs',
  'queryRuns',
  'queryAttempts',
  'queryGaps',
  'queryWorkers',
  'queryPauses',
  'pauseScope',
  'register',
  'renew',
  'updateWorker',
  'unregister',
  'giveBack',
  'heldBy',
  'dueCursors',
  'nextWakeAt',
]);

/** A subject behind a bad connection, with a caller that says everything again until it gets an answer. */
export function flakySubject(subject: StorageSubject, seed: number): StorageSubject & { faults: Fault[] } {
  const faults: Fault[] = [];
  let serial = seed;
  const behind = (storage: StorageAdapter): StorageAdapter => {
    const may = (method: string, fault: Fault): boolean => fault === 'before' || repeatable.has(method);
    const { tracked, idle } = underWatch(storage);
    const bad = flaky(tracked, { seed: serial++, before: 0.1, during: 0.1, after: 0.1, may });
    return new Proxy(bad, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function' || key === 'close') return value;
        const say = async (...args: unknown[]): Promise<unknown> => {
          for (;;) {
            try {
              const answer = await (Reflect.apply(value, target, args) as Promise<unknown>);
              // What was said twice may still be at it, with locks that the next call, made for a quiet storage, would pass over.
              await idle();
              return answer;
            } catch (error) {
              if (!(error instanceof FlakyStorageError)) throw error;
              faults.push(error.fault);
            }
          }
        };
        if (key !== 'giveBack') return say;
        return async (holds: readonly Unstarted[]) => {
          const told = (await say(holds)) as GiveBackResult;
          if (told.left.length === 0) return told;
          // The first saying still had them locked. By now it has ended.
          const again = (await say(holds)) as GiveBackResult;
          return { lost: [...told.lost, ...again.lost], left: again.left };
        };
      },
    });
  };
  return {
    ...subject,
    storage: behind(subject.storage),
    open: async () => behind(await subject.open()),
    faults,
  };
}

/** The storage, and when all calls of it have come to their end. */
function underWatch(storage: StorageAdapter): { tracked: StorageAdapter; idle: () => Promise<void> } {
  const underWay = new Set<Promise<unknown>>();
  const tracked = new Proxy(storage, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        const answer: unknown = Reflect.apply(value, target, args);
        if (!(answer instanceof Promise)) return answer;
        const ended: Promise<unknown> = answer.then(
          () => underWay.delete(ended),
          () => underWay.delete(ended),
        );
        underWay.add(ended);
        return answer;
      };
    },
  });
  return { tracked, idle: async () => void (await Promise.all(underWay)) };
}
