import { Module } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ChronisExecutorsModule, type CommandOptions } from '../../lib/executors/index.js';
import {
  ChronisModule,
  getSchedulerToken,
  InvalidOptionError,
  InvalidPayloadError,
  UnknownTaskError,
  type Attempt,
  type SchedulerService,
  type TaskInput,
} from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';
import { wrong } from '../support/refusal.js';
import { processesWith, until } from './until.js';

const isRoot = process.getuid!() === 0;
const command: CommandOptions = {
  allow: ['/bin/*', '/usr/bin/*'],
  shell: true,
  env: ['GREETING'],
  grace: '200ms',
};
const type = 'execute_command';
let app: NestApp | null = null;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chronis-command-'));
});
afterEach(async () => {
  await app?.close();
  app = null;
  rmSync(folder, { recursive: true });
});

async function boot(options: CommandOptions = command): Promise<NestApp> {
  app = await NestApp.boot({ imports: [ChronisExecutorsModule.forRoot({ command: options })] });
  return app;
}

/** Runs a task to its end, and gives its attempt. */
async function ran(task: Omit<TaskInput, 'type'>, options = {}): Promise<Attempt> {
  const { scheduler } = app ?? (await boot());
  const { id } = await scheduler.schedule({ task: { type, ...task } }, { in: 0, ...options });
  await app!.settle();
  return ended(id);
}

async function ended(jobId: string): Promise<Attempt> {
  let found: Attempt | undefined;
  const look = async (): Promise<void> => {
    await app!.settle();
    [found] = (await app!.scheduler.getAttempts({ jobId, finalOnly: true })).items;
  };
  for (; found === undefined; await look()) await new Promise((resolve) => void setTimeout(resolve, 10));
  return found;
}

