import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BinaryStore, ChronisExecutorsModule, type BinaryOptions } from '../../lib/executors/index.js';
import {
  binaryKeptMs,
  InvalidOptionError,
  InvalidPayloadError,
  mostBinaryBytes,
  UnknownTaskError,
  type Attempt,
  type TaskInput,
} from '../../lib/index.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { NestApp } from '../support/nest.app.js';
import { wrong } from '../support/refusal.js';
import { processesWith, until } from './until.js';

const isRoot = process.getuid!() === 0;
const type = 'binary';
/** Says where it is, and what may be done there. */
const showing = `#!/bin/sh
echo "$0|$*|$CHRONIS_JOB_ID"
stat -c '%a %U' "$0" "$(dirname "$0")"
cat
`;
let app: NestApp | null = null;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chronis-binary-'));
  chmodSync(folder, 0o755);
});
afterEach(async () => {
  await app?.close();
  app = null;
  rmSync(folder, { recursive: true });
});

async function boot(binary: BinaryOptions = {}, storage?: MemoryStorage): Promise<NestApp> {
  app = await NestApp.boot({
    imports: [ChronisExecutorsModule.forRoot({ binary: { folder, grace: '200ms', ...binary } })],
    ...(storage && { storage, clock: new ManualClock() }),
  });
  return app;
}

const elf = (machine: number): Buffer => {
  const bytes = Buffer.alloc(200, 10);
  bytes.write('\u007fELF', 'latin1');
  bytes[5] = 1;
  bytes.writeUInt16LE(machine, 18);
  bytes.write('\necho ran > "$0.ran"\n', 30);
  return bytes;
};

const store = (): BinaryStore => app!.app.get(BinaryStore, { strict: false });
const stored = async (text: string): Promise<string> =>
  (await store().store({ bytes: Buffer.from(text) })).sha256;

async function ended(jobId: string): Promise<Attempt> {
  await until('it has ended', () => app!.told.some(({ name, event }) => isEnd(name) && isOf(event, jobId)));
  const { items } = await app!.scheduler.getAttempts({ jobId });
  return items.find(({ final }) => final)!;
}

const isEnd = (name: string): boolean =>
  ['run.succeeded', 'run.failed', 'run.timed_out', 'run.cancelled'].includes(name);
const isOf = (event: object, jobId: string): boolean => (event as { jobId?: string }).jobId === jobId;

async function ran(task: Omit<TaskInput, 'type'>, options = {}): Promise<Attempt> {
  const { id } = await app!.scheduler.schedule({ task: { type, ...task } }, { in: 0, ...options });
  await app!.settle();
  return ended(id);
}

/** What lies in the folder of programs. */
function left(): string[] {
  const [programs] = readdirSync(folder).filter((name) => name.startsWith('nestjs-chronis-programs-'));
  return programs === undefined ? [] : readdirSync(join(folder, programs));
}

