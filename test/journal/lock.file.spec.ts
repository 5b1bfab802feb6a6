import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { StorageInUseError } from '../../lib/index.js';
import { LockFile } from '../../lib/journal/lock.file.js';
import { until } from '../executors/until.js';
import { temporaryFolder } from '../support/file.subject.js';

let folder: string;
let path: string;

beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder, 'jobs.lock');
});

afterEach(() => rmSync(folder, { recursive: true }));

interface Holder {
  pid: number;
  startTime: string;
  bootId: string;
  pidNamespace: string;
  host: string;
}

/** What this process writes. */
function own(): Holder {
  const lock = new LockFile(path);
  lock.acquire('jobs');
  const holder = JSON.parse(readFileSync(path, 'utf8')) as Holder;
  lock.release();
  return holder;
}

function leave(holder: Partial<Holder>): void {
  writeFileSync(path, JSON.stringify({ ...own(), ...holder }));
}

async function endedProcess(): Promise<number> {
  const child: ChildProcess = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid!;
}

const take = (): void => new LockFile(path).acquire('jobs');

test('is there while one has it, says who, and goes', () => {
  const lock = new LockFile(path);
  lock.acquire('jobs');
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid, host: hostname() });
  expect(take).toThrow(StorageInUseError);
  expect(take).toThrow(`jobs is in use by the process ${process.pid} on ${hostname()}`);
  lock.release();
  expect(readdirSync(folder)).toEqual([]);
});

test('of a process that is dead is taken over', async () => {
  leave({ pid: await endedProcess() });
  const lock = new LockFile(path);
  lock.acquire('jobs');
  lock.assertHeld('jobs');
  lock.release();
  expect(readdirSync(folder)).toEqual([]);
});

test.runIf(process.platform === 'linux')(
  'of a dead process whose number another one has got is taken over',
  () => {
    leave({ startTime: '1' });
    expect(take).not.toThrow();
  },
);

test('of another container or machine is left while it shows itself, and taken over when it is silent', () => {
  leave({ pidNamespace: 'pid:[1]', host: 'other' });
  expect(take).toThrow('on other, in another container or on another machine');
  const past = new Date(Date.now() - 60_000);
  utimesSync(path, past, past);
  expect(take).not.toThrow();
});

test('with something else in it is left', () => {
  writeFileSync(path, 'keep out');
  expect(take).toThrow(`is locked by ${path}, which says nothing of a process`);
  expect(readFileSync(path, 'utf8')).toBe('keep out');
});

test('that somebody has taken away is told at the next write, and theirs is left', () => {
  const lock = new LockFile(path);
  lock.acquire('jobs');
  rmSync(path);
  const other = new LockFile(path);
  other.acquire('jobs');
  expect(() => lock.assertHeld('jobs')).toThrow('was taken from this process');
  lock.release();
  expect(existsSync(path)).toBe(true);
  other.release();
});

test.runIf(process.platform === 'linux')(
  'of a process that has ended, and whose parent does not look, is taken over',
  async () => {
    // What it starts becomes the child of a program that waits for none.
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec cat'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    try {
      const [line] = (await once(parent.stdout, 'data')) as [Buffer];
      const pid = Number(line.toString());
      const stat = (of = pid): string[] => readFileSync(`/proc/${of}/stat`, 'utf8').split(' ');
      await until('the parent is that program', () => stat(parent.pid)[1] === '(cat)');
      process.kill(pid, 'SIGKILL');
      await until('the process has ended', () => stat()[2] === 'Z');
      leave({ pid, startTime: stat()[21]! });
      const lock = new LockFile(path);
      lock.acquire('jobs');
      lock.release();
    } finally {
      parent.kill('SIGKILL');
    }
  },
);

test('that cannot be read is told by its name, and left', () => {
  mkdirSync(path);
  expect(take).toThrow(StorageInUseError);
  expect(take).toThrow(`jobs is locked by ${path}, which cannot be read: EISDIR`);
  expect(statSync(path).isDirectory()).toBe(true);
  expect(readdirSync(folder)).toEqual(['jobs.lock']);
});

test('that is a link to nothing is told by its name', () => {
  symlinkSync(join(folder, 'nothing'), path);
  expect(take).toThrow(StorageInUseError);
  expect(take).toThrow(path);
  expect(readdirSync(folder)).toEqual(['jobs.lock']);
});

test('shows that its process is there, and does not do so for the next owner', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const lock = new LockFile(path);
  try {
    const past = new Date(Date.now() - 60_000);
    lock.acquire('jobs');
    utimesSync(path, past, past);
    vi.advanceTimersByTime(5_000);
    expect(statSync(path).mtimeMs).toBeGreaterThan(past.getTime() + 30_000);
    rmSync(path);
    writeFileSync(path, 'of another one');
    utimesSync(path, past, past);
    vi.advanceTimersByTime(5_000);
    expect(statSync(path).mtimeMs).toBeLessThan(past.getTime() + 30_000);
  } finally {
    lock.release();
    vi.useRealTimers();
  }
});