function script(text: string, mode = 0o755): string {
  const path = join(folder, 'script');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

describe('a command', () => {
  test('leaves its exit code and its output as the result', async () => {
    expect(await ran({ command: "/bin/echo 'a  b' c" })).toMatchObject({
      ...{ outcome: 'succeeded', handler: 'task:execute_command' },
      result: { exitCode: 0, stdout: 'a  b c\n', stderr: '', stdoutBytes: 7, stderrBytes: 0 },
    });
  });

  test('is also of the type cmd, with a shell where it says so', async () => {
    await boot();
    const { id } = await app!.scheduler.schedule(
      { task: { type: 'cmd', command: 'echo Parent && echo Done | tr D d', shell: true } },
      { in: 0 },
    );
    expect((await ended(id)).result).toMatchObject({ stdout: 'Parent\ndone\n' });
  });

  test('is a file with arguments as they are', async () => {
    const { result } = await ran({ file: '/bin/echo', args: ['$HOME', '; id', '*'] });
    expect(result).toMatchObject({ stdout: '$HOME ; id *\n' });
  });

  test('reads its stdin, runs in its folder, and has no variables but listed ones and those of its run', async () => {
    process.env.CHRONIS_TEST_SECRET = 'secret';
    const attempt = await ran(
      { file: '/bin/sh', args: ['-c', 'cat; pwd; env'], stdin: 'in\n', cwd: folder, env: { GREETING: 'hi' } },
      { id: 'nightly' },
    );
    delete process.env.CHRONIS_TEST_SECRET;
    const { stdout } = attempt.result as { stdout: string };
    const [first, second, ...lines] = stdout.trim().split('\n');
    expect([first, second]).toEqual(['in', folder]);
    const variables = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s)));
    expect(variables).toMatchObject({
      ...{ GREETING: 'hi', CHRONIS_RUN_ID: attempt.runId, CHRONIS_JOB_ID: 'nightly', CHRONIS_ATTEMPT: '1' },
      CHRONIS_NOMINAL_AT: attempt.nominalAt.toISOString(),
    });
    const known = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'PWD', 'OLDPWD', 'SHLVL', '_'];
    const others = Object.keys(variables).filter(
      (name) => !known.includes(name) && !name.startsWith('CHRONIS_'),
    );
    expect(others).toEqual(['GREETING']);
    expect(stdout).not.toContain('secret');
  });

  test('that is no program, and whose first line names none, is not run as text of a shell', async () => {
    await boot({ ...command, allow: ['*'] });
    for (const text of ['echo hi > ran\n', '', '#\n#!/bin/sh\n', '\0\0\0\0']) {
      const attempt = await ran({ file: script(text), cwd: folder });
      expect(attempt.outcome).toBe('failed');
      expect(attempt.error).toMatch(/script was not started: it is no program.* \(ENOEXEC\)\./);
      expect(attempt.error).not.toMatch(/\n {4}at |cause/);
    }
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  });

  test('whose first line names a file that is no program is not run as text of a shell', async () => {
    await boot({ ...command, allow: ['*'] });
    const inner = join(folder, 'inner');
    writeFileSync(inner, 'echo no\n', { mode: 0o755 });
    const { error } = await ran({ file: script(`#! ${inner} -x\necho hi > ran\n`), cwd: folder });
    expect(error).toMatch(/inner, which the first line of .*script names, was not started: it is no program/);
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  });

  test('that nobody may read, or that is not there, fails as the system says', async () => {
    await boot({ ...command, allow: ['*'] });
    const { error } = await ran({ file: script('#!/nowhere/sh\n') });
    expect(error).toMatch(/was not started: it, or what its first line names, is not there \(ENOENT\)\./);
    expect((await ran({ file: '/etc' })).error).toMatch(/was not started: .*\(EACCES\)\./);
  });

  test('has failed by its exit code, with what it wrote', async () => {
    expect(await ran({ command: 'echo wrong >&2; exit 3', shell: true })).toMatchObject({
      outcome: 'failed',
    });
    const attempt = await ran({ command: 'echo no; exit 4', shell: true });
    expect(attempt.error).toMatch(/^CommandFailedError: \/bin\/sh ended with exit code 4\.\nno/);
  });

  test('has succeeded by the exit codes that it says', async () => {
    const task = { command: 'exit 3', shell: true, successCodes: [0, 3] };
    expect(await ran(task)).toMatchObject({ outcome: 'succeeded', result: { exitCode: 3 } });
  });

  test('that is ended by a signal says which', async () => {
    const { error } = await ran({ command: 'kill -KILL $$', shell: true });
    expect(error).toMatch(/^CommandFailedError: \/bin\/sh was ended by SIGKILL\. It wrote nothing\./);
  });

  test('is tried again as its job says, with the same run id', async () => {
    await boot();
    const { id } = await app!.scheduler.schedule(
      {
        task: {
          type,
          command: 'echo $CHRONIS_RUN_ID $CHRONIS_ATTEMPT; [ $CHRONIS_ATTEMPT = 2 ]',
          shell: true,
        },
      },
      { in: 0, maxRetries: 3, backoff: [0] },
    );
    const { result, runId } = await ended(id);
    expect(result).toMatchObject({ stdout: `${runId} 2\n` });
  });

  test('that writes much leaves the begin and the end of it as its result, which fits', async () => {
    const { result } = await ran({
      command:
        "echo begin; head -c 3000000 /dev/zero; head -c 300000 /dev/zero | tr '\\0' '\"'; echo; echo ünd",
      shell: true,
    });
    const { stdout, stdoutBytes } = result as { stdout: string; stdoutBytes: number };
    expect(stdoutBytes).toBe(3_300_012);
    expect(stdout.startsWith('begin\n')).toBe(true);
    expect(stdout.endsWith('"\nünd\n')).toBe(true);
    expect(app!.heard('run.result-dropped')).toEqual([]);
  });

  test('under a timeout leaves nothing', async () => {
    const mark = randomUUID();
    await boot();
    const { id } = await app!.scheduler.schedule(
      { task: { type, command: `sleep 1000 & sleep 1000; : ${mark}`, shell: true, env: { GREETING: mark } } },
      { in: 0, timeout: '1m' },
    );
    await app!.settle();
    await until('both sleep', () => processesWith(mark).length === 3);
    await app!.clock.advanceBy(60_000);
    expect((await ended(id)).outcome).toBe('timed_out');
    await until('all are gone', () => processesWith(mark).length === 0);
  });

  test('that is cancelled, and one whose process is shut down, leave nothing', async () => {
    const mark = randomUUID();
    await boot();
    const task = {
      type,
      command: 'trap "" TERM; while :; do sleep 1000; done',
      shell: true,
      env: { GREETING: mark },
    };
    const first = await app!.scheduler.schedule({ task }, { in: 0 });
    await app!.settle();
    await until('it sleeps', () => processesWith(mark).length === 2);
    await app!.scheduler.cancelJob(first.id);
    await app!.settle();
    await until('it is gone', () => processesWith(mark).length === 0);
    await app!.scheduler.schedule({ task }, { in: 0 });
    await app!.settle();
    await until('it sleeps', () => processesWith(mark).length === 2);
    await app!.close();
    app = null;
    await until('it is gone', () => processesWith(mark).length === 0);
  });

  test.each<[string, () => TaskInput, string]>([
    [
      'is not there any more',
      () => ({ type, file: join(folder, 'gone') }),
      'script/gone is not there, or nobody may look at it.',
    ],
    [
      'may not be executed',
      () => ({ type, file: script('#!/bin/sh\n', 0o644) }),
      'was not started: this user may not execute it (EACCES).',
    ],
    [
      'has a first line that names nothing',
      () => ({ type, file: script('#!/nowhere/sh\n') }),
      'was not started: it, or what its first line names, is not there (ENOENT).',
    ],
    [
      'is to run in a folder that is not there',
      () => ({ type, file: '/bin/echo', cwd: '/nowhere/at/all' }),
      '/bin/echo was not started: its folder /nowhere/at/all is not there.',
    ],
  ])('that %s says so', async (_, task, message) => {
    await boot({ ...command, allow: ['/bin/*', `${folder}/*`] });
    const { error } = await ran(task());
    expect(error).toContain(message.replace('script/', `${folder}/`));
  });

  test('that its worker does not allow is not tried again', async () => {
    await boot({ ...command, allow: [`${folder}/*`] });
    const path = script('#!/bin/sh\n');
    const { id } = await app!.scheduler.schedule({ task: { type, file: path } }, { in: '1h', maxRetries: 3 });
    rmSync(path);
    await app!.clock.advanceBy(3_600_000);
    const attempt = await ended(id);
    expect(attempt.attempt).toBe(1);
    expect(attempt.error).toMatch(/^CommandRefusedError: .*script is not there/);
  });
});