describe('a program that a job brings along', () => {
  test('runs with its arguments in a folder of its own, which nobody else may look into and is gone then', async () => {
    await boot();
    const sha256 = await stored(showing);
    const attempt = await ran({ sha256, name: 'show', args: ['a b', '$HOME'], stdin: 'in' }, { id: 'x' });
    const { stdout, exitCode } = attempt.result as { stdout: string; exitCode: number };
    const [what, file, own, read] = stdout.split('\n');
    expect(exitCode).toBe(0);
    expect(what).toMatch(/\/nestjs-chronis-programs-\d+\/[^/]+\/show\|a b \$HOME\|x$/);
    expect([file!.split(' ')[0], own!.split(' ')[0], read]).toEqual(['500', '700', 'in']);
    expect(left()).toEqual([]);
  });

  test('may be a program of the machine itself, with all its bytes', async () => {
    await boot();
    const { sha256, size } = await store().store({ path: '/bin/echo' });
    expect((await ran({ sha256, args: ['hello'] })).result).toMatchObject({ stdout: 'hello\n' });
    expect(size).toBeGreaterThan(1_000);
  });

  test('is stored once for all jobs, as bytes, as text and as a file', async () => {
    await boot();
    const path = join(folder, 'file');
    writeFileSync(path, showing);
    const bytes = Buffer.from(showing);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const all = [
      await store().store({ path }),
      await store().store({ bytes, sha256 }),
      await store().store({ base64: bytes.toString('base64') }),
    ];
    expect(new Set(all.map((each) => JSON.stringify(each))).size).toBe(1);
    expect(all[0]).toMatchObject({ sha256, size: bytes.length });
  });

  test('is nowhere on record: jobs, events and the ledger have its sum', async () => {
    await boot();
    const text = '#!/bin/sh\n# a secret of the program\nexit 3\n';
    const sha256 = await stored(text);
    const attempt = await ran({ sha256 });
    const job = await app!.scheduler.createJob({ id: 'kept', task: { type, sha256 }, every: '1h' });
    expect(attempt.error).toMatch(/^CommandFailedError: program ended with exit code 3\. It wrote nothing\./);
    const record = JSON.stringify([app!.told, attempt, job], (_, value: unknown) =>
      value instanceof Error ? Object.entries(Object.getOwnPropertyDescriptors(value)) : value,
    );
    expect(record).not.toContain('a secret of the program');
    expect(record).not.toContain(Buffer.from(text).toString('base64').slice(0, 30));
    expect(job.payload).toEqual({ sha256 });
  });

  test('is removed also where it fails, where it cannot be started and where it is stopped', async () => {
    await boot();
    await ran({ sha256: await stored('#!/bin/sh\nexit 1\n') });
    const { error } = await ran({ sha256: await stored('#!/nowhere/sh\n') });
    expect(error).toContain(
      'program was not started: it, or what its first line names, is not there (ENOENT).',
    );
    const sha256 = await stored('#!/bin/sh\ntrap "" TERM\nwhile :; do sleep 1000; done\n');
    const { id } = await app!.scheduler.schedule({ task: { type, sha256 } }, { in: 0, timeout: '1m' });
    await app!.settle();
    await until('it runs', () => processesWith(folder).length > 0 && left().length === 1);
    await app!.clock.advanceBy(60_000);
    expect((await ended(id)).outcome).toBe('timed_out');
    await until('it is gone', () => processesWith(folder).length === 0 && left().length === 0);
  });

  test('is not run where what is stored has another sum, and not tried again', async () => {
    await boot();
    const sha256 = '0'.repeat(64);
    await app!.storage.binaries.putBinary(sha256, Buffer.from('#!/bin/sh\ntouch ran\n'));
    const attempt = await ran({ sha256, cwd: folder }, { maxRetries: 3 });
    expect(attempt).toMatchObject({ outcome: 'failed', attempt: 1 });
    expect(attempt.error).toMatch(
      /^BinaryRefusedError: The program was not run: it has the SHA-256 [0-9a-f]{64}, where the job names 0{64}\./,
    );
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  });

  test('that is gone from the storage fails the run without another try', async () => {
    await boot();
    const sha256 = await stored(showing);
    const { id } = await app!.scheduler.schedule({ task: { type, sha256 } }, { in: '1h', maxRetries: 3 });
    (app!.storage as unknown as { tables: { binaries: Map<string, unknown> } }).tables.binaries.clear();
    await app!.clock.advanceBy(3_600_000);
    expect(await ended(id)).toMatchObject({
      ...{ outcome: 'failed', attempt: 1 },
      error: expect.stringContaining(`no program is stored that has the SHA-256 ${sha256}`) as string,
    });
  });

  test('stays as long as its job, and goes a day after it', async () => {
    const { scheduler, clock, storage } = await boot();
    const sha256 = await stored('#!/bin/sh\n');
    await scheduler.createJob({ id: 'kept', task: { type, sha256 }, cron: '0 0 1 1 *' });
    const there = async (): Promise<boolean> =>
      (await (storage.open() as MemoryStorage).binaries.readBinary(sha256)) !== null;
    await clock.advanceBy(2 * binaryKeptMs);
    expect(await there()).toBe(true);
    await scheduler.deleteJob('kept');
    await clock.advanceBy(2 * binaryKeptMs);
    expect(await there()).toBe(false);
  });
});

describe('a program is refused when it is stored', () => {
  test.each<[string, () => object, string]>([
    [
      'that is too long',
      () => ({ bytes: Buffer.alloc(2_001) }),
      'bytes: has 2001 bytes, but a program may have 2000 (binary.maxBytes).',
    ],
    [
      'of a file that is too long',
      () => ({ path: '/bin/sh' }),
      'bytes, but a program may have 2000 (binary.maxBytes).',
    ],
    ['of no file', () => ({ path: '/nowhere' }), 'path: /nowhere cannot be read: ENOENT'],
    ['of a folder', () => ({ path: '/tmp' }), 'path: /tmp cannot be read: it is no file.'],
    ['that is empty', () => ({ bytes: Buffer.alloc(0) }), 'bytes: is empty, which is no program.'],
    ['as text of another kind', () => ({ base64: '#!/bin/sh' }), 'base64: must be text in Base64'],
    ['that is no bytes', () => ({ bytes: 'x' }), 'bytes: must be a Buffer or a Uint8Array, but is "x".'],
    ['of nothing', () => ({}), 'takes exactly one of path, bytes, base64.'],
    ['of two', () => ({ path: 'a', base64: 'AAAA' }), 'takes exactly one of path, bytes, base64.'],
    ['with a misspelt option', () => ({ file: 'a' }), 'file: BinaryStore.store() has no such option.'],
    [
      'with another sum',
      () => ({ bytes: Buffer.from('x'), sha256: '0'.repeat(64) }),
      `sha256: is ${'0'.repeat(64)}, but the bytes have 2d711642`,
    ],
    [
      'with a sum that is none',
      () => ({ bytes: Buffer.from('x'), sha256: 'x' }),
      'sha256: must be 64 hexadecimal digits in lower case, but is "x".',
    ],
  ])('%s', async (_, content, message) => {
    await boot({ maxBytes: 2_000 });
    const error = await store()
      .store(wrong(content()))
      .catch((each: unknown) => each);
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect((error as Error).message).toContain(message);
  });

  test('where it is not opted in, and tasks of its type are unknown then', async () => {
    app = await NestApp.boot({ imports: [ChronisExecutorsModule.forRoot({ command: { shell: true } })] });
    await expect(store().store({ path: '/bin/sh' })).rejects.toThrow(
      'binary: is not opted in: ChronisExecutorsModule.forRoot({ binary: {} })',
    );
    const task = { type, sha256: '0'.repeat(64) };
    await expect(app.scheduler.schedule({ task }, { in: 0 })).rejects.toThrow(UnknownTaskError);
  });

  test('where the storage keeps none', async () => {
    const storage = new MemoryStorage({ clock: new ManualClock() });
    Object.defineProperty(storage, 'binaries', { value: undefined });
    Object.defineProperty(storage, 'open', { value: () => storage });
    await boot({}, storage);
    await expect(store().store({ path: '/bin/sh' })).rejects.toThrow(
      'storage: "memory" keeps no programs: its adapter has no "binaries".',
    );
  });
});

