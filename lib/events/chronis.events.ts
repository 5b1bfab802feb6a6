import type { ChronisEventMap, ChronisEventName } from './event.map.js';

type Listener<N extends ChronisEventName> = (event: ChronisEventMap[N]) => unknown;
type AnyListener = (name: ChronisEventName, event: ChronisEventMap[ChronisEventName]) => unknown;

/**
 * The one emitter. Listeners are called in order, at once; what they throw, or reject with, becomes a `listener.failed`
 * event and never reaches the engine. @publicApi
 */
export class ChronisEvents {
  private readonly listeners = new Map<ChronisEventName, Set<(event: never) => unknown>>();
  private readonly anyListeners = new Set<AnyListener>();

  /** Calls `listener` for each event of this name; returns the function that ends it. */
  on<N extends ChronisEventName>(name: N, listener: Listener<N>): () => void {
    let set = this.listeners.get(name);
    if (!set) this.listeners.set(name, (set = new Set()));
    set.add(listener);
    return () => set.delete(listener);
  }

  /** Calls `listener` for every event. */
  onAny(listener: AnyListener): () => void {
    this.anyListeners.add(listener);
    return () => this.anyListeners.delete(listener);
  }

  /** Resolves with the next event of this name that `matches`. */
  once<N extends ChronisEventName>(
    name: N,
    matches: (event: ChronisEventMap[N]) => boolean = () => true,
  ): Promise<ChronisEventMap[N]> {
    return new Promise((resolve) => {
      const stop = this.on(name, (event) => {
        if (!matches(event)) return;
        stop();
        resolve(event);
      });
    });
  }

  emit<N extends ChronisEventName>(name: N, event: ChronisEventMap[N]): void {
    for (const listener of this.listeners.get(name) ?? []) {
      this.call(name, () => (listener as Listener<N>)(event));
    }
    for (const listener of this.anyListeners) this.call(name, () => listener(name, event));
  }

  private call(name: ChronisEventName, listener: () => unknown): void {
    try {
      const returned = listener();
      if (returned instanceof Promise) returned.catch((error: unknown) => this.failed(name, error));
    } catch (error) {
      this.failed(name, error);
    }
  }

  private failed(name: ChronisEventName, error: unknown): void {
    // A listener of this event that fails as well is not told about itself.
    if (name !== 'listener.failed') this.emit('listener.failed', { event: name, error });
  }
}
