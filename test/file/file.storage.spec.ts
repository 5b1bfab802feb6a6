import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  InvalidOptionError,
  StorageDamagedError,
  StorageError,
  StorageInUseError,
  type StorageAdapter,
} from '../../lib/index.js';
import { disk, type Disk } from '../../lib/file/file.disk.js';
import { formatOf } from '../../lib/file/file.formats.js';
import { FileJournal } from '../../lib/file/file.journal.js';
import { fileStorage } from '../../lib/file/index.js';
import { JournaledStorage } from '../../lib/journal/journaled.storage.js';
import { sqliteStorage } from '../../lib/sqlite/index.js';
import { ManualClock } from '../../lib/testing/index.js';
import {
  addOneOff,
  addRecurring,
  fireOne,
  ref,
  settle,
  startWorker,
} from '../../lib/testing/laws/fixture.js';
import { temporaryFolder } from '../support/file.subject.js';

let folder: string;
let clock: ManualClock;
let opened: StorageAdapter[];

beforeEach(() => {
  folder = temporaryFolder();
  clock = new ManualClock();
  opened = [];
});

afterEach(async () => {
  for (const storage of opened) await storage.close();
  rmSync(folder, { recursive: true });
});

async function open(name = 'jobs.yaml'): Promise<StorageAdapter> {
  const path = join(folder, name);
  const make = name.endsWith('.db') ? sqliteStorage : fileStorage;
  const storage = await make({ path, clock }).create();
  await storage.init();
  opened.push(storage);
  return storage;
}

async function openOn(on: Disk, shortest?: number): Promise<StorageAdapter> {
  const path = join(folder, 'jobs.json');
  const journal = new FileJournal(path, formatOf(path), on, shortest);
  const storage = JournaledStorage.on('file', path, journal, { clock });
  await storage.init();
  opened.push(storage);
  return storage;
}

const text = (name: string): string => readFileSync(join(folder, name), 'utf8');

describe.each(['jobs.yaml', 'jobs.json', 'jobs.xml'])('a storage in %s', (name) => {
  test('is a file that people can read, with what has changed beside it until it is closed', async () => {
    const storage = await open(name);
    await addRecurring(storage, { id: 'report', name: 'Daily <report> & "more"' });
    expect(existsSync(join(folder, name))).toBe(false);
    expect(text(`${name}.journal`)).toContain('report');
    await storage.close();
    expect(text(`${name}.journal`)).toBe('');
    expect(text(name)).toContain('* * * * *');
    expect(text(name)).toContain(new Date(clock.now()).toISOString());
    expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).toSorted()).toEqual([name, `${name}.journal`]);
  });

  test('has everything after a restart, and writes the same text again', async () => {
    const first = await open(name);
    const payload = {
      text: ' a\r\n\tb\u0001 ]]> <c> &amp; ',
      list: [1, null, true, '1', ''],
      empty: {},
      'no name!': [],
    };
    const job = await addRecurring(first, {
      payload,
      metadata: { no: 'yes', at: '2026-01-01T00:00:00.000Z' },
    });
    await settle(first, await fireOne(first, await startWorker(first)), { result: { of: 'it' } });
    const attempts = await first.queryAttempts({}, { limit: 10 });
    await first.close();
    const before = text(name);
    const second = await open(name);
    expect(await second.queryAttempts({}, { limit: 10 })).toEqual(attempts);
    expect(await second.getJob(ref('job'))).toMatchObject({
      payload: job.payload,
      metadata: job.metadata,
      runCount: 1,
    });
    await second.close();
    const rest = /upTo|documentId|fromJournal|lease|lock/i;
    const lines = (of: string): string[] => of.split('\n').filter((line) => !rest.test(line));
    expect(lines(text(name))).toEqual(lines(before));
  });

  test('that is damaged is refused with its name, and left as it is', async () => {
    await (await open(name)).close();
    writeFileSync(join(folder, name), 'jobs: [ {"a": \n<');
    const error = await open(name).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(StorageDamagedError);
    expect((error as Error).message).toContain(join(folder, name));
    expect(text(name)).toBe('jobs: [ {"a": \n<');
    expect(existsSync(join(folder, `${name}.lock`))).toBe(false);
  });
});

