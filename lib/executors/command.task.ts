import type { StandardIssue, StandardSchema } from '../index.js';
import { meantOption } from '../index.js';
import type { CommandSettings } from './command.options.js';
import { wordsOf } from './command.words.js';
import { shown } from './option.checks.js';

/** A task of the type `execute_command`, or `cmd`. @publicApi */
export interface CommandTask {
  /** The program, an absolute path, and its arguments, in one text: `/usr/bin/rsync -a '/srv/my data' backup:`. Split by quotes and backslashes; anything else that a shell knows is refused. */
  command?: string;
  /** The program by itself, an absolute path, in place of `command`. */
  file?: string;
  /** Its arguments, as they are. Only with `file`. @default none */
  args?: readonly string[];
  /** Gives `command` to /bin/sh, where the executor allows that. @default false */
  shell?: boolean;
  /** The folder that it runs in: an absolute path. @default that of the executor */
  cwd?: string;
  /** Variables, of those that the executor names. @default none */
  env?: Readonly<Record<string, string>>;
  /** What it reads. @default nothing */
  stdin?: string;
  /** Whom it runs as, of those that the executor names. @default that of the executor */
  user?: string;
  /** The exit codes that mean success. @default [0] */
  successCodes?: readonly number[];
}

/** The same, checked. */
export interface CheckedCommand {
  /** null: it is for the shell. */
  program: string | null;
  args: readonly string[];
  cwd: string | null;
  env: Readonly<Record<string, string>>;
  stdin: string | null;
  user: string | null;
  successCodes: readonly number[];
}

const keys = ['command', 'file', 'args', 'shell', 'cwd', 'env', 'stdin', 'user', 'successCodes'] as const;
const highestExitCode = 255;

/** What command tasks are checked with, when they are made and before they run. */
export function commandSchema(settings: CommandSettings): StandardSchema<CommandTask, CheckedCommand> {
  const validate = async (
    given: unknown,
  ): Promise<{ value: CheckedCommand } | { issues: StandardIssue[] }> => {
    const issues: StandardIssue[] = [];
    const value = checked(given, settings, (message, ...path) => void issues.push({ message, path }));
    if (issues.length > 0) return { issues };
    if (value.program !== null) {
      // It may be made elsewhere, or before the program is there; it is looked for again before it runs.
      const found = await settings.allow.find(value.program, { mayBeMissing: true });
      const key = (given as CommandTask).file === undefined ? 'command' : 'file';
      if ('refused' in found) return { issues: [{ message: found.refused.replace(/\.$/, ''), path: [key] }] };
    }
    return { value };
  };
  return { '~standard': { version: 1, vendor: 'nestjs-chronis', validate } };
}

type Tell = (message: string, ...path: (string | number)[]) => void;

function checked(given: unknown, settings: CommandSettings, tell: Tell): CheckedCommand {
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given);
  if (!isObject) tell(`must be an object, but is ${shown(given)}`);
  const task = (isObject ? given : {}) as Record<string, unknown>;
  for (const key of Object.keys(task)) {
    if ((keys as readonly string[]).includes(key)) continue;
    const meant = meantOption(key, keys);
    tell(
      `there is no such option. ${meant ? `Did you mean "${meant}"?` : `There are: ${keys.join(', ')}`}`,
      key,
    );
  }
  const { stdin, user, cwd } = task;
  if (stdin !== undefined && typeof stdin !== 'string') tell(`must be text, but is ${shown(stdin)}`, 'stdin');
  if (cwd !== undefined && !isAbsolute(cwd)) tell(`must be an absolute path, but is ${shown(cwd)}`, 'cwd');
  if (user !== undefined && user !== settings.user?.name && !settings.users.has(user as string)) {
    const names = [...new Set([...(settings.user ? [settings.user.name] : []), ...settings.users.keys()])];
    tell(
      `is ${shown(user)}, but ${names.length === 0 ? 'the command executor names no users' : `may be ${names.join(', ')}`}`,
      'user',
    );
  }
  return {
    ...programOf(task, settings, tell),
    cwd: (cwd as string | undefined) ?? null,
    env: envOf(task.env, settings, tell),
    stdin: (stdin as string | undefined) ?? null,
    user: (user as string | undefined) ?? null,
    successCodes: codesOf(task.successCodes, tell),
  };
}

function programOf(
  { command, file, args, shell }: Record<string, unknown>,
  settings: CommandSettings,
  tell: Tell,
): Pick<CheckedCommand, 'program' | 'args'> {
  const none = { program: null, args: [] };
  if (shell !== undefined && typeof shell !== 'boolean')
    tell(`must be true or false, but is ${shown(shell)}`, 'shell');
  if ((command === undefined) === (file === undefined)) {
    tell(
      command === undefined
        ? 'needs a "command", or a "file" with "args"'
        : 'has a "command" and a "file". Leave one of them out',
    );
    return none;
  }
  if (shell === true && file !== undefined) tell('goes with "command", not with "file"', 'shell');
  if (args !== undefined && command !== undefined)
    tell('goes with "file". Put the arguments into the command', 'args');
  if (file !== undefined) {
    if (!isAbsolute(file)) tell(`must be an absolute path, but is ${shown(file)}`, 'file');
    return { program: file as string, args: textsOf(args, tell) };
  }
  if (typeof command !== 'string' || command.trim() === '') {
    tell(`must be text, but is ${shown(command)}`, 'command');
    return none;
  }
  if (shell === true) {
    if (!settings.shell) tell('the command executor allows no shell (command.shell)', 'shell');
    return { program: null, args: [command] };
  }
  const split = wordsOf(command);
  if ('problem' in split) {
    tell(split.problem, 'command');
    return none;
  }
  const [program, ...others] = split.words as [string, ...string[]];
  if (!isAbsolute(program))
    tell(`must begin with an absolute path, but begins with ${shown(program)}`, 'command');
  return { program, args: others };
}

function textsOf(given: unknown, tell: Tell): string[] {
  if (given === undefined) return [];
  if (Array.isArray(given) && given.every((each) => typeof each === 'string')) return given;
  tell(`must be a list of texts, but is ${shown(given)}`, 'args');
  return [];
}

function envOf(given: unknown, settings: CommandSettings, tell: Tell): Record<string, string> {
  if (given === undefined) return {};
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    tell(`must be an object of texts, but is ${shown(given)}`, 'env');
    return {};
  }
  for (const [name, value] of Object.entries(given)) {
    if (typeof value !== 'string') tell(`must be text, but is ${shown(value)}`, 'env', name);
    if (!settings.env.includes(name)) {
      const there = settings.env.length === 0 ? 'It names none' : `It names ${settings.env.join(', ')}`;
      tell(
        `is none of the variables that the command executor lets tasks set (command.env). ${there}`,
        'env',
        name,
      );
    }
  }
  return given as Record<string, string>;
}

function codesOf(given: unknown, tell: Tell): number[] {
  if (given === undefined) return [0];
  const isCode = (code: unknown): boolean =>
    Number.isInteger(code) && (code as number) >= 0 && (code as number) <= highestExitCode;
  if (Array.isArray(given) && given.length > 0 && given.every(isCode)) return given as number[];
  tell(`must be a list of exit codes from 0 to ${highestExitCode}, but is ${shown(given)}`, 'successCodes');
  return [0];
}

function isAbsolute(path: unknown): path is string {
  return typeof path === 'string' && path.startsWith('/');
}
