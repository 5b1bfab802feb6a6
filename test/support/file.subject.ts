import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StorageAdapter } from '../../lib/index.js';
import type { JournaledStorage } from '../../lib/journal/journaled.storage.js';
import type { AdapterRecipe } from '../../lib/ports/adapter.recipe.js';
import { ManualClock, type LockSubject, type StorageSubject } from '../../lib/testing/index.js';

export type MakeStorage = (path: string, clock: ManualClock) => AdapterRecipe<StorageAdapter>;

const memory = '/dev/shm';

/** A folder for files of tests; in memory where the system has one, as the laws are not about disks. */
export function temporaryFolder(): string {
  return mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), 'chronis-file-'));
}

/** A storage in a file of its own, which goes with it. */
export async function fileSubject(
  name: string,
  make: MakeStorage,
  atEnd: (subject: { storage: JournaledStorage }) => Promise<void> = async () => undefined,
): Promise<StorageSubject> {
  const clock = new ManualClock();
  const folder = temporaryFolder();
  const storage = (await make(join(folder, name), clock).create()) as JournaledStorage;
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
      await atEnd({ storage });
      await storage.close();
      rmSync(folder, { recursive: true });
    },
  };
}

export async function fileLockSubject(name: string, make: MakeStorage): Promise<LockSubject> {
  const { storage, open, ...rest } = await fileSubject(name, make);
  return { lock: storage.lock, open: async () => (await open()).lock, ...rest };
}
