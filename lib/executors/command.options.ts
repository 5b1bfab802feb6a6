import { InvalidOptionError, parseDuration, type DurationInput } from '../index.js';
import { allowedPrograms, isPattern, type AllowedPrograms } from './allowed.programs.js';
import { knownOptions, listOf, shown } from './option.checks.js';
import { assertMayBe, systemUser, type SystemUser } from './system.users.js';

/** What commands may be run, and how. @publicApi */
export interface CommandOptions {
  /**
   * The programs that may be run: absolute paths, and all of a folder: `/opt/jobs/*`, `/opt/jobs/*.sh`. What counts is the file that is reached in the end, so a link in such a folder to something outside of it is refused. Without them only tasks with
   * `shell: true` run. @default none
   */
  allow?: readonly string[];
  /** Whether tasks may say `shell: true`: their command is then given to /bin/sh, which runs anything that this user may run, whatever `allow` says. @default false */
  shell?: boolean;
  /**
   * Variables that commands get from this process, and that tasks may set. PATH, HOME, LANG, LC_ALL, TZ and TMPDIR they get anyway, but tasks may set them only where they are named here. Nothing else is handed on. @default none
   */
  env?: readonly string[];
  /** The folder in which commands run that say none: an absolute path. @default that of this process */
  cwd?: string;
  /** Whom commands run as that do not say it: a user of this machine, which takes root. @default the user of this process */
  user?: string;
  /** Whom tasks may name besides, by `user`. @default none */
  users?: readonly string[];
  /** From SIGTERM to SIGKILL, where a run is stopped: less than `abortGraceMs` of ChronisModule. @default '3s' */
  grace?: DurationInput;
}

/** The same, checked. */
export interface CommandSettings {
  allow: AllowedPrograms;
  shell: boolean;
  env: readonly string[];
  cwd: string | null;
  user: SystemUser | null;
  users: ReadonlyMap<string, SystemUser>;
  graceMs: number;
}

const known = ['allow', 'shell', 'env', 'cwd', 'user', 'users', 'grace'] as const;
const name = /^[A-Za-z_][A-Za-z0-9_]*$/;
const ownName = /^CHRONIS_/;

/** Throws InvalidOptionError. */
export function commandSettings(given: CommandOptions): CommandSettings {
  if (process.platform === 'win32') {
    throw new InvalidOptionError('command', 'needs process groups, which Windows does not have.');
  }
  const {
    allow = [],
    shell = false,
    env = [],
    cwd,
    user,
    users = [],
    grace = '3s',
  } = knownOptions(given, known, 'command');
  if (typeof shell !== 'boolean') {
    throw new InvalidOptionError('command.shell', `must be true or false, but is ${shown(shell)}.`);
  }
  const patterns = listOf(
    allow,
    'command.allow',
    'absolute paths, of which the last part may have "*", such as "/usr/bin/rsync" and "/opt/jobs/*"',
    isPattern,
  );
  if (patterns.length === 0 && !shell) {
    throw new InvalidOptionError(
      'command.allow',
      'names no program, so none would run. Give for example ["/opt/jobs/*"].',
    );
  }
  if (cwd !== undefined && (typeof cwd !== 'string' || !cwd.startsWith('/'))) {
    throw new InvalidOptionError('command.cwd', `must be an absolute path, but is ${shown(cwd)}.`);
  }
  const isOfTasks = (each: string): boolean => name.test(each) && !ownName.test(each);
  return {
    allow: allowedPrograms(patterns),
    shell,
    env: listOf(env, 'command.env', 'names of variables that do not begin with CHRONIS_', isOfTasks),
    cwd: cwd ?? null,
    user: user === undefined ? null : permitted(user, 'command.user'),
    users: new Map(
      listOf(users, 'command.users', 'names of users', (each) => each !== '').map((each) => [
        each,
        permitted(each, 'command.users'),
      ]),
    ),
    graceMs: parseDuration(grace, 'command.grace'),
  };
}

function permitted(user: unknown, option: string): SystemUser {
  const found = systemUser(user, option);
  assertMayBe(found, option);
  return found;
}
