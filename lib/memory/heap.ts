export interface Entry<T> {
  readonly item: T;
  readonly dueAt: number;
  /** Decides between entries that are due at the same time. */
  readonly order: number;
  /** False once the item has left or moved; the heap gets rid of the entry in time. */
  valid: boolean;
}

/** Whether `a` comes first; what is not there comes last. */
export function isBefore<T>(a: Entry<T> | undefined, b: Entry<T> | undefined): boolean {
  if (a === undefined || b === undefined) return a !== undefined;
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.order < b.order);
}

/** A binary heap, earliest first, whose entries may become invalid where they lie. */
export class Heap<T> {
  private entries: Entry<T>[] = [];
  private invalid = 0;

  /** The earliest valid entry. */
  get top(): Entry<T> | undefined {
    while (this.entries.length > 0 && !this.entries[0].valid) {
      this.invalid--;
      this.removeTop();
    }
    return this.entries[0];
  }

  /** Entries that take up space, the invalid ones included. */
  get size(): number {
    return this.entries.length;
  }

  push(entry: Entry<T>): void {
    this.entries.push(entry);
    this.rise(this.entries.length - 1);
  }

  pop(): Entry<T> | undefined {
    const top = this.top;
    if (top) this.removeTop();
    return top;
  }

  /** An entry was made invalid. When most are, the heap is built anew, or schedules that are moved often would make it grow for ever. */
  dropped(): void {
    this.invalid++;
    if (this.invalid < 64 || this.invalid * 2 < this.entries.length) return;
    // A sorted list is a heap.
    this.entries = this.entries.filter((entry) => entry.valid).sort((a, b) => (isBefore(a, b) ? -1 : 1));
    this.invalid = 0;
  }

  private removeTop(): void {
    const last = this.entries.pop()!;
    if (this.entries.length === 0) return;
    this.entries[0] = last;
    this.sink(0);
  }

  private rise(index: number): void {
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(this.entries[index], this.entries[parent])) return;
      this.swap(index, parent);
      index = parent;
    }
  }

  private sink(index: number): void {
    for (;;) {
      const left = 2 * index + 1;
      const child = isBefore(this.entries[left + 1], this.entries[left]) ? left + 1 : left;
      if (!isBefore(this.entries[child], this.entries[index])) return;
      this.swap(index, child);
      index = child;
    }
  }

  private swap(a: number, b: number): void {
    [this.entries[a], this.entries[b]] = [this.entries[b], this.entries[a]];
  }
}
