import { readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StorageAdapter } from '../../lib/index.js';
import { disk, type Disk } from '../../lib/file/file.disk.js';
import { formatOf } from '../../lib/file/file.formats.js';
import { FileJournal } from '../../lib/file/file.journal.js';
import { fileStorage } from '../../lib/file/index.js';
import { JournaledStorage } from '../../lib/journal/journaled.storage.js';
import { sqliteStorage } from '../../lib/sqlite/index.js';
import { addOneOff } from '../../lib/testing/laws/fixture.js';
import { temporaryFolder } from '../support/file.subject.js';

let folder: string;
let opened: StorageAdapter[];

beforeEach(() => {
  folder = temporaryFolder();
  opened = [];
});

afterEach(async () => {
  for (const storage of opened) await storage.close().catch(() => undefined);
  rmSync(folder, { recursive: true });
});

async function open(name: string): Promise<StorageAdapter> {
  const path = join(folder, name);
  const make = name.endsWith('.db')
    ? sqliteStorage({ path, driver: 'better-sqlite3' })
    : fileStorage({ path });
  return opening(await make.create());
}

function openOn(on: Disk, shortest?: number): Promise<StorageAdapter> {
  const path = join(folder, 'jobs.json');
  const journal = new FileJournal(path, formatOf(path), on, shortest);
  return opening(JournaledStorage.on('file', path, journal, {}));
}

async function opening(storage: StorageAdapter): Promise<StorageAdapter> {
  await storage.init();
  opened.push(storage);
  return storage;
}

/** Makes of the process that has the file one in another container, which has stood still. */
function freeze(name: string): void {
  const lock = join(folder, `${name}.lock`);
  const holder = JSON.parse(readFileSync(lock, 'utf8')) as object;
  writeFileSync(lock, JSON.stringify({ ...holder, pidNamespace: 'pid:[1]', host: 'other' }));
  const past = new Date(Date.now() - 60_000);
  utimesSync(lock, past, past);
}

async function jobsOf(storage: StorageAdapter): Promise<string[]> {
  return (await storage.queryJobs({}, { limit: 100 })).items.map(({ id }) => id).toSorted();
}

const message = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'done',
    (error: Error) => error.message,
  );

describe.each(['jobs.json', 'jobs.db'])('a process from which %s was taken', (name) => {
  test('changes nothing of what the next one has acknowledged, in a call or at its end', async () => {
    const first = await open(name);
    await addOneOff(first, { id: 'a' });
    freeze(name);
    const second = await open(name);
    for (const id of ['b', 'c', 'd']) await addOneOff(second, { id });
    expect(await message(addOneOff(first, { id: 'late' }))).toContain('was taken from this process');
    expect(await message(first.getJob({ namespace: 'default', id: 'a' }))).toContain('was taken from');
    await addOneOff(second, { id: 'e' });
    await first.close();
    await addOneOff(second, { id: 'f' });
    expect(await message(open(name))).toContain('is in use by the process');
    await second.close();
    expect(await jobsOf(await open(name))).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });

  test('does not write to it at its end, though it has not called since', async () => {
    const first = await open(name);
    await addOneOff(first, { id: 'a' });
    freeze(name);
    const second = await open(name);
    await addOneOff(second, { id: 'b' });
    await first.close();
    await addOneOff(second, { id: 'c' });
    // As if it had been killed: its end writes nothing anew.
    freeze(name);
    expect(await jobsOf(await open(name))).toEqual(['a', 'b', 'c']);
  });
});

interface Deferred {
  promise: Promise<void>;
  resolve: () => void;
}

function withResolvers(): Deferred {
  const deferred = {} as Deferred;
  deferred.promise = new Promise((resolve) => (deferred.resolve = resolve));
  return deferred;
}

