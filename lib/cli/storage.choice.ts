import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { UsageError } from './cli.errors.js';
import type { GlobalValues } from './global.options.js';
import { withoutPassword } from './secrets.js';

const mostPort = 65_535;

/** Where the jobs are. */
export type StorageChoice = {
  /** As it is shown: never with a password. */
  shown: string;
  /** Who has said so. */
  origin: string;
} & (
  | { kind: 'postgres'; server: PostgresServer; schema: string | undefined }
  | { kind: 'sqlite' | 'file'; path: string; isDefault: boolean }
);

export type PostgresServer =
  | { url: string }
  | {
      options: {
        host?: string;
        port?: number;
        username?: string;
        password?: string;
        database?: string;
      };
    };

type Env = Readonly<Record<string, string | undefined>>;

const forms = 'postgres://user@host/database, sqlite:PATH or file:PATH (.yaml, .json, .xml)';
const url = /^postgres(ql)?:\/\//i;

/** By the option, else by its variable, else by what other tools read, else the default. Throws UsageError. */
export function storageChoice(globals: Pick<GlobalValues, 'storage' | 'schema'>, env: Env): StorageChoice {
  const { storage, schema } = globals;
  if (storage !== undefined) {
    const origin = env.CHRONIS_STORAGE === storage ? 'CHRONIS_STORAGE' : '--storage';
    return named(storage, origin, schema);
  }
  if (env.DATABASE_URL) {
    if (url.test(env.DATABASE_URL)) return named(env.DATABASE_URL, 'DATABASE_URL', schema);
    throw new UsageError(
      'DATABASE_URL is of no PostgreSQL. Say which storage is meant, by --storage or CHRONIS_STORAGE.',
    );
  }
  if (env.PGHOST || env.PGDATABASE) return byPgVariables(env, schema);
  return inStateFolder(env);
}

function named(given: string, origin: string, schema: string | undefined): StorageChoice {
  if (url.test(given)) {
    return { kind: 'postgres', server: { url: given }, schema, shown: withoutPassword(given), origin };
  }
  const [, kind, path] = /^(sqlite|file):(?:\/\/(?=\/))?(.+)$/s.exec(given) ?? [];
  // A file whose path is a URL is none that somebody means.
  if (kind === undefined || path === undefined || /^\w+:\/\//.test(path))
    throw new UsageError(`${origin}: must be ${forms}, but is "${shownWhere(given)}".`);
  const file = resolve(path);
  return { kind: kind as 'sqlite' | 'file', path: file, isDefault: false, shown: `${kind}:${file}`, origin };
}

/** What may have been meant as a URL, such as one whose slashes are forgotten, has a password as well. */
function shownWhere(given: string): string {
  const [, kind = '', rest = ''] =
    /^((?:postgres(?:ql)?:(?!\/\/)|(?:sqlite|file):(?=\w+:\/\/)))?(.*)$/is.exec(given)!;
  return kind + withoutPassword(rest);
}

function byPgVariables(env: Env, schema: string | undefined): StorageChoice {
  const { PGHOST: host, PGPORT: port, PGUSER: username, PGPASSWORD: password, PGDATABASE: database } = env;
  if (port && !isPort(port))
    throw new UsageError(`PGPORT: must be a port, from 1 to ${mostPort}, but is ${JSON.stringify(port)}.`);
  const options = {
    ...(host && { host }),
    ...(port && { port: Number(port) }),
    ...(username && { username }),
    ...(password && { password }),
    ...(database && { database }),
  };
  const shown = `postgres://${username ? `${username}@` : ''}${host ?? 'localhost'}${port ? `:${port}` : ''}/${database ?? ''}`;
  return { kind: 'postgres', server: { options }, schema, shown, origin: 'PGHOST and the like' };
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= mostPort;
}

/** What is there stays what it was, whichever Node comes later. */
function inStateFolder(env: Env): StorageChoice {
  const folder = stateFolder(env);
  const sqlite = join(folder, 'jobs.db');
  const document = join(folder, 'jobs.yaml');
  const isSqlite = isStorage(sqlite) || (!isStorage(document) && hasNodeSqlite());
  const [kind, path] = isSqlite ? (['sqlite', sqlite] as const) : (['file', document] as const);
  return { kind, path, isDefault: true, shown: `${kind}:${path}`, origin: 'default' };
}

/** Whether there are jobs in this file, or in what a process has written down before it. */
export function isStorage(path: string): boolean {
  return existsSync(path) || existsSync(`${path}.journal`);
}

/** Where a service is asked that has this file. */
export function socketOf(path: string): string {
  return `${path}.sock`;
}

/** Where files of this user are kept that are no settings. Throws UsageError. */
export function stateFolder(env: Env): string {
  if (env.XDG_STATE_HOME) return join(resolve(env.XDG_STATE_HOME), 'chronis');
  const home = env.HOME || homedirOrNone();
  if (!home) throw new UsageError(`This user has no home, so say where the jobs are: --storage ${forms}.`);
  return join(home, '.local/state/chronis');
}

function homedirOrNone(): string {
  try {
    return homedir();
  } catch {
    return '';
  }
}

function hasNodeSqlite(): boolean {
  return process.getBuiltinModule?.('node:sqlite') !== undefined;
}
