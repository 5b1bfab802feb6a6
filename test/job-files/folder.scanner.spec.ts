import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  type BigIntStats,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FolderScanner, quietMs, type Look } from '../../lib/job-files/folder.scanner.js';
import { JobFolder } from '../../lib/job-files/job.folder.js';
import type { ListedJob } from '../../lib/index.js';
import { job, until } from './folder.app.js';

let directory: string;
/** What the scanner takes for the monotonic time; that of files is real. */
let now: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'scanner-'));
  now = 0;
});

afterEach(() => rmSync(directory, { recursive: true }));

const path = (name: string): string => join(directory, name);

function scanner(Kind = FolderScanner): FolderScanner {
  return new Kind({ directory, emptyGraceMs: 10_000, monotonic: () => now });
}

/** Time without a change. */
async function quiet(scan: FolderScanner): Promise<Look> {
  await scan.look();
  now += quietMs;
  return scan.look();
}

function contents(look: Look): string[] {
  return look.changed.map(({ content }) => Buffer.from(content as Uint8Array).toString());
}

test('a file is read when it has been the same for a moment, and not while it is written', async () => {
  const scan = scanner();
  writeFileSync(path('a.json'), 'whole');
  expect(contents(await quiet(scan))).toEqual(['whole']);
  for (const part of ['n', 'ne', 'new']) {
    writeFileSync(path('a.json'), part);
    expect(await scan.look()).toMatchObject({ changed: [], unsettled: 1 });
    now += quietMs - 1;
    expect(await scan.look()).toMatchObject({ changed: [], unsettled: 1 });
  }
  now += 1;
  expect(contents(await scan.look())).toEqual(['new']);
  expect(await scan.look()).toMatchObject({ changed: [], unsettled: 0 });
});

test('a file that is written again within one tick of a coarse clock, with the same size, is seen', async () => {
  /** A file system that notes nothing but seconds, and has given both contents the same. */
  class Coarse extends FolderScanner {
    protected override async stat(file: string): Promise<BigIntStats> {
      const found = statSync(file, { bigint: true });
      first ??= found;
      return Object.assign(found, { mtimeNs: first.mtimeNs, ctimeNs: first.ctimeNs, ino: first.ino });
    }
  }
  let first: BigIntStats | undefined;
  const scan = scanner(Coarse);
  writeFileSync(path('a.json'), 'one');
  expect(contents(await quiet(scan))).toEqual(['one']);
  writeFileSync(path('a.json'), 'two');
  expect(contents(await scan.look())).toEqual(['two']);
});

test('a file that is gone is told when it has been so for a moment, and one that came back is not', async () => {
  const scan = scanner();
  writeFileSync(path('a.json'), 'a');
  writeFileSync(path('b.json'), 'b');
  await quiet(scan);
  rmSync(path('a.json'));
  expect(await scan.look()).toMatchObject({ gone: [], leaving: 1 });
  writeFileSync(path('a.json'), 'a');
  now += quietMs;
  await quiet(scan);
  rmSync(path('a.json'));
  expect(await quiet(scan)).toMatchObject({ gone: ['a.json'], leaving: 0 });
});

test('a file that was missing before the folder was empty is waited for anew when the folder is back', async () => {
  const scan = scanner();
  for (const name of ['a.json', 'b.json']) writeFileSync(path(name), name);
  await quiet(scan);
  rmSync(path('a.json'));
  expect(await scan.look()).toMatchObject({ gone: [], leaving: 1 });
  rmSync(path('b.json'));
  now += 1;
  expect(await scan.look()).toMatchObject({ isDoubtful: true });
  now += 5_000;
  // They come back one after the other.
  writeFileSync(path('b.json'), 'b.json');
  expect(await scan.look()).toMatchObject({ gone: [], leaving: 1, isDoubtful: false });
  writeFileSync(path('a.json'), 'a.json');
  expect(await quiet(scan)).toMatchObject({ gone: [], leaving: 0 });
});

test('what is exchanged while it is read is read again: no look has files of two versions', async () => {
  const files = 60;
  const version = (nth: number): void => {
    const data = `..version-${nth}`;
    mkdirSync(path(data));
    for (let file = 0; file < files; file++) writeFileSync(path(`${data}/${file}.json`), String(nth));
    symlinkSync(data, path('..tmp'));
    renameSync(path('..tmp'), path('..data'));
  };
  version(0);
  for (let file = 0; file < files; file++) symlinkSync(`..data/${file}.json`, path(`${file}.json`));
  const scan = scanner();
  await quiet(scan);
  const seen: Look[] = [];
  let exchanged = 0;
  for (let nth = 1; nth <= 60; nth++) {
    version(nth);
    await scan.look();
    now += quietMs;
    // Now it is read, and exchanged a moment later.
    const look = scan.look();
    await pause(nth % 6);
    if (nth % 2 === 0) {
      version(++nth);
      exchanged++;
    }
    seen.push(await look);
  }
  seen.push(await quiet(scan), await quiet(scan));
  for (const look of seen) expect(new Set(contents(look)).size).toBeLessThanOrEqual(1);
  expect(exchanged).toBeGreaterThan(10);
});

test('a file that gets another name a while before anybody looks is not told to have its job twice', async () => {
  const scan = scanner();
  const folder = new JobFolder(
    { read: async ({ id }) => ({ namespace: 'default', id }) as unknown as ListedJob },
    { now: () => Date.now(), monotonic: () => now },
  );
  writeFileSync(path('z.json'), JSON.stringify(job('a')));
  writeFileSync(path('b.json'), JSON.stringify(job('b')));
  await folder.take(await quiet(scan));
  renameSync(path('z.json'), path('a.json'));
  await until(() => expect(Date.now() - statSync(path('a.json')).ctimeMs).toBeGreaterThan(quietMs + 10));
  const look = await scan.look();
  expect(look).toMatchObject({ changed: [{ name: 'a.json' }], leaving: 1 });
  await folder.take(look);
  expect(folder.news().broken).toEqual([]);
  now += quietMs;
  await folder.take(await scan.look());
  expect(folder.news().broken).toEqual([]);
  expect(folder.files.map(({ name, good }) => [name, good!.map(({ id }) => id)])).toEqual([
    ['a.json', ['a']],
    ['b.json', ['b']],
  ]);
});

test('what becomes a pipe, or grows, between the look at it and its reading neither hangs nor is read', async () => {
  /** Knows the files as they were a moment ago. */
  class Late extends FolderScanner {
    protected override async stat(): Promise<BigIntStats> {
      return before;
    }
  }
  writeFileSync(path('a.json'), 'small');
  const before = statSync(path('a.json'), { bigint: true });
  rmSync(path('a.json'));
  execFileSync('mkfifo', [path('a.json')]);
  writeFileSync(path('b.json'), Buffer.alloc(5 * 1024 * 1024, ' '));
  const scan = scanner(Late);
  await scan.look();
  now += quietMs;
  const ended = new AbortController();
  try {
    const look = await Promise.race([
      scan.look(),
      pause(10_000, null, { signal: ended.signal }).catch(() => null),
    ]);
    expect(look?.changed.map(({ name, content }) => [name, (content as Error).message])).toEqual([
      ['a.json', 'It is no file, though it is called like one.'],
      ['b.json', 'The file has more than 4194304 bytes, which are the most that are read.'],
    ]);
  } finally {
    ended.abort();
    // Whoever waits for a writer has one now.
    closeSync(openSync(path('a.json'), constants.O_RDWR));
  }
});
