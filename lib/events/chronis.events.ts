import { isDeferred, workOff } from '../model/deferred.work.js';
import { InvalidOptionError } from '../model/errors.js';
import { outcomeOf } from '../model/thrown.js';
import type { ChronisEventMap, ChronisEventName } from './event.map.js';
import { selectEvents, type EventSelector, type SelectedName } from './event.names.js';
import type { EventOrigin, ListenOptions, StreamOptions } from './event.origin.js';
import { EventStream, type StreamedEvent } from './event.stream.js';
import { assertEventName, assertFunction, assertListenOptions } from './listen.options.js';

type Listener<N extends ChronisEventName> = (event: ChronisEventMap[N], origin: EventOrigin<N>) => unknown;
type AnyListener = (
  name: ChronisEventName,
  event: ChronisEventMap[ChronisEventName],
  origin: EventOrigin,
) => unknown;

/** An object of its own for each subscription, so that one listener may be subscribed twice. */
interface Subscription {
  tell: (event: never, origin: EventOrigin<never>) => unknown;
  remote: boolean;
  wants?: ((name: ChronisEventName) => boolean) | undefined;
}

const largestBuffer = 1_000_000;

/**
 * The one emitter. Listeners are called in order, at once; what they throw, or reject with, becomes a `listener.failed`
 * event and never reaches the engine. Events of other instances come only to those who ask for them. @publicApi
 */
export class ChronisEvents {
  private readonly listeners = new Map<ChronisEventName, Set<Subscription>>();
  private readonly anyListeners = new Set<Subscription>();
  private readonly streams = new Set<EventStream>();
  private closed = false;

  constructor(
    /** The name of this instance. */
    private readonly instance = 'this process',
    private readonly now: () => number = Date.now,
  ) {}

  /** Calls `listener` for each event of this name; returns the function that ends it. Throws InvalidOptionError for what is no event, no function or no option. */
  on<N extends ChronisEventName>(name: N, listener: Listener<N>, options: ListenOptions = {}): () => void {
    assertEventName(name, 'on()');
    assertFunction(listener, 'on()');
    assertListenOptions(options, ['remote'], 'on()');
    return this.subscribe(name, listener as Subscription['tell'], options.remote);
  }

  private subscribe(name: ChronisEventName, tell: Subscription['tell'], remote = false): () => void {
    let set = this.listeners.get(name);
    if (!set) this.listeners.set(name, (set = new Set()));
    const subscription: Subscription = { tell, remote };
    set.add(subscription);
    return () => set.delete(subscription);
  }

  /** Calls `listener` for every event. Throws InvalidOptionError for what is no function or no option. */
  onAny(
    listener: AnyListener,
    options: ListenOptions & { /** @internal */ wants?: Subscription['wants'] } = {},
  ): () => void {
    assertFunction(listener, 'onAny()');
    assertListenOptions(options, ['remote', 'wants'], 'onAny()');
    const { remote = false, wants } = options;
    const subscription: Subscription = {
      tell: (event, origin: EventOrigin) => listener(origin.name, event, origin),
      remote,
      wants,
    };
    this.anyListeners.add(subscription);
    return () => this.anyListeners.delete(subscription);
  }

  /** Resolves with the next event of this name that `matches`. Throws InvalidOptionError for what is no event or no function. */
  once<N extends ChronisEventName>(
    name: N,
    matches: (event: ChronisEventMap[N]) => boolean = () => true,
  ): Promise<ChronisEventMap[N]> {
    assertEventName(name, 'once()');
    assertFunction(matches, 'once()');
    return new Promise((resolve) => {
      const stop = this.on(name, (event) => {
        if (!matches(event)) return;
        stop();
        resolve(event);
      });
    });
  }

  /**
   * The events from this call on, for one consumer: `for await (const { name, event } of events.stream('run.*'))`. A consumer that is too slow loses the
   * oldest, see `dropped`. Throws InvalidOptionError.
   */
  stream<S extends EventSelector>(
    selectors: S | readonly S[],
    options: StreamOptions = {},
  ): EventStream<SelectedName<S>> {
    assertListenOptions(options, ['signal', 'bufferSize', 'remote'], 'stream()');
    const { signal, bufferSize = 1_000, remote } = options;
    if (!(Number.isInteger(bufferSize) && bufferSize >= 1 && bufferSize <= largestBuffer)) {
      throw new InvalidOptionError(
        'bufferSize',
        `must be a whole number from 1 to ${largestBuffer}, but is ${String(bufferSize)}.`,
      );
    }
    const stops: (() => void)[] = [];
    const stream: EventStream = new EventStream(bufferSize, () => {
      for (const stop of stops) stop();
      this.streams.delete(stream);
    });
    const push = (event: object, origin: EventOrigin): void =>
      stream.push({ ...origin, event } as StreamedEvent);
    for (const name of selectEvents(selectors, 'events')) {
      stops.push(this.subscribe(name, push, remote));
    }
    this.streams.add(stream);
    const abort = (): void => void stream.return();
    signal?.addEventListener('abort', abort);
    stops.push(() => signal?.removeEventListener('abort', abort));
    if (signal?.aborted || this.closed) abort();
    return stream as unknown as EventStream<SelectedName<S>>;
  }

  /** Whether anybody here listens to events of this name: for what is not worth being put together otherwise. @internal */
  hears(name: ChronisEventName): boolean {
    if ((this.listeners.get(name)?.size ?? 0) > 0) return true;
    for (const { wants } of this.anyListeners) if (wants === undefined || isWanted(wants, name)) return true;
    return false;
  }

  emit<N extends ChronisEventName>(name: N, event: ChronisEventMap[N]): void {
    this.deliver(event, { name, at: this.date(), remote: false, instance: this.instance });
  }

  /** An event of another instance: for those who asked for such. @internal */
  receive(event: ChronisEventMap[ChronisEventName], origin: Omit<EventOrigin, 'remote'>): void {
    this.deliver(event, { ...origin, remote: true });
  }

  /** Ends all streams. */
  close(): void {
    this.closed = true;
    for (const stream of this.streams) stream.end();
  }

  private date(): Date {
    try {
      return new Date(this.now());
    } catch {
      return new Date();
    }
  }

  private deliver(event: ChronisEventMap[ChronisEventName], origin: EventOrigin): void {
    for (const subscription of this.listeners.get(origin.name) ?? []) this.call(subscription, event, origin);
    for (const subscription of this.anyListeners) this.call(subscription, event, origin);
  }

  private call({ tell, remote, wants }: Subscription, event: unknown, origin: EventOrigin): void {
    if (origin.remote && !remote) return;
    try {
      if (wants?.(origin.name) === false) return;
      const returned = tell(event as never, origin as never);
      if (typeof returned === 'object' && returned !== null) void this.waitFor(returned, origin.name);
    } catch (error) {
      this.failed(origin.name, error);
    }
  }

  /** So that queries and Observables, which begin only when somebody waits for them, do. */
  private waitFor(returned: object, name: ChronisEventName): Promise<void> {
    return outcomeOf(
      returned,
      (error) => this.failed(name, error),
      (value) => {
        if (isDeferred(value)) void outcomeOf(workOff(value), (error) => this.failed(name, error));
      },
    );
  }

  private failed(name: ChronisEventName, error: unknown): void {
    // A listener of this event that fails as well is not told about itself.
    if (name !== 'listener.failed') this.emit('listener.failed', { eventName: name, error });
  }
}

/** When in doubt it is: what throws then is told. */
function isWanted(wants: (name: ChronisEventName) => boolean, name: ChronisEventName): boolean {
  try {
    return wants(name);
  } catch {
    return true;
  }
}