describe('a task is refused', () => {
  test.each<[string, object, string]>([
    ['without a sum', {}, 'at task.sha256: must be 64 hexadecimal digits in lower case, but is undefined'],
    [
      'of a program that is not stored',
      { sha256: 'a'.repeat(64) },
      `at task.sha256: no program is stored that has the SHA-256 ${'a'.repeat(64)}. Store it first`,
    ],
    [
      'with a path for a name',
      { sha256: 'a'.repeat(64), name: '../x' },
      'at task.name: must be the name of a file',
    ],
    [
      'with dots for a name',
      { sha256: 'a'.repeat(64), name: '..' },
      'at task.name: must be the name of a file',
    ],
    [
      'with a variable that is not listed',
      { sha256: 'a'.repeat(64), env: { LD_PRELOAD: '/x' } },
      'at task.env.LD_PRELOAD: is none of the variables that the binary executor lets tasks set (binary.env). It names none',
    ],
    ['for a shell', { sha256: 'a'.repeat(64), shell: true }, 'at task.shell: there is no such option.'],
    [
      'with the bytes themselves',
      { base64: 'AAAA' },
      'at task.base64: there is no such option. There are: sha256, name, args',
    ],
  ])('%s', async (_, task, message) => {
    const { scheduler } = await boot();
    const error = await scheduler
      .schedule({ task: { type, ...task } }, { in: 0 })
      .catch((each: unknown) => each);
    expect(error).toBeInstanceOf(InvalidPayloadError);
    expect((error as Error).message).toContain(message);
  });

  test.each<[string, object, string]>([
    [
      'more bytes than can be stored',
      { maxBytes: mostBinaryBytes + 1 },
      'binary.maxBytes: must be a whole number from 1 to 16777216, but is 16777217.',
    ],
    ['a relative folder', { folder: 'x' }, 'binary.folder: must be an absolute path, but is "x".'],
    [
      'a folder that is a file',
      { folder: process.execPath },
      `binary.folder: must be a folder, but ${process.execPath} is a file.`,
    ],
    [
      'a folder below a file',
      { folder: `${process.execPath}/x` },
      `binary.folder: must be a folder, but ${process.execPath}/x cannot be one: ENOTDIR`,
    ],
    ['a grace that is none', { grace: 'soon' }, 'binary.grace'],
    ['an option that there is not', { allow: [] }, 'allow: binary has no such option.'],
  ])('at the boot, with %s', async (_, options, message) => {
    await expect(boot(wrong(options))).rejects.toThrow(message);
  });
});

describe.runIf(isRoot)('as somebody else', () => {
  test('a program is its own, in a folder of its own', async () => {
    await boot({ user: 'nobody', cwd: '/' });
    const { result } = await ran({ sha256: await stored(showing), stdin: '' });
    const [, file, own] = (result as { stdout: string }).stdout.split('\n');
    expect([file, own]).toEqual(['500 nobody', '700 nobody']);
    expect(left()).toEqual([]);
  });
});

test.each([
  ['text without a first line', Buffer.from('echo ran\n'), 'no program of this system'],
  ['a program of another machine', elf(0xfffe), 'a program for another machine'],
  ['a mark alone', Buffer.from('\u007fELF', 'latin1'), 'no program of this system'],
])('%s is not run by a shell', async (_, bytes, sentence) => {
  await boot();
  const { sha256 } = await store().store({ bytes });
  const { outcome, error } = await ran({ sha256, name: 'tool' });
  expect(outcome).toBe('failed');
  expect(error).toMatch(new RegExp(`tool was not started: it is ${sentence}.* \\(ENOEXEC\\)\\.`));
});