/** A disk that stands still before a method, once it was told to. */
function standingStill(method: 'write' | 'sync' | 'open' | 'rename'): {
  on: Disk;
  stop: () => Promise<void>;
  goOn: () => void;
} {
  let stopped = withResolvers();
  let going: Deferred | null = null;
  const call = disk[method] as (...given: unknown[]) => Promise<unknown>;
  const on = {
    ...disk,
    [method]: async (...given: unknown[]) => {
      stopped.resolve();
      await going?.promise;
      return call(...given);
    },
  };
  return {
    on,
    stop: () => {
      stopped = withResolvers();
      going = withResolvers();
      return stopped.promise;
    },
    goOn: () => going!.resolve(),
  };
}

describe('a write that stood still while the file was taken over', () => {
  test.each([
    ['write', 'a line'],
    ['sync', 'a line'],
    ['open', 'the document'],
    ['sync', 'the document'],
    ['rename', 'the document'],
  ] as const)('before %s of %s, is not acknowledged and does no harm', async (method, what) => {
    const shortest = what === 'a line' ? undefined : 1;
    const still = standingStill(method);
    const first = await openOn(still.on, shortest);
    // The first call of a journal that is to be short has the document written.
    if (shortest === undefined) await addOneOff(first, { id: 'before' });
    const stopped = still.stop();
    const late = message(addOneOff(first, { id: 'late' }));
    await stopped;
    freeze('jobs.json');
    const second = await openOn(disk, 1_000_000);
    for (const id of ['b', 'c', 'd']) await addOneOff(second, { id });
    still.goOn();
    expect(await late).toContain('was taken from this process');
    await addOneOff(second, { id: 'e' });
    const kept = await jobsOf(second);
    expect(kept).toEqual(expect.arrayContaining(['b', 'c', 'd', 'e']));
    await first.close();
    await second.close();
    const third = await openOn(disk);
    expect(await jobsOf(third)).toEqual(kept);
    await third.close();
    expect(readdirSync(folder).toSorted()).toEqual(['jobs.json', 'jobs.json.journal']);
  });
});

test('the names of new files are on disk before the first call is acknowledged', async () => {
  const synced: string[] = [];
  const storage = await openOn({
    ...disk,
    syncFolder: async (path) => {
      await disk.syncFolder(path);
      synced.push(path);
    },
  });
  await addOneOff(storage, { id: 'a' });
  expect(synced).toEqual([folder]);
});

test('a document that cannot be written is tried again when the journal has grown, and calls go on', async () => {
  let tries = 0;
  let isFull = true;
  const on: Disk = {
    ...disk,
    open: async (path, flags, mode) => {
      tries++;
      if (isFull) throw new Error('ENOSPC: no space left on device');
      return disk.open(path, flags, mode);
    },
  };
  const storage = await openOn(on, 1);
  const ids = Array.from({ length: 40 }, (_, nth) => `job-${nth + 10}`);
  for (const id of ids) await addOneOff(storage, { id });
  expect(tries).toBeGreaterThan(2);
  expect(tries).toBeLessThan(30);
  const failed = tries;
  isFull = false;
  for (const id of ids) await addOneOff(storage, { id: `later-${id}` });
  expect(tries).toBeGreaterThan(failed);
  const kept = await jobsOf(storage);
  expect(kept).toHaveLength(80);
  await storage.close();
  expect(await jobsOf(await openOn(disk))).toEqual(kept);
});

test('a call whose document is there, though nobody knows for how long, does not say that nothing was stored', async () => {
  let isFailing = false;
  const fail = (): never => {
    throw new Error('EIO: i/o error');
  };
  const storage = await openOn(
    {
      ...disk,
      syncFolder: async (path) => (isFailing ? fail() : disk.syncFolder(path)),
      // The journal, which is written to behind its beginning.
      write: async (file, data, position) =>
        isFailing && position > 0 ? fail() : disk.write(file, data, position),
    },
    1,
  );
  isFailing = true;
  expect(await message(addOneOff(storage, { id: 'a' }))).toMatch(
    /^Nobody can say whether this call was stored/,
  );
  isFailing = false;
  expect(await jobsOf(storage)).toEqual(['a']);
  await storage.close();
  expect(await jobsOf(await openOn(disk))).toEqual(['a']);
});
