import { MemoryStorage, type MemoryStorageOptions } from '../../lib/memory/memory.storage.js';
import type { StorageAdapter } from '../../lib/ports/storage.adapter.js';

/** A storage that loses what it has confirmed: after `goBack` it is what it was at `keep`. */
export class ReturningStorage {
  readonly storage: StorageAdapter;
  private memory: MemoryStorage;
  private kept = '';

  constructor(private readonly options: MemoryStorageOptions) {
    this.memory = new MemoryStorage(options);
    this.storage = new Proxy(this.memory, {
      get: (target, key) => {
        // Nobody tells of a failover: what comes after it is found by polls.
        if (key === 'wakeSignal') return undefined;
        const value: unknown = Reflect.get(this.memory, key, this.memory);
        return typeof value === 'function' ? value.bind(this.memory) : (value ?? Reflect.get(target, key));
      },
    });
  }

  keep(): void {
    this.kept = this.memory.snapshot();
  }

  goBack(): void {
    this.memory = MemoryStorage.restore(this.kept, this.options);
  }
}
