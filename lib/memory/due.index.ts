import { Heap, isBefore, type Entry } from './heap.js';

/** Where an item waits. */
export interface Place {
  /** Whose handler is meant; null: anybody's. */
  app: string | null;
  queue: string;
  handler: string;
  namespace: string;
  priority: number;
}

interface Found<T> {
  entry: Entry<T>;
  heap: Heap<T>;
}

/** Which queues and handlers of which app count, and of which namespaces. */
export interface Reach {
  app: string;
  queues: readonly string[];
  handlers: readonly string[];
  /** @default all are */
  isOpen?: (namespace: string) => boolean;
}

/**
 * Items by the time they are due, one heap for each queue, app, handler, namespace and priority: so what is due for one worker is found
 * without looking at what it cannot execute, however much of that there is.
 */
export class DueIndex<T extends object> {
  private readonly heaps = new Map<string, Map<string, Map<string, Map<number, Heap<T>>>>>();
  private readonly found = new Map<T, Found<T>>();
  private order = 0;

  has(item: T): boolean {
    return this.found.has(item);
  }

  /** Puts an item in its place, or moves it there. Among items due at once the first to come is the first to go. */
  set(item: T, place: Place, dueAt: number): void {
    this.delete(item);
    const entry = { item, dueAt, order: this.order++, valid: true };
    const heap = this.heapAt(place);
    heap.push(entry);
    this.found.set(item, { entry, heap });
  }

  delete(item: T): void {
    const found = this.found.get(item);
    if (!found) return;
    found.entry.valid = false;
    found.heap.dropped();
    this.found.delete(item);
  }

  clear(): void {
    this.heaps.clear();
    this.found.clear();
  }

  /** In the order in which they were put there. */
  items(): Iterable<T> {
    return this.found.keys();
  }

  /** Takes out up to `limit` items due until then that are `ready`: by priority, then time. */
  take(reach: Reach, until: number, limit: number, isReady: (item: T) => boolean = () => true): T[] {
    return this.takeEntries(reach, until, limit, isReady).map(({ entry }) => {
      this.found.delete(entry.item);
      return entry.item;
    });
  }

  /** The same, leaving them in. */
  peek(reach: Reach, until: number, limit: number): T[] {
    const found = this.takeEntries(reach, until, limit);
    for (const { entry, heap } of found) heap.push(entry);
    return found.map(({ entry }) => entry.item);
  }

  /** When the earliest item is due; null: there is none. */
  earliest(reach: Reach): number | null {
    let earliest = Infinity;
    for (const [, heap] of this.heapsIn(reach)) earliest = Math.min(earliest, heap.top?.dueAt ?? Infinity);
    return earliest === Infinity ? null : earliest;
  }

  private takeEntries(
    reach: Reach,
    until: number,
    limit: number,
    isReady: (item: T) => boolean = () => true,
  ): Found<T>[] {
    const taken: Found<T>[] = [];
    const left: Found<T>[] = [];
    const priorities = new Map<number, Heap<T>[]>();
    for (const [priority, heap] of this.heapsIn(reach)) {
      const heaps = priorities.get(priority);
      if (heaps) heaps.push(heap);
      else priorities.set(priority, [heap]);
    }
    for (const priority of [...priorities.keys()].sort((a, b) => a - b)) {
      const heaps = priorities.get(priority)!;
      while (taken.length < limit) {
        const heap = heaps.reduce((first, next) => (isBefore(next.top, first.top) ? next : first));
        if (heap.top === undefined || heap.top.dueAt > until) break;
        const found = { entry: heap.pop()!, heap };
        (isReady(found.entry.item) ? taken : left).push(found);
      }
    }
    for (const { entry, heap } of left) heap.push(entry);
    return taken;
  }

  private *heapsIn({ app, queues, handlers, isOpen }: Reach): Iterable<[priority: number, heap: Heap<T>]> {
    for (const queue of new Set(queues)) {
      const inQueue = this.heaps.get(queue);
      if (!inQueue) continue;
      for (const handler of new Set(handlers)) {
        for (const owner of [app, null]) {
          for (const [namespace, priorities] of inQueue.get(handlerKey(owner, handler)) ?? []) {
            if (isOpen === undefined || isOpen(namespace)) yield* priorities;
          }
        }
      }
    }
  }

  private heapAt({ app, queue, handler, namespace, priority }: Place): Heap<T> {
    const handlers = entryOf(this.heaps, queue);
    const priorities = entryOf(entryOf(handlers, handlerKey(app, handler)), namespace);
    let heap = priorities.get(priority);
    if (!heap) priorities.set(priority, (heap = new Heap()));
    return heap;
  }
}

/** Neither holds NUL. */
function handlerKey(app: string | null, handler: string): string {
  return app === null ? handler : `${app}\0${handler}`;
}

function entryOf<K, V>(maps: Map<string, Map<K, V>>, key: string): Map<K, V> {
  let map = maps.get(key);
  if (!map) maps.set(key, (map = new Map()));
  return map;
}