describe('a command is refused when it is made', () => {
  const strict: CommandOptions = { allow: ['/bin/echo', '/opt/jobs/*'], env: ['GREETING'] };

  test.each<[string, object, string]>([
    ['of a program that is not allowed', { command: '/bin/cat /etc/passwd' }, 'at task.command: /bin/cat'],
    ['of a file that is not allowed', { file: '/bin/cat' }, 'at task.file: /bin/cat'],
    [
      'without a path',
      { command: 'echo a' },
      'at task.command: must begin with an absolute path, but begins with "echo"',
    ],
    [
      'with what only a shell knows',
      { command: '/bin/echo a | cat' },
      'at task.command: has "|", which only a shell understands',
    ],
    [
      'for a shell that is not allowed',
      { command: 'echo a', shell: true },
      'at task.shell: the command executor allows no shell (command.shell)',
    ],
    ['with neither', {}, 'needs a "command", or a "file" with "args"'],
    [
      'with both',
      { command: '/bin/echo', file: '/bin/echo' },
      'has a "command" and a "file". Leave one of them out',
    ],
    ['with args of a command', { command: '/bin/echo', args: ['a'] }, 'at task.args: goes with "file"'],
    ['with a shell for a file', { file: '/bin/echo', shell: true }, 'at task.shell: goes with "command"'],
    [
      'with args that are no texts',
      { file: '/bin/echo', args: [1] },
      'at task.args: must be a list of texts, but is a list',
    ],
    [
      'with a misspelt option',
      { command: '/bin/echo', succesCodes: [0] },
      'at task.succesCodes: there is no such option. Did you mean "successCodes"?',
    ],
    ['in no folder', { command: '/bin/echo', cwd: 'a' }, 'at task.cwd: must be an absolute path, but is "a"'],
    [
      'with a variable that is not listed',
      { command: '/bin/echo', env: { LD_PRELOAD: '/x' } },
      'at task.env.LD_PRELOAD: is none of the variables that the command executor lets tasks set (command.env). It names GREETING',
    ],
    [
      'with PATH',
      { command: '/bin/echo', env: { PATH: '/x' } },
      'at task.env.PATH: is none of the variables',
    ],
    [
      'with a variable that is no text',
      { command: '/bin/echo', env: { GREETING: 1 } },
      'at task.env.GREETING: must be text, but is 1',
    ],
    [
      'as a user that is not listed',
      { command: '/bin/echo', user: 'root' },
      'at task.user: is "root", but the command executor names no users',
    ],
    [
      'with codes that are none',
      { command: '/bin/echo', successCodes: [256] },
      'at task.successCodes: must be a list of exit codes from 0 to 255',
    ],
    ['with no text to read', { command: '/bin/echo', stdin: 1 }, 'at task.stdin: must be text, but is 1'],
  ])('%s', async (_, task, message) => {
    const { scheduler } = await boot(strict);
    const error = await scheduler
      .schedule({ task: { type, ...task } }, { in: 0 })
      .catch((each: unknown) => each);
    expect(error).toBeInstanceOf(InvalidPayloadError);
    expect((error as Error).message).toContain(message);
  });

  test('but not where the program may come yet', async () => {
    const { scheduler } = await boot(strict);
    await scheduler.schedule({ task: { type, file: '/opt/jobs/later.sh' } }, { in: '1d' });
    expect(await scheduler.countJobs()).toBe(1);
  });
});

