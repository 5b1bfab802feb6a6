import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runGroup, type GroupEnd, type GroupOrder } from '../../lib/executors/process.group.js';
import { processesWith, until } from './until.js';

let mark: string;
let folder: string;
let stopping: AbortController;
let told: string[];

beforeEach(() => {
  mark = `CHRONIS_TEST_MARK=${randomUUID()}`;
  folder = mkdtempSync(join(tmpdir(), 'chronis-group-'));
  stopping = new AbortController();
  told = [];
});
afterEach(() => {
  for (const pid of processesWith(mark)) process.kill(pid, 'SIGKILL');
  rmSync(folder, { recursive: true });
});

function run(command: string, more: Partial<GroupOrder> = {}): Promise<GroupEnd> {
  const [name, value] = mark.split('=') as [string, string];
  return runGroup({
    ...{ file: '/bin/sh', argv0: '/bin/sh', args: ['-c', command], cwd: folder, stdin: null, user: null },
    ...{ env: { PATH: process.env.PATH!, [name]: value }, graceMs: 300, signal: stopping.signal },
    begun: () => void told.push('begun'),
    ended: () => void told.push('ended'),
    ...more,
  });
}

describe('a process group', () => {
  test('gives what the program wrote, and its exit code', async () => {
    const end = await run('echo out; echo err >&2; exit 3');
    expect(end).toMatchObject({ exitCode: 3, signal: null });
    expect([end.stdout.text(), end.stderr.text()]).toEqual(['out\n', 'err\n']);
    expect(told).toEqual(['begun', 'ended']);
  });

  test('is over at once when the output is closed', async () => {
    const begin = performance.now();
    for (let nth = 0; nth < 20; nth++) await run('echo x');
    // One that waits takes a second more.
    expect(performance.now() - begin).toBeLessThan(5_000);
  });

  test('has a folder, variables, something to read, and arguments as they are', async () => {
    const args = ['-c', 'pwd; echo "$A"; cat; echo "$0 $1"', 'x', '$(id) "q"'];
    const { stdout } = await run('', {
      args,
      env: { PATH: process.env.PATH!, A: 'b c' },
      stdin: 'read me\n',
    });
    expect(stdout.text()).toBe(`${folder}\nb c\nread me\nx $(id) "q"\n`);
  });

  test('is stopped as a whole: what the program has started goes with it', async () => {
    const ended = run('sleep 1000 & sleep 1000');
    await until('both sleep', () => processesWith(mark).length === 3);
    stopping.abort();
    expect(await ended).toMatchObject({ exitCode: null, signal: 'SIGTERM' });
    expect(processesWith(mark)).toEqual([]);
  });

  test('that ignores SIGTERM is killed after the grace', async () => {
    const ended = run('trap "" TERM; echo ready; while :; do sleep 1000; done');
    await until('it sleeps', () => processesWith(mark).length === 2);
    stopping.abort();
    expect(await ended).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
    expect(processesWith(mark)).toEqual([]);
  });

  test('whose leader heeds SIGTERM and whose child does not is killed all the same', async () => {
    const ended = run('(trap "" TERM; while :; do sleep 1000; done) & sleep 1000');
    await until('both sleep', () => processesWith(mark).length >= 4);
    stopping.abort();
    await ended;
    expect(processesWith(mark)).toEqual([]);
  });

  test('that may clean up at SIGTERM has the time for it', async () => {
    const ended = run('trap "echo cleaned; exit 5" TERM; echo ready; sleep 1000 & wait', { graceMs: 10_000 });
    await until('it sleeps', () => processesWith(mark).length === 2);
    stopping.abort();
    const end = await ended;
    expect(end).toMatchObject({ exitCode: 5, signal: null });
    expect(end.stdout.text()).toBe('ready\ncleaned\n');
  });

  test('that is stopped itself (SIGSTOP) can be ended', async () => {
    const ended = run('kill -STOP $$');
    await until('it stands', () => processesWith(mark).length === 1);
    stopping.abort();
    expect((await ended).signal).not.toBeNull();
    expect(processesWith(mark)).toEqual([]);
  });

  test('that closes its output goes on to its end', async () => {
    const { exitCode, stdout } = await run('exec >&- 2>&-; sleep 0.1; exit 4');
    expect([exitCode, stdout.bytes]).toEqual([4, 0]);
  });

  test('leaves nothing behind in the background, also what holds its output', async () => {
    const { exitCode, stdout } = await run('echo done; sleep 1000 &');
    expect([exitCode, stdout.text()]).toEqual([0, 'done\n']);
    expect(processesWith(mark)).toEqual([]);
  });

  test('does not wait for a session of its own that holds its output, nor ends it', async () => {
    const { exitCode, stdout } = await run('echo done; setsid sleep 1000 &');
    expect([exitCode, stdout.text()]).toEqual([0, 'done\n']);
    expect(processesWith(mark)).toHaveLength(1);
  });

  test('need not read what it is given', async () => {
    const { exitCode } = await run('exec <&-; exit 0', { stdin: 'x'.repeat(10_000_000) });
    expect(exitCode).toBe(0);
  });

  test('may write a gigabyte: its begin and its end are kept, and it is counted', async () => {
    const before = process.memoryUsage.rss();
    const { exitCode, stdout } = await run('echo begin; head -c 1000000000 /dev/zero; echo; echo end');
    expect([exitCode, stdout.bytes]).toEqual([0, 1_000_000_011]);
    const text = stdout.text();
    expect(text.startsWith('begin\n')).toBe(true);
    expect(text.endsWith('\nend\n')).toBe(true);
    expect(text).toMatch(/… 9999\d+ bytes are left out …/);
    expect(Buffer.byteLength(text)).toBeLessThan(4 * 65_536);
    expect(process.memoryUsage.rss() - before).toBeLessThan(300_000_000);
  }, 60_000);

  test('ends by the signal that it gets', async () => {
    expect(await run('kill -KILL $$')).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
    expect(await run('kill -SEGV $$')).toMatchObject({ exitCode: null, signal: 'SIGSEGV' });
  });

  test.each([
    ['ENOENT', () => join(folder, 'missing')],
    ['EACCES', () => file('#!/bin/sh\n', 0o644)],
    ['EACCES', () => folder],
    ['ENOENT', () => file('#!/nowhere/sh\n', 0o755)],
  ])('that cannot be started rejects with %s', async (code, path) => {
    await expect(run('', { file: path(), args: [] })).rejects.toMatchObject({ code });
    expect(told).toEqual([]);
  });

  test('is not begun once the signal has fired', async () => {
    stopping.abort(new Error('over'));
    await expect(run('echo x')).rejects.toThrow('over');
    expect(told).toEqual([]);
  });
});

function file(text: string, mode: number): string {
  const path = join(folder, 'file');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

test.runIf(process.getuid!() === 0)(
  'a program runs as somebody else, without the groups of root',
  async () => {
    chmodSync(folder, 0o755);
    const { stdout } = await run('id -u; id -g; id -G', { user: { uid: 65_534, gid: 65_534 } });
    expect(stdout.text()).toBe('65534\n65534\n65534\n');
  },
);