test('only the last rows of the record are kept', async () => {
  const path = join(folder, 'jobs.json');
  const storage = await fileStorage({ path, clock, recordLimit: 10 }).create();
  await storage.init();
  opened.push(storage);
  const worker = await startWorker(storage);
  for (let nth = 0; nth < 25; nth++) {
    await addOneOff(storage, { id: `job-${nth}` });
    const { runs } = await storage.claim(worker, 1);
    await settle(storage, runs[0]);
  }
  const { items } = await storage.queryAttempts({}, { limit: 100 });
  await storage.close();
  const { attempts } = JSON.parse(text('jobs.json')) as { attempts: { jobId: string }[] };
  expect(attempts.map(({ jobId }) => jobId)).toEqual(items.map(({ jobId }) => jobId).toReversed());
  expect(attempts.length).toBeLessThanOrEqual(11);
  expect(attempts.at(-1)!.jobId).toBe('job-24');
});

describe('a journal', () => {
  /** As a process leaves it that was killed: without its document. */
  async function leave(...ids: string[]): Promise<void> {
    const storage = await open('jobs.json');
    for (const id of ids) await addOneOff(storage, { id });
    const content = readFileSync(join(folder, 'jobs.json.journal'));
    await storage.close();
    rmSync(join(folder, 'jobs.json'));
    writeFileSync(join(folder, 'jobs.json.journal'), content);
  }

  test('whose last write did not come to its end is cut there, and what is cut off is kept', async () => {
    await leave('one', 'two');
    const whole = text('jobs.json.journal');
    writeFileSync(join(folder, 'jobs.json.journal'), whole.slice(0, -20));
    const storage = await open('jobs.json');
    expect(await storage.getJob(ref('one'))).not.toBeNull();
    expect(await storage.getJob(ref('two'))).toBeNull();
    expect(whole).toContain(text('jobs.json.journal.cut'));
    await addOneOff(storage, { id: 'three' });
    await storage.close();
    expect(await (await open('jobs.json')).getJob(ref('three'))).not.toBeNull();
  });

  test('that is damaged before its end is refused, and left as it is', async () => {
    await leave('one', 'two', 'three');
    const changed = text('jobs.json.journal').replace('"one"', '"eno"');
    writeFileSync(join(folder, 'jobs.json.journal'), changed);
    await expect(open('jobs.json')).rejects.toThrow(/jobs\.json\.journal is damaged in line \d/);
    expect(text('jobs.json.journal')).toBe(changed);
  });

  test('that does not go on where the document ends is refused', async () => {
    await leave('one', 'two', 'three');
    const lines = text('jobs.json.journal').split('\n').slice(2).join('\n');
    writeFileSync(join(folder, 'jobs.json.journal'), lines);
    await expect(open('jobs.json')).rejects.toThrow('do not belong together');
    expect(text('jobs.json.journal')).toBe(lines);
  });
});

test('a file behind a link is replaced where it is', async () => {
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(folder, 'data/jobs.yaml'), '');
  symlinkSync(join(folder, 'data/jobs.yaml'), join(folder, 'jobs.yaml'));
  const storage = await open();
  await addOneOff(storage);
  await storage.close();
  expect(text('data/jobs.yaml')).toContain('id: job');
});

test.each(['jobs.yaml', 'jobs.db'])(
  'a second process on %s is refused by the name of the first',
  async (name) => {
    const storage = await open(name);
    const error = await open(name).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(StorageInUseError);
    expect((error as Error).message).toContain(`is in use by the process ${process.pid} on`);
    await addOneOff(storage);
  },
);

