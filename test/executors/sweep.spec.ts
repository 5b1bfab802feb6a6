import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { GroupRegister } from '../../lib/executors/group.register.js';
import { ChronisExecutorsModule } from '../../lib/executors/index.js';
import { compiledTests } from '../support/compiled.js';
import { NestApp } from '../support/nest.app.js';
import { processesWith, until } from './until.js';

let compiled: string;
let temporary: string;
let folder: string;
let mark: string;
let worker: ChildProcess;

beforeAll(() => {
  compiled = compiledTests();
}, 120_000);
beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'chronis-sweep-'));
  folder = join(temporary, `nestjs-chronis-${process.getuid!()}`);
  mark = randomUUID();
});
afterEach(() => {
  worker?.kill('SIGKILL');
  for (const pid of new Set([...processesWith(mark), ...processesWith(temporary)]))
    process.kill(pid, 'SIGKILL');
  rmSync(temporary, { recursive: true });
});

/** Resolves when the worker runs the command. */
async function begin(command: string, processes: number, kind = 'command'): Promise<void> {
  start(command, kind);
  await until('the command runs', () => sleeping().length >= processes && readdirSync(folder).length === 1);
}

/** Resolves when the worker has been killed between the begin of the command and the note of its group, and the command runs. */
async function dieAtSpawn(command: string, processes: number): Promise<void> {
  start(command, 'at-spawn');
  const [, signal] = (await once(worker, 'exit')) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
  await until('the command runs', () => sleeping().length >= processes);
}

function start(command: string, kind: string): void {
  worker = spawn(
    process.execPath,
    [join(compiled, 'test/executors/dying.worker.js'), `${command}; : ${mark}`, kind],
    {
      env: { PATH: process.env.PATH, TMPDIR: temporary },
      stdio: 'inherit',
    },
  );
}

/** What the worker has begun; it has the mark itself. */
function sleeping(): number[] {
  return processesWith(temporary).filter((pid) => pid !== worker.pid && pid !== process.pid);
}

async function kill(): Promise<void> {
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  worker.kill('SIGKILL');
  await ended;
}

