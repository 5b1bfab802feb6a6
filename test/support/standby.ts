import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { unprivileged, type RunAs } from '../../sample/support/postgres.binaries.js';

const debian = '/usr/lib/postgresql';

/**
 * The folder of a PostgreSQL that can copy itself (`pg_basebackup`, which the npm package lacks): CHRONIS_PG_BIN, or the newest that Debian has installed; null: there is
 * none, and what needs it has to be skipped.
 */
export function replicationBinaries(): string | null {
  const given = process.env.CHRONIS_PG_BIN;
  const installed = existsSync(debian) ? readdirSync(debian).filter((name) => /^\d+$/.test(name)) : [];
  const newestFirst = installed
    .sort((a, b) => Number(b) - Number(a))
    .map((name) => join(debian, name, 'bin'));
  const folders = given ? [given] : newestFirst;
  return folders.find((folder) => existsSync(join(folder, 'pg_basebackup'))) ?? null;
}

/** For the title of what is skipped. */
export const replicationNeeds =
  'needs pg_basebackup: install Debian\'s "postgresql", or name the folder of one in CHRONIS_PG_BIN';

/** A new server without standbys. `settings`: of postgresql.conf. */
export async function startServer(settings: Record<string, string> = {}): Promise<ClusterServer> {
  const binaries = replicationBinaries();
  if (binaries === null) throw new Error(`This ${replicationNeeds}.`);
  const server = new ClusterServer(binaries, unprivileged(), settings, await freePort());
  try {
    await server.make();
    await server.start();
    return server;
  } catch (error) {
    server.vanish();
    throw error;
  }
}

/** One server of a cluster with standbys; its folder goes with this process. */
export class ClusterServer {
  private readonly folder = mkdtempSync(join(tmpdir(), 'chronis-standby-'));
  private readonly onExit = (): void => this.vanish();

  constructor(
    private readonly binaries: string,
    private readonly runAs: RunAs,
    private readonly settings: Record<string, string>,
    readonly port: number,
  ) {
    chmodSync(this.folder, 0o755);
    mkdirSync(this.home);
    if (runAs.uid !== undefined) chownSync(this.home, runAs.uid, runAs.gid!);
    process.once('exit', this.onExit);
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`;
  }

  async make(): Promise<void> {
    const options = ['-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
    await this.call('initdb', '-D', this.data, ...options);
  }

  /** Also after a stop or a kill. Resolves when it answers, a standby when it can be read. */
  async start(): Promise<void> {
    const settings = {
      listen_addresses: '127.0.0.1',
      max_connections: '200',
      fsync: 'off',
      ...this.settings,
    };
    const options = Object.entries({ ...settings, unix_socket_directories: this.home, port: this.port });
    const text = options.map(([name, value]) => `-c ${name}='${value}'`).join(' ');
    // What it says goes to a file: a pipe would be held open by the server.
    await this.call(
      'pg_ctl',
      '-D',
      this.data,
      '-w',
      '-t',
      '60',
      '-l',
      join(this.home, 'log'),
      '-o',
      text,
      'start',
    );
  }

  /** `immediate`: as a crash, so that what was not flushed is lost. */
  async stop(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.call('pg_ctl', '-D', this.data, '-w', '-m', mode, 'stop');
  }

  /** A standby of it, which follows when this resolves. */
  async standby(settings: Record<string, string> = {}): Promise<ClusterServer> {
    const standby = new ClusterServer(
      this.binaries,
      this.runAs,
      { ...this.settings, ...settings },
      await freePort(),
    );
    try {
      await standby.copyOf(this, '-R');
      await standby.start();
      return standby;
    } catch (error) {
      standby.vanish();
      throw error;
    }
  }

  /** From now on (and until it is called with false) no commit is answered before all standbys that follow have it. */
  async waitForStandbys(isWaiting = true): Promise<void> {
    await this.set('synchronous_standby_names', isWaiting ? '*' : '');
  }

  /** Resolves when the standby has all that this server has committed so far. */
  async untilFollowed(standby: ClusterServer): Promise<void> {
    const [{ lsn }] = await this.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn');
    const has = `select pg_last_wal_replay_lsn() >= '${lsn}'::pg_lsn as has`;
    while (!(await standby.query<{ has: boolean }>(has))[0].has) await pause(20);
  }

  /** A standby: does not get what its primary commits from now on. */
  async fallBehind(): Promise<void> {
    await this.set('primary_conninfo', '');
    const follows = 'select count(*) > 0 as follows from pg_stat_wal_receiver';
    while ((await this.query<{ follows: boolean }>(follows))[0].follows) await pause(20);
  }

  /** A standby: is a primary when this resolves. */
  async promote(): Promise<void> {
    await this.call('pg_ctl', '-D', this.data, '-w', 'promote');
  }

  /** Keeps what is stored now, for `goBack`. */
  async backUp(): Promise<void> {
    rmSync(this.backup, { recursive: true, force: true });
    await this.call('pg_basebackup', ...this.from(this), '-D', this.backup);
  }

  /** Is again what it was at the backup: all that was committed since then is lost. */
  async goBack(): Promise<void> {
    await this.stop('immediate');
    rmSync(this.data, { recursive: true, force: true });
    await this.run('cp', '-a', this.backup, this.data);
    await this.start();
  }

  async query<T extends Record<string, unknown>>(text: string): Promise<[T, ...T[]]> {
    const client = new pg.Client(this.url);
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query(text)).rows as [T, ...T[]];
    } finally {
      await client.end();
    }
  }

  /** Ends it at once and removes its folder. */
  vanish(): void {
    process.off('exit', this.onExit);
    if (existsSync(join(this.data, 'postmaster.pid'))) {
      const stop = ['-D', this.data, '-w', '-m', 'immediate', 'stop'];
      spawnSync(join(this.binaries, 'pg_ctl'), stop, { ...this.runAs, cwd: this.home });
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async set(name: string, value: string): Promise<void> {
    await this.query(`alter system set ${name} = '${value}'`);
    await this.query('select pg_reload_conf()');
    // The processes that serve sessions read it a moment later.
    while (
      (await this.query<{ value: string }>(`select current_setting('${name}') as value`))[0].value !== value
    )
      await pause(20);
  }

  private copyOf(primary: ClusterServer, ...options: string[]): Promise<void> {
    return this.call('pg_basebackup', ...this.from(primary), '-D', this.data, ...options);
  }

  private from({ port }: ClusterServer): string[] {
    return [
      '-h',
      '127.0.0.1',
      '-p',
      String(port),
      '-U',
      'postgres',
      '-c',
      'fast',
      '-X',
      'stream',
      '--no-sync',
    ];
  }

  private get home(): string {
    return join(this.folder, 'server');
  }

  private get data(): string {
    return join(this.home, 'data');
  }

  private get backup(): string {
    return join(this.home, 'backup');
  }

  private call(program: string, ...given: string[]): Promise<void> {
    return this.run(join(this.binaries, program), ...given);
  }

  /** Not spawnSync: proxies in this process have to go on. */
  private async run(program: string, ...given: string[]): Promise<void> {
    const child = spawn(program, given, {
      ...this.runAs,
      cwd: this.home,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const [code] = (await once(child, 'exit')) as [number | null];
    // The server that it has started holds the other end.
    child.stderr.destroy();
    if (code === 0) return;
    const log = join(this.home, 'log');
    const logged = existsSync(log) ? readFileSync(log, 'utf8').slice(-4_000) : '';
    throw new Error(`${program} ${given[0]} failed (${code}): ${said}\n${logged}`);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
