import { InvalidOptionError, parseDuration, type DurationInput } from '../index.js';
import { listOf, shown } from './option.checks.js';
import { assertMayBe, systemUser, type SystemUser } from './system.users.js';

/** How programs are run, whichever they are. @publicApi */
export interface ProgramOptions {
  /**
   * Variables that they get from this process, and that tasks may set. PATH, HOME, LANG, LC_ALL, TZ and TMPDIR they get anyway, but tasks may set them only where they are named here. Nothing else is handed on. @default none
   */
  env?: readonly string[];
  /** The folder in which those run that say none: an absolute path. @default that of this process */
  cwd?: string;
  /** Whom those run as that do not say it: a user of this machine, which takes root. @default the user of this process */
  user?: string;
  /** Whom tasks may name besides, by `user`. @default none */
  users?: readonly string[];
  /** From SIGTERM to SIGKILL, where a run is stopped: less than `abortGraceMs` of ChronisModule. @default '3s' */
  grace?: DurationInput;
}

/** The same, checked. */
export interface ProgramSettings {
  /** The option that it belongs to, for messages. */
  owner: 'command' | 'binary';
  env: readonly string[];
  cwd: string | null;
  user: SystemUser | null;
  users: ReadonlyMap<string, SystemUser>;
  graceMs: number;
}

export const programOptions = [
  'env',
  'cwd',
  'user',
  'users',
  'grace',
] as const satisfies readonly (keyof ProgramOptions)[];

const name = /^[A-Za-z_][A-Za-z0-9_]*$/;
const ownName = /^CHRONIS_/;

/** Throws InvalidOptionError. */
export function programSettings(given: ProgramOptions, owner: ProgramSettings['owner']): ProgramSettings {
  if (process.platform === 'win32') {
    throw new InvalidOptionError(owner, 'needs process groups, which Windows does not have.');
  }
  const { env = [], cwd, user, users = [], grace = '3s' } = given;
  if (cwd !== undefined && (typeof cwd !== 'string' || !cwd.startsWith('/'))) {
    throw new InvalidOptionError(`${owner}.cwd`, `must be an absolute path, but is ${shown(cwd)}.`);
  }
  const isOfTasks = (each: string): boolean => name.test(each) && !ownName.test(each);
  return {
    owner,
    env: listOf(env, `${owner}.env`, 'names of variables that do not begin with CHRONIS_', isOfTasks),
    cwd: cwd ?? null,
    user: user === undefined ? null : permitted(user, `${owner}.user`),
    users: new Map(
      listOf(users, `${owner}.users`, 'names of users', (each) => each !== '').map((each) => [
        each,
        permitted(each, `${owner}.users`),
      ]),
    ),
    graceMs: parseDuration(grace, `${owner}.grace`),
  };
}

function permitted(user: unknown, option: string): SystemUser {
  const found = systemUser(user, option);
  assertMayBe(found, option);
  return found;
}
