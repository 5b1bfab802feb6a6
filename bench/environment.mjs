// What the benchmarks need around them: peers, a server, and what to say about the machine.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

const folder = import.meta.dirname;
const root = join(folder, '..');
const ownNode = join(folder, 'node_modules/node/bin/node');

/** Installs the peers, as their lock file says, where that has not been done. */
export function installPeers() {
  const lock = join(folder, 'package-lock.json');
  const done = join(folder, 'node_modules/.package-lock.json');
  if (existsSync(done) && versionsIn(done, lock)) return;
  console.log('Installing the peers in bench/ …');
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    stdio: 'inherit',
  });
  if (npm.status !== 0) throw new Error('npm ci failed in bench/.');
}

/** Whether what is installed is what the lock file names. */
function versionsIn(installed, lock) {
  const [have, want] = [installed, lock].map((file) => JSON.parse(readFileSync(file, 'utf8')).packages);
  return (
    Object.keys(have).every((name) => have[name].version === want[name]?.version) &&
    Object.keys(want).every((name) => name === '' || want[name].optional || have[name])
  );
}

/** The Node that runs all systems: this one, or where a peer needs a newer one the one of the npm package `node`. */
export function nodeFor(abouts) {
  const needed = Math.max(0, ...abouts.map(({ minNode = 0 }) => minNode));
  if (Number(process.versions.node.split('.')[0]) >= needed || !existsSync(ownNode)) return process.execPath;
  return ownNode;
}

export function nodeVersion(execPath) {
  return spawnSync(execPath, ['--version'], { encoding: 'utf8' }).stdout.trim();
}

/** The embedded server of the samples with the defaults of PostgreSQL, or the one given. */
export async function provideServer(url) {
  if (url !== null) return { url, stop: async () => undefined };
  const launcher = join(root, 'out/support/postgres.js');
  if (!existsSync(launcher)) throw new Error('Start it by `npm run bench`, which builds what it needs.');
  const { startPostgres } = await import(launcher);
  return startPostgres();
}

export async function query(url, text) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

export async function describeServer(url) {
  const names = ['server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers'];
  const rows = await query(
    url,
    `select name, setting, unit from pg_settings where name in ('${names.join("','")}')`,
  );
  return Object.fromEntries(
    rows.map(({ name, setting, unit }) => [name, unit ? `${setting} × ${unit}` : setting]),
  );
}

export function describeMachine() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  };
}

export function versionOf(name) {
  const file =
    name === 'nestjs-chronis'
      ? join(root, 'package.json')
      : join(folder, 'node_modules', name, 'package.json');
  const own = existsSync(file) ? file : join(root, 'node_modules', name, 'package.json');
  return existsSync(own) ? JSON.parse(readFileSync(own, 'utf8')).version : null;
}

/** Whether somebody listens there. */
export function reachable(url) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = createConnection({ host: hostname, port: Number(port || 6379), timeout: 1_000 });
    const answer = (is) => (socket.destroy(), resolve(is));
    socket
      .once('connect', () => answer(true))
      .once('error', () => answer(false))
      .once('timeout', () => answer(false));
  });
}
