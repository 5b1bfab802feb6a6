import { endOf, streamOf } from './streams.js';
import { outcomeOf } from './thrown.js';

// Work that has not begun, or not ended, when a function returns it: Observables, iterators and streams. Promises are none, whoever calls waits for these anyway.

/** Whose signal ends the work; read where there is any only, as it may be made then. */
interface Abortable {
  readonly signal?: AbortSignal;
}

/** Resolves with the last value. */
type Run = (signal?: AbortSignal) => Promise<unknown>;

type Loose = Partial<Record<PropertyKey, unknown>>;

/** A generator in an Observable in a promise; deeper than that nobody nests them. */
const deepest = 3;
/** So many values at most come one after the other before anything else gets its turn. */
const mostInARow = 1_000;

/** Whether `value` has to be run to its end before what it stands for is done. */
export function isDeferred(value: unknown): boolean {
  return typeof value === 'object' && value !== null && runOf(value) !== null;
}

/**
 * Runs it to its end: the last value of an Observable; what a generator returns, or else the last value that it yields; nothing for a stream. What is not deferred is its own
 * value. Rejects with its error. When the signal of `owner` fires it is unsubscribed from, or let go of, and rejects with the reason.
 */
export async function workOff(value: unknown, owner: Abortable = {}): Promise<unknown> {
  let last = await value;
  for (let depth = 0; depth < deepest && typeof last === 'object' && last !== null; depth++) {
    const run = runOf(last);
    if (run === null) break;
    last = await run(owner.signal);
  }
  return last;
}

function runOf(value: Loose): Run | null {
  try {
    if (typeof value.then === 'function') return null;
    const source = observableOf(value);
    if (source !== null) return (signal) => lastOf(source, signal);
    const stream = streamOf(value);
    if (stream !== null) return (signal) => endOf(stream, signal);
    const { next } = value;
    const isIterator =
      typeof next === 'function' &&
      (typeof value[Symbol.asyncIterator] === 'function' || typeof value[Symbol.iterator] === 'function');
    return isIterator ? (signal) => runThrough(value as unknown as AsyncIterator<unknown>, signal) : null;
  } catch {
    // It cannot even be looked at.
    return null;
  }
}

interface Source {
  subscribe(observer: object): unknown;
}

/**
 * By the method that libraries agree on, or by what RxJS takes for its own. `subscribe` alone does not make an Observable: clients of brokers and caches have a method of that name, and some
 * return themselves from others.
 */
function observableOf(value: Loose): Source | null {
  const key = (Symbol as { observable?: symbol }).observable;
  const convert = value['@@observable'] ?? (key === undefined ? undefined : value[key]);
  const source = typeof convert === 'function' ? (convert.call(value) as Loose) : value;
  const isOne = source !== value || typeof convert === 'function' || typeof value.lift === 'function';
  return isOne && typeof source.subscribe === 'function' ? (source as unknown as Source) : null;
}

function lastOf(source: Source, signal?: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    let last: unknown;
    const subscription = source.subscribe({
      next: (value: unknown) => void (last = value),
      error: reject,
      complete: () => resolve(last),
    });
    signal?.addEventListener('abort', () => {
      reject(signal.reason);
      (subscription as { unsubscribe?: () => void } | undefined)?.unsubscribe?.();
    });
  });
}

async function runThrough(iterator: AsyncIterator<unknown>, signal?: AbortSignal): Promise<unknown> {
  let last: unknown;
  try {
    for (let count = 1; ; count++) {
      if (count % mostInARow === 0) await new Promise<void>((resolve) => void setImmediate(resolve));
      signal?.throwIfAborted();
      const { done, value } = await iterator.next();
      // A generator that is not async yields promises as they are.
      const current = (await value) as unknown;
      if (done) return current === undefined ? last : current;
      last = current;
    }
  } catch (error) {
    // Its error is the first.
    await outcomeOf((async () => iterator.return?.())(), () => undefined);
    throw error;
  }
}
