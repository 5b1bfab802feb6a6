import { shown, tellUnknown } from './option.checks.js';
import type { ProgramSettings } from './program.options.js';

/** What tasks say of how their program is run, whichever it is. @publicApi */
export interface ProgramTask {
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

/** The same, checked, with its arguments. */
export interface CheckedProgram {
  args: readonly string[];
  cwd: string | null;
  env: Readonly<Record<string, string>>;
  stdin: string | null;
  user: string | null;
  successCodes: readonly number[];
}

/** Notes what is wrong, and where. */
export type Tell = (message: string, ...path: (string | number)[]) => void;

export const programKeys = ['cwd', 'env', 'stdin', 'user', 'successCodes'] as const;
const highestExitCode = 255;

/** The task as an object that has no other keys than these. */
export function taskObject(given: unknown, keys: readonly string[], tell: Tell): Record<string, unknown> {
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given);
  if (!isObject) tell(`must be an object, but is ${shown(given)}`);
  const task = (isObject ? given : {}) as Record<string, unknown>;
  tellUnknown(task, keys, tell);
  return task;
}

export function checkedProgram(
  task: Record<string, unknown>,
  settings: ProgramSettings,
  tell: Tell,
): Omit<CheckedProgram, 'args'> {
  const { stdin, user, cwd } = task;
  if (stdin !== undefined && typeof stdin !== 'string') tell(`must be text, but is ${shown(stdin)}`, 'stdin');
  if (cwd !== undefined && !isAbsolute(cwd)) tell(`must be an absolute path, but is ${shown(cwd)}`, 'cwd');
  if (user !== undefined && user !== settings.user?.name && !settings.users.has(user as string)) {
    const names = [...new Set([...(settings.user ? [settings.user.name] : []), ...settings.users.keys()])];
    tell(
      `is ${shown(user)}, but ${names.length === 0 ? `the ${settings.owner} executor names no users` : `may be ${names.join(', ')}`}`,
      'user',
    );
  }
  return {
    cwd: (cwd as string | undefined) ?? null,
    env: envOf(task.env, settings, tell),
    stdin: (stdin as string | undefined) ?? null,
    user: (user as string | undefined) ?? null,
    successCodes: codesOf(task.successCodes, tell),
  };
}

export function argumentsOf(given: unknown, tell: Tell): string[] {
  if (given === undefined) return [];
  if (Array.isArray(given) && given.every((each) => typeof each === 'string')) return given;
  tell(`must be a list of texts, but is ${shown(given)}`, 'args');
  return [];
}

export function isAbsolute(path: unknown): path is string {
  return typeof path === 'string' && path.startsWith('/');
}

function envOf(given: unknown, { env, owner }: ProgramSettings, tell: Tell): Record<string, string> {
  if (given === undefined) return {};
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    tell(`must be an object of texts, but is ${shown(given)}`, 'env');
    return {};
  }
  for (const [name, value] of Object.entries(given)) {
    if (typeof value !== 'string') tell(`must be text, but is ${shown(value)}`, 'env', name);
    if (!env.includes(name)) {
      const there = env.length === 0 ? 'It names none' : `It names ${env.join(', ')}`;
      tell(
        `is none of the variables that the ${owner} executor lets tasks set (${owner}.env). ${there}`,
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
