import type { WaitingResult } from './waiting.result.js';

/** Results that the storage refuses one by one while it takes others. They do not count against the room of all: a handler of which a worker has many gets no more runs there. */
export class RefusedResults {
  private readonly counts = new Map<string, number>();
  size = 0;

  add(item: WaitingResult): void {
    if (item.isRefused) return;
    item.isRefused = true;
    this.change(item, 1);
  }

  /** It has its verdict, or is given up. */
  delete(item: WaitingResult): void {
    if (item.isRefused) this.change(item, -1);
  }

  /** The handlers that have at least so many. */
  handlersWith(least: number): string[] {
    return [...this.counts].filter(([, count]) => count >= least).map(([handler]) => handler);
  }

  private change({ handler }: WaitingResult, by: 1 | -1): void {
    this.size += by;
    const count = (this.counts.get(handler) ?? 0) + by;
    if (count === 0) this.counts.delete(handler);
    else this.counts.set(handler, count);
  }
}
