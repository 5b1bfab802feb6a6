import type { ChronisEventMap, ChronisEventName } from './event.map.js';
import type { EventOrigin } from './event.origin.js';

/** What a stream gives: the event, by its name, and where it comes from. @publicApi */
export type StreamedEvent<N extends ChronisEventName = ChronisEventName> = {
  [M in N]: EventOrigin<M> & { event: ChronisEventMap[M] };
}[N];

/**
 * Events as they come, for `for await`. What nobody has taken yet waits in a buffer; when that is full, the oldest goes and is counted. Ends when its
 * consumer leaves the loop, its signal fires, or Chronis closes: then after what is in the buffer. @publicApi
 */
export class EventStream<N extends ChronisEventName = ChronisEventName> implements AsyncIterableIterator<
  StreamedEvent<N>
> {
  /** Events that were lost, since the buffer was full. */
  dropped = 0;
  private readonly buffer: StreamedEvent<N>[] = [];
  private readonly takers: ((result: IteratorResult<StreamedEvent<N>, undefined>) => void)[] = [];
  private ended = false;

  /** @internal */
  constructor(
    private readonly bufferSize: number,
    private readonly onEnd: () => void,
  ) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<StreamedEvent<N>, undefined>> {
    const value = this.buffer.shift();
    if (value !== undefined) return { value, done: false };
    if (this.ended) return { value: undefined, done: true };
    return new Promise((resolve) => this.takers.push(resolve));
  }

  /** Ends it at once; called by leaving the loop. */
  async return(): Promise<IteratorResult<StreamedEvent<N>, undefined>> {
    this.buffer.length = 0;
    this.end();
    return { value: undefined, done: true };
  }

  /** @internal */
  push(item: StreamedEvent<N>): void {
    const taker = this.takers.shift();
    if (taker) return taker({ value: item, done: false });
    this.buffer.push(item);
    if (this.buffer.length <= this.bufferSize) return;
    this.buffer.shift();
    this.dropped++;
  }

  /** Nothing more comes. @internal */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.onEnd();
    for (const taker of this.takers.splice(0)) taker({ value: undefined, done: true });
  }
}
