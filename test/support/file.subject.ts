import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { StorageAdapter } from '../../lib/index.js';
import { apply, noRows, type Change, type StoredTables, type TableName } from '../../lib/journal/change.js';
import type { Journal } from '../../lib/journal/journal.js';
import type { JournaledStorage } from '../../lib/journal/journaled.storage.js';
import type { JournaledTables } from '../../lib/journal/journaled.tables.js';
import type { AdapterRecipe } from '../../lib/ports/adapter.recipe.js';
import { ManualClock, type LockSubject, type StorageSubject } from '../../lib/testing/index.js';

export type MakeStorage = (path: string, clock: ManualClock) => AdapterRecipe<StorageAdapter>;

type AtEnd = (subject: { storage: JournaledStorage; path: string }) => Promise<void>;

const memory = '/dev/shm';

/** A folder for files of tests; in memory where the system has one, as the laws are not about disks. */
export function temporaryFolder(): string {
  return mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), 'chronis-file-'));
}

/** A storage in a file of its own, which goes with it. */
export async function fileSubject(
  name: string,
  make: MakeStorage,
  atEnd: AtEnd = async () => undefined,
): Promise<StorageSubject> {
  const clock = new ManualClock();
  const folder = temporaryFolder();
  const path = join(folder, name);
  const storage = (await make(path, clock).create()) as JournaledStorage;
  const opened = [storage];
  await storage.init();
  return {
    storage,
    open: async () => {
      const other = storage.open();
      opened.push(other);
      await other.init();
      return other;
    },
    clock: { advance: (ms) => clock.advanceBy(ms), setBack: (ms) => clock.jumpWall(-ms) },
    close: async () => {
      for (const each of opened) if (each !== storage) await each.close();
      await atEnd({ storage, path });
      await storage.close();
      rmSync(folder, { recursive: true });
    },
  };
}

export async function fileLockSubject(name: string, make: MakeStorage, atEnd?: AtEnd): Promise<LockSubject> {
  const { storage, open, ...rest } = await fileSubject(name, make, atEnd);
  return { lock: storage.lock, open: async () => (await open()).lock, ...rest };
}

/** What the storage has. */
export function everythingIn(storage: StorageAdapter): Change[] {
  return [...(storage as unknown as { tables: JournaledTables }).tables.everything()];
}

/** The same as JSON says it. */
export function rowsIn(storage: StorageAdapter): StoredTables {
  const rows = noRows();
  apply(rows, JSON.parse(JSON.stringify(everythingIn(storage))));
  return rows;
}

/** Closes the storage; the journal, opened on its file after that, has to have all that it had, exactly. */
export async function assertStored(storage: StorageAdapter, journal: Journal): Promise<void> {
  const before = rowsIn(storage);
  await storage.close();
  const after = await journal.open();
  await journal.close();
  assertSame(after, before);
}

/** But for the order of rows. Names the first that differs: a comparison of all takes minutes where many do. */
export function assertSame(rows: StoredTables, others: StoredTables): void {
  for (const [table, of] of Object.entries(rows)) {
    const expected = others[table as TableName];
    for (const key of new Set([...expected.keys(), ...of.keys()])) {
      if (isDeepStrictEqual(of.get(key), expected.get(key))) continue;
      const [found, there] = [of, expected].map((each) => JSON.stringify(each.get(key)));
      throw new Error(`${table} ${JSON.stringify(key)} is ${found}, and has to be ${there}`);
    }
  }
}
