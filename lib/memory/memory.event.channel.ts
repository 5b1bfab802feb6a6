import { EventChannel } from '../ports/event.channel.js';
import type { MemoryTables } from './tables.js';

/** Messages between the adapters of one process that share their tables. */
export class MemoryEventChannel extends EventChannel {
  readonly maxBytes = 1_048_576;
  private readonly own = new Set<(message: string) => void>();

  constructor(private readonly tables: MemoryTables) {
    super();
  }

  async publish(messages: readonly string[]): Promise<void> {
    for (const message of messages) {
      for (const deliver of this.tables.hearers) queueMicrotask(() => deliver(message));
    }
  }

  async subscribe(listener: (message: string) => void): Promise<() => Promise<void>> {
    // A function of its own for each subscription, so that one listener may be subscribed twice.
    const deliver = (message: string): void => {
      if (this.own.has(deliver)) listener(message);
    };
    this.own.add(deliver);
    this.tables.hearers.add(deliver);
    return async () => this.end(deliver);
  }

  close(): void {
    for (const deliver of this.own) this.end(deliver);
  }

  private end(deliver: (message: string) => void): void {
    this.own.delete(deliver);
    this.tables.hearers.delete(deliver);
  }
}
