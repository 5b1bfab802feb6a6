import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StorageDamagedError, type StorageAdapter } from '../../lib/index.js';
import { disk } from '../../lib/file/file.disk.js';
import { formatOf } from '../../lib/file/file.formats.js';
import { FileJournal } from '../../lib/file/file.journal.js';
import { fileStorage } from '../../lib/file/index.js';
import { lineOf, linesIn } from '../../lib/file/journal.lines.js';
import { JournaledStorage } from '../../lib/journal/journaled.storage.js';
import { addOneOff } from '../../lib/testing/laws/fixture.js';
import { temporaryFolder } from '../support/file.subject.js';
import { NestApp } from '../support/nest.app.js';

let folder: string;
let opened: StorageAdapter[];

beforeEach(() => {
  folder = temporaryFolder();
  opened = [];
});

afterEach(async () => {
  for (const storage of opened) await storage.close();
  rmSync(folder, { recursive: true });
});

/** The two files of a storage, or what is there of them. */
type Files = Record<'document' | 'journal', Buffer | null>;

const paths = (): Record<keyof Files, string> => ({
  document: join(folder, 'jobs.json'),
  journal: join(folder, 'jobs.json.journal'),
});

function present(): Files {
  const read = (path: string): Buffer | null => (existsSync(path) ? readFileSync(path) : null);
  return { document: read(paths().document), journal: read(paths().journal) };
}

function put({ document, journal }: Files): void {
  for (const [path, content] of [
    [paths().document, document],
    [paths().journal, journal],
  ] as const) {
    if (content === null) rmSync(path, { force: true });
    else writeFileSync(path, content);
  }
}

async function open(on = disk, looks = false): Promise<StorageAdapter> {
  const path = paths().document;
  const journal = new FileJournal(path, formatOf(path), on, 1);
  const storage = JournaledStorage.on('file', path, journal, {});
  if (looks) storage.onlyLook();
  opened.push(storage);
  await storage.init();
  return storage;
}

/** A document that everything is in, and an empty journal. */
async function begun(...ids: string[]): Promise<Files> {
  const storage = await open();
  for (const id of ids) await addOneOff(storage, { id });
  await storage.close();
  return present();
}

/** What a process leaves that goes on from there, and is killed when it has made these. */
async function killed(from: Files, ...ids: string[]): Promise<Files> {
  put(from);
  const path = paths().document;
  const storage = JournaledStorage.on('file', path, new FileJournal(path, formatOf(path)), {});
  await storage.init();
  for (const id of ids) await addOneOff(storage, { id });
  const left = present();
  await storage.close();
  return left;
}

async function found(looks = false): Promise<string[]> {
  const storage = await open(disk, looks);
  const { items } = await storage.queryJobs({}, { limit: 100 });
  return items.map(({ id }) => id).toSorted();
}

const refused = 'do not belong together';

const truncate = async (): Promise<never> => {
  throw new Error('EIO');
};

