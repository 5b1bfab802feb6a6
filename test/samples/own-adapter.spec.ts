import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import {
  lockLaws,
  ManualClock,
  runLaw,
  storageLaws,
  type LockSubject,
  type StorageSubject,
} from '../../lib/testing/index.js';
import { SharedDocument } from '../../sample/08-own-adapter/shared.document.js';
import { SnapshotStorage } from '../../sample/08-own-adapter/snapshot.storage.js';

// Where there is a disk in memory: every change waits for the disk, which the laws say nothing about.
const disk = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

async function storageSubject(): Promise<StorageSubject> {
  const parent = mkdtempSync(join(disk, 'chronis-sample-'));
  const clock = new ManualClock();
  const open = async (): Promise<SnapshotStorage> => {
    const storage = new SnapshotStorage(new SharedDocument(join(parent, 'jobs')), clock);
    await storage.init();
    return storage;
  };
  return {
    storage: await open(),
    open,
    clock: { advance: (ms) => clock.advanceBy(ms) },
    close: async () => rmSync(parent, { recursive: true }),
  };
}

async function lockSubject(): Promise<LockSubject> {
  const { open, ...rest } = await storageSubject();
  return { ...rest, lock: rest.storage.lock, open: async () => (await open()).lock };
}

describe('the storage of the sample keeps the laws', () => {
  for (const law of storageLaws()) test(law.name, () => runLaw(law, storageSubject));
});

describe('the lock of the sample keeps the laws', () => {
  for (const law of lockLaws()) test(law.name, () => runLaw(law, lockSubject));
});