describe.runIf(isRoot)('as somebody else', () => {
  test('a command runs with the name, the folder and no groups of this process', async () => {
    chmodSync(folder, 0o755);
    await boot({ ...command, cwd: folder, user: 'nobody', users: ['daemon'] });
    const of = async (more = {}) =>
      (
        (await ran({ command: 'id -un; id -Gn; echo $USER $LOGNAME $HOME', shell: true, ...more }))
          .result as { stdout: string }
      ).stdout.split('\n');
    expect(await of()).toEqual(['nobody', 'nogroup', expect.stringMatching(/^nobody nobody \//), '']);
    expect((await of({ user: 'daemon' }))[0]).toBe('daemon');
    await expect(ran({ command: '/bin/echo', user: 'root' })).rejects.toThrow(
      'at task.user: is "root", but may be nobody, daemon',
    );
  });

  test('a user that is none is refused at the boot', async () => {
    await expect(boot({ ...command, user: 'nobody-at-all' })).rejects.toThrow(
      'command.user: "nobody-at-all" is no user in /etc/passwd of this machine.',
    );
  });
});

describe('the module', () => {
  test.each<[string, object, string]>([
    [
      'without an executor',
      {},
      'names no executor, so there would be none. Give one of: command, binary, http, emit.',
    ],
    [
      'with an executor that there is not',
      { commands: {} },
      'commands: ChronisExecutorsModule.forRoot() has no such option. Did you mean "command"?',
    ],
    ['as a function', () => ({}), 'takes options as an object. For a function there is forRootAsync'],
  ])('is refused %s', (_, options, message) => {
    expect(() => ChronisExecutorsModule.forRoot(wrong(options))).toThrow(message);
  });

  test.each<[string, object, string]>([
    ['nothing that is allowed', {}, 'command.allow: names no program, so none would run.'],
    ['a relative path', { allow: ['bin/x'] }, 'command.allow: must be a list of absolute paths'],
    ['a star in a folder', { allow: ['/opt/*/x'] }, 'but "/opt/*/x" is none.'],
    [
      'no list',
      { allow: '/bin/x' },
      'command.allow: must be a list of absolute paths, of which the last part may have "*", such as "/usr/bin/rsync" and "/opt/jobs/*", or "*" for any program, but is "/bin/x".',
    ],
    [
      'an option that there is not',
      { allow: ['/bin/x'], envs: [] },
      'envs: command has no such option. Did you mean "env"?',
    ],
    [
      'a shell that is no truth',
      { shell: '/bin/bash' },
      'command.shell: must be true or false, but is "/bin/bash".',
    ],
    [
      'a folder that is none',
      { allow: ['/bin/x'], cwd: 'x' },
      'command.cwd: must be an absolute path, but is "x".',
    ],
    [
      'a variable of its own',
      { allow: ['/bin/x'], env: ['CHRONIS_RUN_ID'] },
      'command.env: must be a list of names of variables',
    ],
    ['a grace that is none', { allow: ['/bin/x'], grace: 'soon' }, 'command.grace'],
  ])('is refused at the boot with %s', async (_, options, message) => {
    await expect(boot(wrong(options))).rejects.toThrow(message);
  });

  test('takes options from the injector', async () => {
    app = await NestApp.boot({
      imports: [ChronisExecutorsModule.forRootAsync({ useFactory: () => Promise.resolve({ command }) })],
    });
    expect((await ran({ command: '/bin/echo a' })).result).toMatchObject({ stdout: 'a\n' });
    expect(() => ChronisExecutorsModule.forRootAsync({})).toThrow(InvalidOptionError);
  });

  test('does not stand for a ChronisModule', async () => {
    const { NestFactory } = await import('@nestjs/core');

    @Module({ imports: [ChronisExecutorsModule.forRoot({ command })] })
    class Lonely {}

    const options = { logger: false, abortOnError: false } as const;
    await expect(NestFactory.createApplicationContext(Lonely, options)).rejects.toThrow(
      'ChronisModule.forRoot()',
    );
  });

  test('belongs to the scheduler that it names', async () => {
    const second = ChronisModule.forRoot({ instance: 'second' });

    @Module({ imports: [ChronisExecutorsModule.forRoot({ command, instance: 'second' }), second] })
    class SecondModule {}

    app = await NestApp.boot({ imports: [SecondModule] });
    const task = { type, command: '/bin/echo a' };
    await expect(app.scheduler.schedule({ task }, { in: 0 })).rejects.toThrow(UnknownTaskError);
    const other = app.app.get<SchedulerService>(getSchedulerToken('second'), { strict: false });
    const { id } = await other.schedule({ task }, { in: 0 });
    const [run] = (await other.getRuns({ jobId: id })).items;
    if (run) await other.waitForRun(run.id);
    expect((await other.getAttempts({ jobId: id })).items).toMatchObject([{ outcome: 'succeeded' }]);
  });
});
