import { Logger } from '@nestjs/common';
import { stat } from 'node:fs/promises';
import { CommandFailedError, type ChronisEvents, type TaskContext } from '../index.js';
import { commandResult, type CommandResult } from './command.result.js';
import { assertExecutableFile } from './executable.js';
import { GroupRegister } from './group.register.js';
import { noexecMountOf } from './noexec.mounts.js';
import { runGroup, type GroupEnd } from './process.group.js';
import type { ProgramSettings } from './program.options.js';
import type { CheckedProgram } from './program.task.js';
import { systemUser, type SystemUser } from './system.users.js';

/** A program that is there. */
export interface Program extends CheckedProgram {
  /** Where it is. */
  file: string;
  /** What it is called by, and named in errors. */
  name: string;
}

/** What any program may need, and no secret is in. */
const common = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'];
/** So much of what it wrote is in the message of a failure, from its end. */
const shownOfOutput = 2_000;
/** The right to execute, of whomever. */
const anybodyMode = 0o111;

/** Runs programs for tasks, each as a process group of its own, and ends what a worker that was killed has left of them. */
export class ProgramRunner {
  private readonly logger = new Logger('Chronis');
  private readonly register = new GroupRegister();
  private stopListening: (() => void) | null = null;

  constructor(
    private readonly settings: ProgramSettings,
    private readonly events?: ChronisEvents,
    /** Called after the groups of killed workers were ended. */
    private readonly swept: () => void = () => undefined,
  ) {}

  /** What was killed with a process may still run, and its run is executed again. */
  start(): void {
    this.sweep();
    this.stopListening = this.events?.on('workers.released', () => this.sweep()) ?? null;
  }

  stop(): void {
    this.stopListening?.();
  }

  /** Whom it is run as. Throws InvalidOptionError where that user has gone. */
  userOf({ user }: Pick<CheckedProgram, 'user'>): SystemUser | null {
    if (user === null || user === this.settings.user?.name) return this.settings.user;
    return this.settings.users.get(user) ?? systemUser(user, 'user');
  }

  /** Throws CommandFailedError, and the reason of the signal. */
  async run(program: Program, context: TaskContext): Promise<CommandResult> {
    const { settings } = this;
    const { file, name, args, stdin, successCodes } = program;
    const user = this.userOf(program);
    const cwd = await folderOf(program.cwd ?? settings.cwd ?? process.cwd(), name);
    await assertExecutableFile(file, name);
    const entry = this.register.entry(context.runId);
    const env = { ...this.variables(user), ...program.env, ...entry.marks, ...aboutRun(context) };
    const remove = (): void => this.noting(() => entry.remove());
    this.noting(() => entry.announce());
    const end = await runGroup({
      file,
      argv0: name,
      args,
      cwd,
      env,
      stdin,
      user: user !== null && user.uid !== process.getuid!() ? user : null,
      graceMs: settings.graceMs,
      signal: context.signal,
      begun: (group) => this.noting(() => entry.begun(group)),
      ended: remove,
    }).catch(async (cause: unknown) => {
      remove();
      context.signal.throwIfAborted();
      throw notStarted(name, cause, await noexecOf(file, cause));
    });
    context.signal.throwIfAborted();
    const { exitCode, stdout, stderr } = end;
    if (exitCode === null || !successCodes.includes(exitCode)) throw failure(name, end);
    return commandResult(exitCode, stdout, stderr);
  }

  private variables(user: SystemUser | null): Record<string, string> {
    const names = [...common, ...this.settings.env].filter((name) => process.env[name] !== undefined);
    const own = Object.fromEntries(names.map((name) => [name, process.env[name]!]));
    return user === null ? own : { ...own, HOME: user.home, USER: user.name, LOGNAME: user.name };
  }

  private sweep(): void {
    this.noting(() => {
      for (const { group, runId } of this.register.sweep()) {
        this.logger.warn(
          `Ended the processes of run ${runId} (process group ${group}): their worker was killed and had left them behind.`,
        );
      }
      this.swept();
    });
  }

  /** Without it programs run as well; only what is left of them when their worker is killed stays. */
  private noting(work: () => void): void {
    try {
      work();
    } catch (error) {
      const { message } = error as Error;
      this.logger.warn(`What commands leave behind when their worker is killed cannot be ended: ${message}.`);
    }
  }
}

/** For idempotency, and for logs. */
function aboutRun({ job, attempt, nominalAt }: TaskContext): Record<string, string> {
  return {
    CHRONIS_JOB_ID: job.id,
    CHRONIS_ATTEMPT: String(attempt),
    CHRONIS_NOMINAL_AT: nominalAt.toISOString(),
  };
}

/** Else the program would be said to be missing. */
async function folderOf(path: string, program: string): Promise<string> {
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory()) return path;
  throw new CommandFailedError(program, `${program} was not started: its folder ${path} is not there.`);
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it, or what its first line names, is not there',
  EACCES: 'this user may not execute it',
  ENOEXEC: 'it is no program, and its first line names none',
  E2BIG: 'its arguments and variables are too long',
  EPERM: 'this user may not do that',
};

/** Where a file lies that has the right to be executed, and may not from there; null: it is something else. */
async function noexecOf(file: string, cause: unknown): Promise<string | null> {
  if ((cause as NodeJS.ErrnoException).code !== 'EACCES') return null;
  const found = await stat(file).catch(() => null);
  return found?.isFile() === true && (found.mode & anybodyMode) !== 0 ? noexecMountOf(file) : null;
}

function notStarted(program: string, cause: unknown, noexec: string | null): CommandFailedError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const why =
    noexec === null
      ? (reasons[code ?? ''] ?? message)
      : `it lies on ${noexec}, which is mounted noexec: nothing may be executed from there. Have it elsewhere; for programs that jobs bring along give another folder (binary.folder, --binary-folder)`;
  return new CommandFailedError(
    program,
    `${program} was not started: ${why}${code ? ` (${code})` : ''}.`,
    {},
    { cause },
  );
}

function failure(program: string, { exitCode, signal, stdout, stderr }: GroupEnd): CommandFailedError {
  const output = stderr.bytes > 0 ? stderr : stdout;
  const last = output.text().trimEnd().slice(-shownOfOutput);
  const how = exitCode === null ? `was ended by ${signal}` : `ended with exit code ${exitCode}`;
  const said = last === '' ? ' It wrote nothing.' : `\n${last}`;
  return new CommandFailedError(program, `${program} ${how}.${said}`, {
    exitCode,
    signal,
    stdout: stdout.text(),
    stderr: stderr.text(),
  });
}
