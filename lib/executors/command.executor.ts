import { Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { stat } from 'node:fs/promises';
import {
  CommandFailedError,
  CommandRefusedError,
  TaskExecutor,
  type ChronisEvents,
  type StandardSchema,
  type TaskContext,
} from '../index.js';
import type { CommandSettings } from './command.options.js';
import { commandResult, type CommandResult } from './command.result.js';
import { commandSchema, type CheckedCommand, type CommandTask } from './command.task.js';
import { GroupRegister } from './group.register.js';
import { runGroup, type GroupEnd } from './process.group.js';
import { systemUser, type SystemUser } from './system.users.js';

const shell = '/bin/sh';
/** What any program may need, and no secret is in. */
const common = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'];
/** So much of what it wrote is in the message of a failure, from its end. */
const shownOfOutput = 2_000;

/** Runs programs of this machine, without a shell, each as a process group of its own. @publicApi */
@TaskExecutor('execute_command', { aliases: ['cmd'] })
export class CommandExecutor implements TaskExecutor<CheckedCommand>, OnModuleInit, OnModuleDestroy {
  readonly schema: StandardSchema<CommandTask, CheckedCommand>;
  private readonly logger = new Logger('Chronis');
  private readonly register = new GroupRegister();
  private stopListening: (() => void) | null = null;

  constructor(
    private readonly settings: CommandSettings,
    private readonly events?: ChronisEvents,
  ) {
    this.schema = commandSchema(settings);
  }

  /** What was killed with a process may still run, and its run is executed again. */
  onModuleInit(): void {
    this.sweep();
    this.stopListening = this.events?.on('workers.released', () => this.sweep()) ?? null;
  }

  onModuleDestroy(): void {
    this.stopListening?.();
  }

  /** Throws CommandFailedError, CommandRefusedError, and the reason of the signal. */
  async execute(task: CheckedCommand, context: TaskContext): Promise<CommandResult> {
    const { settings, register } = this;
    const user = this.userOf(task);
    const program = task.program ?? shell;
    const file = task.program === null ? shell : await this.found(task.program);
    const cwd = await folderOf(task.cwd ?? settings.cwd ?? process.cwd(), program);
    const end = await runGroup({
      file,
      argv0: program,
      args: task.program === null ? ['-c', ...task.args] : task.args,
      cwd,
      env: { ...this.variables(user), ...task.env, ...register.marks(context.runId), ...aboutRun(context) },
      stdin: task.stdin,
      user: user !== null && user.uid !== process.getuid!() ? user : null,
      graceMs: settings.graceMs,
      signal: context.signal,
      begun: (group) => this.noting(() => register.add(group, context.runId)),
      ended: (group) => this.noting(() => register.remove(group)),
    }).catch((cause: unknown) => {
      context.signal.throwIfAborted();
      throw notStarted(program, cause);
    });
    context.signal.throwIfAborted();
    const { exitCode, stdout, stderr } = end;
    if (exitCode === null || !task.successCodes.includes(exitCode)) throw failure(program, end);
    return commandResult(exitCode, stdout, stderr);
  }

  private async found(program: string): Promise<string> {
    const found = await this.settings.allow.find(program);
    if ('path' in found) return found.path;
    throw new CommandRefusedError(program, found.refused);
  }

  private userOf({ user }: CheckedCommand): SystemUser | null {
    if (user === null) return this.settings.user;
    return this.settings.users.get(user) ?? systemUser(user, 'user');
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
    });
  }

  /** Without it commands run as well; only what is left of them when their worker is killed stays. */
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

function notStarted(program: string, cause: unknown): CommandFailedError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const why = reasons[code ?? ''] ?? message;
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