async function started(): Promise<NestApp> {
  const before = process.env.TMPDIR;
  process.env.TMPDIR = temporary;
  try {
    return await NestApp.boot({
      imports: [ChronisExecutorsModule.forRoot({ command: { shell: true }, binary: {} })],
    });
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
}

describe('what a worker that was killed has left behind', () => {
  test('is ended by the start of the next one, as a whole', async () => {
    await begin('sleep 1000 & trap "" TERM; while :; do sleep 1000; done', 3);
    await kill();
    expect(sleeping().length).toBeGreaterThanOrEqual(3);
    const app = await started();
    await until('it is gone', () => sleeping().length === 0);
    expect(readdirSync(folder)).toEqual([]);
    await app.close();
  });

  test('is ended when runs of a worker are released, and not before it is gone', async () => {
    await begin('sleep 1000', 2);
    const app = await started();
    expect(sleeping()).toHaveLength(2);
    await kill();
    const { ChronisEvents } = await import('../../lib/index.js');
    app.app.get(ChronisEvents).emit('workers.released', { workers: ['x'], rerun: 1, ended: 0, gaveUp: [] });
    await until('it is gone', () => sleeping().length === 0);
    await app.close();
  });

  test('is removed where it is a program of its job, by the start of the next one', async () => {
    await begin('sleep 1000', 2, 'binary');
    const programs = join(temporary, `nestjs-chronis-programs-${process.getuid!()}`);
    const before = await started();
    expect([readdirSync(programs).length, sleeping().length]).toEqual([1, 2]);
    await before.close();
    await kill();
    expect(readdirSync(programs)).toHaveLength(1);
    const app = await started();
    await until('it is gone', () => sleeping().length === 0);
    expect(readdirSync(programs)).toEqual([]);
    await app.close();
  });

  test('is ended where the worker was killed between the begin of the command and the note of its group', async () => {
    await dieAtSpawn('sleep 1000 & trap "" TERM; while :; do sleep 1000; done', 3);
    const app = await started();
    await until('it is gone', () => sleeping().length === 0);
    expect(readdirSync(folder)).toEqual([]);
    await app.close();
  });

  test('goes on where it has made a session of its own', async () => {
    await begin('setsid sleep 1000 & sleep 1000', 3);
    await kill();
    expect(new GroupRegister(folder).sweep()).toMatchObject([{ runId: expect.any(String) as string }]);
    await until('the rest is gone', () => sleeping().length === 1);
  });

  test('goes on so, too, where the worker was killed before it knew the group', async () => {
    await dieAtSpawn('setsid sleep 1000 & sleep 1000', 3);
    expect(new GroupRegister(folder).sweep()).toHaveLength(1);
    await until('the rest is gone', () => sleeping().length === 1);
    expect(new GroupRegister(folder).sweep()).toEqual([]);
    expect(sleeping()).toHaveLength(1);
  });

  test('is looked for again for a minute where it was about to begin and is not seen', async () => {
    await dieAtSpawn('sleep 1000', 2);
    const [name] = readdirSync(folder) as [string];
    const file = join(folder, name);
    const runId = readFileSync(file, 'utf8');
    writeFileSync(file, 'another run');
    expect(new GroupRegister(folder).sweep()).toEqual([]);
    expect([sleeping().length, readdirSync(folder)]).toEqual([2, [name]]);
    writeFileSync(file, runId);
    expect(new GroupRegister(folder).sweep()).toHaveLength(1);
    await until('it is gone', () => sleeping().length === 0);
    expect(readdirSync(folder)).toEqual([]);
    writeFileSync(file, runId);
    utimesSync(file, 0, 0);
    expect(new GroupRegister(folder).sweep()).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('ends with the worker where that leaves by itself', async () => {
    await begin('sleep 1000', 2);
    worker.kill('SIGUSR2');
    await until('it is gone', () => sleeping().length === 0);
  });
});

describe('never ended is', () => {
  /** A file about a group, as the worker has written it, with something else in its place. */
  const rewritten = (change: (parts: string[]) => void): void => {
    const [name] = readdirSync(folder) as [string];
    const parts = name.split('.');
    change(parts);
    const runId = readFileSync(join(folder, name), 'utf8');
    rmSync(join(folder, name));
    writeFileSync(join(folder, parts.join('.')), runId);
  };

  test('a group of a worker that lives', async () => {
    await begin('sleep 1000', 2);
    expect(new GroupRegister(folder).sweep()).toEqual([]);
    expect(sleeping()).toHaveLength(2);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  test('a group that has the id of one that was, or of one from before the boot', async () => {
    await begin('sleep 1000', 2);
    await kill();
    const other = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
    try {
      const [name] = readdirSync(folder) as [string];
      rewritten((parts) => (parts[4] = String(other.pid)));
      expect(new GroupRegister(folder).sweep()).toEqual([]);
      writeFileSync(join(folder, name.replace(/^[^.]*/, '00000000-0000')), '1');
      expect(new GroupRegister(folder).sweep()).toEqual([]);
      expect([other.exitCode, other.signalCode, sleeping().length]).toEqual([null, null, 2]);
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      other.kill('SIGKILL');
    }
  });

  test('a group whose run or worker is another one', async () => {
    await begin('sleep 1000', 2);
    await kill();
    const [name] = readdirSync(folder) as [string];
    writeFileSync(join(folder, name), 'another run');
    expect(new GroupRegister(folder).sweep()).toEqual([]);
    expect(sleeping()).toHaveLength(2);
  });

  test('a group of another begin of the same run, or of a worker that lives, before the group is known', async () => {
    await begin('sleep 1000', 2);
    rewritten((parts) => (parts[4] = 'begin-00000000'));
    expect(new GroupRegister(folder).sweep()).toEqual([]);
    await kill();
    expect(new GroupRegister(folder).sweep()).toEqual([]);
    expect(sleeping()).toHaveLength(2);
  });

  test('a group of a container beside this one, where ids are others', async () => {
    await begin('sleep 1000', 2);
    await kill();
    rewritten((parts) => (parts[1] = '1'));
    expect(new GroupRegister(folder).sweep()).toEqual([]);
    expect([sleeping().length, readdirSync(folder).length]).toEqual([2, 1]);
  });

  test('anything by a folder that is not only ours', () => {
    symlinkSync('/tmp', folder);
    expect(() => new GroupRegister(folder).sweep()).toThrow('is not a folder that this user alone may write');
  });
});
