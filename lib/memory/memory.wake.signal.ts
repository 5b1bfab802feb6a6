import { WakeSignal, type Wake } from '../ports/wake.signal.js';
import type { MemoryTables } from './tables.js';

/** Tells the adapters of one process that share their tables. */
export class MemoryWakeSignal extends WakeSignal {
  private readonly own = new Set<(wake: Wake) => void>();

  constructor(private readonly tables: MemoryTables) {
    super();
  }

  async subscribe(listener: (wake: Wake) => void): Promise<() => Promise<void>> {
    // A function of its own for each subscription, so that one listener may be subscribed twice.
    const deliver = (wake: Wake): void => {
      if (this.own.has(deliver)) listener(wake);
    };
    this.own.add(deliver);
    this.tables.listeners.add(deliver);
    return async () => this.end(deliver);
  }

  close(): void {
    for (const deliver of this.own) this.end(deliver);
  }

  private end(deliver: (wake: Wake) => void): void {
    this.own.delete(deliver);
    this.tables.listeners.delete(deliver);
  }
}