describe('a write that fails', () => {
  const full = (): never => {
    throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  };

  test.each<[string, (failing: { on: boolean }) => Partial<Disk>]>([
    [
      'in a write that is half done',
      (failing) => ({
        write: async (file, data, position) => {
          if (!failing.on) return disk.write(file, data, position);
          await disk.write(file, data.subarray(0, data.length >> 1), position);
          full();
        },
      }),
    ],
    ['in a sync', (failing) => ({ sync: async (file) => (failing.on ? full() : disk.sync(file)) })],
  ])('%s takes its call with it: memory and disk agree', async (_, failure) => {
    const failing = { on: false };
    const storage = await openOn({ ...disk, ...failure(failing) });
    const kept = await addOneOff(storage, { id: 'kept' });
    failing.on = true;
    await expect(addOneOff(storage, { id: 'lost' })).rejects.toThrow(StorageError);
    failing.on = false;
    expect(await storage.getJob(ref('lost'))).toBeNull();
    await addOneOff(storage, { id: 'later' });
    await storage.close();
    const again = await open('jobs.json');
    expect(await again.getJob(ref('kept'))).toEqual(kept);
    expect(await again.getJob(ref('lost'))).toBeNull();
    expect(await again.getJob(ref('later'))).not.toBeNull();
  });

  test.each([
    ['open', 'fulfilled'],
    ['write', 'rejected'],
    ['rename', 'fulfilled'],
    ['syncFolder', 'fulfilled'],
    ['truncate', 'fulfilled'],
  ] as const)(
    'in %s, as the document is written anew, leaves what can be read, and memory agrees with it: calls are %s',
    async (method, outcome) => {
      const failing = { on: false };
      const on = {
        ...disk,
        [method]: (...given: never[]) => (failing.on ? full() : (disk[method] as any)(...given)),
      };
      const storage = await openOn(on, 1);
      await addOneOff(storage, { id: 'kept' });
      failing.on = true;
      // Some write is that of the document, as the journal has become longer.
      const ids = Array.from({ length: 30 }, (_, nth) => `job-${nth}`);
      const results: PromiseSettledResult<unknown>[] = [];
      for (const id of ids) {
        results.push(...(await Promise.allSettled([addOneOff(storage, { id })])));
        if (outcome === 'rejected' && results.at(-1)!.status === 'rejected') break;
      }
      failing.on = false;
      expect(results.at(-1)).toMatchObject({ status: outcome });
      expect(results.filter(({ status }) => status === 'rejected').length).toBe(
        outcome === 'rejected' ? 1 : 0,
      );
      expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
      const found = async (from: StorageAdapter): Promise<boolean[]> =>
        Promise.all(['kept', ...ids].map(async (id) => (await from.getJob(ref(id))) !== null));
      const before = await found(storage);
      for (const [nth, { status }] of results.entries())
        if (status === 'fulfilled') expect(before[nth + 1]).toBe(true);
      await storage.close();
      const again = await open('jobs.json');
      expect(await found(again)).toEqual(before);
      expect(before[0]).toBe(true);
    },
  );
});

/** Only who may mount has one. */
function smallDisk(): string | null {
  const place = join(folder, 'disk');
  mkdirSync(place);
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'none', place]);
  return status === 0 ? place : null;
}

test.for(['jobs.json', 'jobs.yaml', 'jobs.db'])(
  'on a disk that is full, %s has what was acknowledged, and goes on when there is room',
  async (name, { skip }) => {
    const place = smallDisk();
    if (place === null) return skip('No disk can be mounted here.');
    try {
      const ballast = join(place, 'ballast');
      writeFileSync(ballast, Buffer.alloc(100_000));
      const storage = await open(join('disk', name));
      const kept: string[] = [];
      for (let nth = 0, failures = 0; failures < 3; nth++) {
        const id = `job-${nth}`;
        const result = await addOneOff(storage, { id, payload: 'x'.repeat(5_000) }).catch(
          (error: unknown) => error,
        );
        if (result instanceof Error) {
          expect(result).toBeInstanceOf(StorageError);
          failures++;
        } else kept.push(id);
      }
      expect(kept.length).toBeGreaterThan(3);
      const found = async (from: StorageAdapter): Promise<string[]> =>
        (await from.queryJobs({}, { limit: 1_000 })).items.map(({ id }) => id);
      expect((await found(storage)).toSorted()).toEqual(kept.toSorted());
      rmSync(ballast);
      await addOneOff(storage, { id: 'later' });
      await storage.close();
      const again = await open(join('disk', name));
      expect((await found(again)).toSorted()).toEqual([...kept, 'later'].toSorted());
      await again.close();
    } finally {
      spawnSync('umount', ['-l', place]);
    }
  },
);

test('a document type and entities are not read', async () => {
  const bomb =
    '<?xml version="1.0"?><!DOCTYPE c [<!ENTITY a "aaaa">]><chronis type="object"><chronis type="json">&a;</chronis></chronis>';
  writeFileSync(join(folder, 'jobs.xml'), bomb);
  await expect(open('jobs.xml')).rejects.toThrow('has a document type, which is not read');
});

test('aliases of YAML are not read', async () => {
  writeFileSync(join(folder, 'jobs.yaml'), 'chronis: 1\nupTo: 0\njobs: &a [*a]\n');
  await expect(open('jobs.yaml')).rejects.toThrow(StorageDamagedError);
});

test.each([
  [{ path: 'jobs.txt' }, 'path: has to end in .json, .yaml, .yml, .xml'],
  [{ path: 7 }, 'path: has to be the path of a file'],
  [{ path: 'jobs.json', driver: 'auto' }, 'driver: is no option of fileStorage()'],
])('options that are wrong are refused: %j', (options, message) => {
  expect(() => fileStorage(options as never)).toThrow(InvalidOptionError);
  expect(() => fileStorage(options as never)).toThrow(message);
});
