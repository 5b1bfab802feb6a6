import { apply, noRows, type StoredTables } from '../../lib/journal/change.js';
import type { Batch, Journal } from '../../lib/journal/journal.js';

/** A journal in memory: what it gives back has been text, as on a disk. */
export class MemoryJournal implements Journal {
  readonly rows = noRows();
  /** What the next writes fail with. */
  readonly failures: Error[] = [];

  onlyLook(): void {}

  async open(): Promise<StoredTables> {
    return this.recover();
  }

  async write({ changes }: Batch): Promise<void> {
    const failure = this.failures.shift();
    if (failure) throw failure;
    apply(this.rows, changes.map(asText));
  }

  recover(): StoredTables {
    const copy = noRows();
    for (const [table, rows] of Object.entries(this.rows))
      for (const [key, row] of rows) copy[table as keyof StoredTables].set(key, structuredClone(row));
    return copy;
  }

  async close(): Promise<void> {}
}

function asText<T>(change: T): T {
  return JSON.parse(JSON.stringify(change)) as T;
}