describe('a document and a journal', () => {
  test('of one history are put together', async () => {
    put(await killed(await begun('base'), 'one', 'two'));
    expect(await found()).toEqual(['base', 'one', 'two']);
  });

  test.each([
    ['goes on after it', ['old1', 'old2', 'old3', 'old4'], ['new1']],
    ['ends before it', ['old1'], ['new1', 'new2', 'new3', 'new4']],
    ['ends where it does', ['old1', 'old2'], ['new1', 'new2']],
  ])('of two histories are refused where the journal %s', async (_, old, newer) => {
    const base = await begun('base');
    const { journal } = await killed(base, ...old);
    put({ ...base, journal: null });
    const { document } = await begun(...newer);
    const mixed = { document, journal };
    put(mixed);
    for (const looks of [true, false]) {
      const error = await open(disk, looks).catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(StorageDamagedError);
      expect((error as Error).message).toContain(refused);
      expect((error as Error).message).toContain('move the journal away');
    }
    expect(present()).toEqual(mixed);
  });

  test('of which each was begun without a document are told apart', async () => {
    const nothing = { document: null, journal: null };
    const { journal } = await killed(nothing, 'old1', 'old2', 'old3');
    put(nothing);
    const { document } = await begun('new1');
    put({ document, journal });
    await expect(open()).rejects.toThrow(refused);
  });

  test('belong together where a crash has come between the document and the end of its journal', async () => {
    put(await killed(await begun('base'), 'one'));
    const storage = await open({ ...disk, truncate });
    await addOneOff(storage, { id: 'two' });
    await storage.close();
    expect(present().journal!.length).toBeGreaterThan(0);
    expect(await found()).toEqual(['base', 'one', 'two']);
  });

  test('belong together where the journal goes on, as it could not be emptied', async () => {
    const ids = Array.from({ length: 12 }, (_, nth) => `job-${nth}`);
    const storage = await open({ ...disk, truncate });
    const left: Files[] = [];
    for (const id of ids) {
      await addOneOff(storage, { id });
      left.push(present());
    }
    await storage.close();
    for (const [nth, files] of left.entries()) {
      put(files);
      expect(await found()).toEqual(ids.slice(0, nth + 1).toSorted());
      await opened.pop()!.close();
    }
  });

  test.each([[['new1']], [['new1', 'new2', 'new3', 'new4', 'new5']]])(
    'of two histories are refused where both go on from one journal, and one with %j',
    async (ids) => {
      const shared = await killed(await begun('base'), 'one');
      const { journal } = await killed(shared, 'old1', 'old2', 'old3');
      put(shared);
      const { document } = await begun(...ids);
      put({ document, journal });
      await expect(open()).rejects.toThrow(refused);
    },
  );

  test('of the release before, which gave them no ids, are put together, and have one from then on', async () => {
    const files = await killed(await begun('base'), 'one');
    put(withoutIds(files));
    expect(await found()).toEqual(['base', 'one']);
    await opened.pop()!.close();
    const now = present();
    const { journal } = await killed(now, 'old1', 'old2');
    put({ ...now, journal: null });
    const { document } = await begun('new1');
    put({ document, journal });
    await expect(open()).rejects.toThrow(refused);
  });
});

/** As the release before wrote them. */
function withoutIds({ document, journal }: Files): Files {
  const { documentId, fromJournal: _, ...rest } = JSON.parse(document!.toString()) as Record<string, unknown>;
  expect(documentId).toEqual(expect.any(String));
  const { lines } = linesIn(journal!);
  expect(lines[0].of).toBe(documentId);
  return {
    document: Buffer.from(JSON.stringify(rest)),
    journal: Buffer.concat(lines.map(({ n, changes }) => lineOf({ n, changes }))),
  };
}

describe('a document without the journal that was beside it', () => {
  test('is opened, and a start says once what may be lost', async () => {
    const { document } = await killed(await begun('base'), 'lost');
    put({ document, journal: null });
    const tell = async (): Promise<string[]> => {
      const app = await NestApp.boot({
        chronis: { storage: fileStorage({ path: paths().document }), autoStart: false },
      });
      try {
        return app.heard('storage.doubtful').map(({ reason }) => reason);
      } finally {
        await app.close();
      }
    };
    expect(await tell()).toEqual([expect.stringContaining(`${paths().journal} is not there`)]);
    expect(await tell()).toEqual([]);
  });

  test('is told each time by who only looks at it, and makes no journal', async () => {
    const { document } = await begun('base');
    put({ document, journal: null });
    for (let times = 0; times < 2; times++) {
      const storage = await open(disk, true);
      expect(storage.doubt).toContain('jobs.json.journal is not there');
      await storage.close();
    }
    expect(present().journal).toBeNull();
  });

  test.each([
    ['a storage that is new', (): Files => ({ document: null, journal: null })],
    ['a document that is empty', (): Files => ({ document: Buffer.from(' \n'), journal: null })],
  ])('is not meant by %s', async (_, files) => {
    put(files());
    expect((await open()).doubt).toBeNull();
  });

  test('is not meant by a clean end', async () => {
    await begun('base');
    expect((await open()).doubt).toBeNull();
  });
});
