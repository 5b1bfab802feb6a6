import { expect, test } from 'vitest';
import { StorageError } from '../../lib/index.js';
import { MaybeStoredError } from '../../lib/journal/journal.js';
import { JournaledStorage } from '../../lib/journal/journaled.storage.js';
import { addOneOff, ref } from '../../lib/testing/laws/fixture.js';
import { ManualClock } from '../../lib/testing/index.js';
import { MemoryJournal } from '../support/memory.journal.js';

async function opened(journal: MemoryJournal): Promise<JournaledStorage> {
  const storage = JournaledStorage.on('memory', 'the file', journal, { clock: new ManualClock() });
  await storage.init();
  return storage;
}

/** What a process finds that starts now. */
async function found(journal: MemoryJournal, id: string): Promise<unknown> {
  const other = await opened(journal);
  return other.getJob(ref(id));
}

test('what was created is there after a restart', async () => {
  const journal = new MemoryJournal();
  const job = await addOneOff(await opened(journal), { payload: { of: ['a'] } });
  expect(await found(journal, job.id)).toEqual(job);
});

test('a call whose write fails rejects, and neither memory nor disk has anything of it', async () => {
  const journal = new MemoryJournal();
  const storage = await opened(journal);
  const kept = await addOneOff(storage, { id: 'kept' });
  journal.failures.push(new Error('ENOSPC: no space left on device'));
  const error = await addOneOff(storage, { id: 'lost' }).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(StorageError);
  expect((error as Error).message).toMatch(/^Nothing of this call was stored, as the file cannot be written/);
  expect(await storage.getJob(ref('lost'))).toBeNull();
  expect(await storage.getJob(ref('kept'))).toEqual(kept);
  expect(await found(journal, 'lost')).toBeNull();
  const again = await addOneOff(storage, { id: 'lost' });
  expect(await found(journal, 'lost')).toEqual(again);
});

test('a call that has seen what is not written yet waits for that, and rejects with it', async () => {
  const journal = new MemoryJournal();
  const storage = await opened(journal);
  journal.failures.push(new Error('EIO'));
  const [created, seen] = await Promise.allSettled([
    addOneOff(storage),
    addOneOff(storage),
    storage.getJob(ref('job')),
  ]);
  expect([created.status, seen.status]).toEqual(['rejected', 'rejected']);
});

test('a call of which nobody can say whether it was stored says so, and those that came since were not', async () => {
  const journal = new MemoryJournal();
  const storage = await opened(journal);
  const write = journal.write.bind(journal);
  let since: Promise<unknown> = Promise.resolve();
  journal.write = async (batch) => {
    await write(batch);
    since = storage.deleteJob(ref('stored')).catch((cause: unknown) => cause);
    await new Promise((resolve) => void setImmediate(resolve));
    throw new MaybeStoredError(new Error('EIO'));
  };
  await expect(addOneOff(storage, { id: 'stored' })).rejects.toThrow('Nobody can say whether this call was');
  expect(((await since) as Error).message).toMatch(/^Nothing of this call was stored/);
  expect(await storage.getJob(ref('stored'))).not.toBeNull();
});

test('calls of one moment are written together', async () => {
  let writes = 0;
  class Counting extends MemoryJournal {
    override write(batch: Parameters<MemoryJournal['write']>[0]): Promise<void> {
      writes++;
      return super.write(batch);
    }
  }
  const storage = await opened(new Counting());
  writes = 0;
  await Promise.all(Array.from({ length: 50 }, (_, nth) => addOneOff(storage, { id: `job-${nth}` })));
  expect(writes).toBe(1);
});

test('while nobody can say what is stored every call rejects, and they go on when it can be said', async () => {
  const journal = new MemoryJournal();
  const storage = await opened(journal);
  const kept = await addOneOff(storage);
  const recover = journal.recover.bind(journal);
  journal.recover = () => {
    throw new Error('EIO');
  };
  journal.failures.push(new Error('EIO'));
  await expect(storage.deleteJob(ref('job'))).rejects.toThrow(
    'Nobody can say whether this call was stored, as the file cannot be written: EIO',
  );
  await expect(storage.deleteJob(ref('job'))).rejects.toThrow('cannot be read after a write has failed: EIO');
  journal.recover = recover;
  expect(await storage.getJob(ref('job'))).toEqual(kept);
});

test('a storage that was not opened says so', async () => {
  const storage = JournaledStorage.on('memory', 'the file', new MemoryJournal(), {});
  await expect(storage.now()).rejects.toThrow('The storage on the file is not open: call init() first.');
});
