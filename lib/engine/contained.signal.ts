import { outcomeOf } from '../model/thrown.js';

type Call = (event: Event) => void;
type Listener = Parameters<AbortSignal['addEventListener']>[1] | null;
type Options = Parameters<AbortSignal['addEventListener']>[2];

/**
 * The same signal; what its listeners throw, or reject with, is told: the platform would make an uncaught exception of it, which ends the process. Signals that are derived from it
 * (`AbortSignal.any`) are the platform's own.
 */
export function containedSignal(signal: AbortSignal, tell: (error: unknown) => void): AbortSignal {
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  const calls = new WeakMap<object, Call>();
  const contained = (call: (event: Event) => unknown): Call => {
    return (event) => {
      try {
        void outcomeOf(call(event), tell);
      } catch (error) {
        tell(error);
      }
    };
  };
  // The same for the same listener, so that the platform knows it again.
  const callOf = (listener: Listener): Call | null => {
    if ((typeof listener !== 'function' && typeof listener !== 'object') || listener === null)
      return listener;
    const known = calls.get(listener);
    if (known !== undefined) return known;
    const call = contained((event) =>
      typeof listener === 'function'
        ? (Reflect.apply(listener, signal, [event]) as unknown)
        : listener.handleEvent(event),
    );
    calls.set(listener, call);
    return call;
  };
  let onabort: { handler: Call; call: Call } | null = null;
  return Object.defineProperties(signal, {
    addEventListener: {
      value: (type: string, listener: Listener, options?: Options) => {
        add(type, callOf(listener) as Call, options);
      },
    },
    removeEventListener: {
      value: (type: string, listener: Listener, options?: Options) => {
        remove(type, callOf(listener) as Call, options);
      },
    },
    onabort: {
      get: () => onabort?.handler ?? null,
      set: (handler: unknown) => {
        if (onabort !== null) remove('abort', onabort.call);
        onabort =
          typeof handler === 'function'
            ? {
                handler: handler as Call,
                call: contained((event) => Reflect.apply(handler, signal, [event]) as unknown),
              }
            : null;
        if (onabort !== null) add('abort', onabort.call);
      },
    },
  });
}
