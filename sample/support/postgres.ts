import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgresBinaries, unprivileged, type RunAs } from './postgres.binaries.js';

const readyWithinMs = 30_000;
const attempts = 5;

/** A PostgreSQL of our own: in a new folder, on a free port of this machine, gone with this process. */
export interface PostgresServer {
  readonly url: string;
  readonly port: number;
  /** Of the present server process. */
  readonly pid: number;
  /** Shuts down in order and removes the folder. */
  stop(): Promise<void>;
  /** As a crash or `kill` does; the folder stays for `restart`. Also resumes a process that is stopped. @default SIGKILL */
  kill(signal?: 'SIGKILL' | 'SIGQUIT' | 'SIGINT'): Promise<void>;
  /** Starts it again on the same folder and port. */
  restart(): Promise<void>;
}

export interface PostgresOptions {
  /** Of postgresql.conf, such as `{ fsync: 'off' }`. */
  settings?: Record<string, string>;
  /** Environment variables of the server besides those of this process, such as LD_PRELOAD. */
  env?: Record<string, string>;
}

export async function startPostgres(given: PostgresOptions = {}): Promise<PostgresServer> {
  const runAs = unprivileged();
  const folder = mkdtempSync(join(tmpdir(), 'chronis-postgres-'));
  chmodSync(folder, 0o755);
  try {
    const server = new EmbeddedPostgres(folder, postgresBinaries(runAs, folder), runAs, given);
    await server.begin();
    return server;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

class EmbeddedPostgres implements PostgresServer {
  port = 0;
  private child: ChildProcess | null = null;
  private readonly onExit = (): void => this.vanish();

  constructor(
    private readonly folder: string,
    private readonly binaries: string,
    private readonly runAs: RunAs,
    private readonly given: PostgresOptions,
  ) {}

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`;
  }

  get pid(): number {
    if (!this.child?.pid) throw new Error('The server is not running.');
    return this.child.pid;
  }

  private get home(): string {
    return join(this.folder, 'server');
  }

  async begin(): Promise<void> {
    mkdirSync(this.home);
    if (this.runAs.uid !== undefined) chownSync(this.home, this.runAs.uid, this.runAs.gid!);
    const options = ['-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
    const made = spawnSync(join(this.binaries, 'initdb'), ['-D', join(this.home, 'data'), ...options], {
      ...this.runAs,
      cwd: this.home,
      encoding: 'utf8',
    });
    if (made.status !== 0) throw new Error(`initdb failed: ${made.error?.message ?? made.stderr}`);
    process.once('exit', this.onExit);
    for (let attempt = 1; ; attempt++) {
      this.port = await freePort();
      try {
        return await this.up();
      } catch (error) {
        // Somebody else may have taken the port in between.
        if (attempt === attempts) throw error;
      }
    }
  }

  async restart(): Promise<void> {
    if (this.child !== null) await this.kill('SIGINT');
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.up();
      } catch (error) {
        // After a kill the processes of the old server need a moment to notice.
        if (attempt === attempts) throw error;
        await new Promise((resolve) => setTimeout(resolve, 200 * attempt));
      }
    }
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const { child } = this;
    this.child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.ref();
    child.kill(signal);
    child.kill('SIGCONT');
    await gone;
  }

  async stop(): Promise<void> {
    await this.kill('SIGINT');
    process.off('exit', this.onExit);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async up(): Promise<void> {
    const settings = Object.entries({ max_connections: '200', ...this.given.settings });
    const child = spawn(
      join(this.binaries, 'postgres'),
      ['-D', join(this.home, 'data'), '-h', '127.0.0.1', '-p', String(this.port), '-k', this.home].concat(
        settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ),
      // A group of its own: Ctrl-C must not stop the server before the application has drained.
      {
        ...this.runAs,
        cwd: this.home,
        env: { ...process.env, ...this.given.env },
        detached: true,
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    await ready(child);
    this.child = child;
    // A program that ends without stop() must not hang here.
    child.unref();
    (child.stderr as unknown as { unref(): void }).unref();
  }

  /** The process ends: no time for good manners. */
  private vanish(): void {
    this.child?.kill('SIGQUIT');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Resolves when the server accepts connections, rejects with what it says when it does not come up. */
async function ready(child: ChildProcess): Promise<void> {
  let said = '';
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`PostgreSQL does not start: ${why}\n${said}`));
      child.stderr!.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-4_000);
        if (text.includes('ready to accept connections')) resolve();
      });
      child.once('error', (error) => fail(error.message));
      child.once('exit', (code) => fail(`exit code ${code}`));
      timer = setTimeout(() => {
        child.kill('SIGKILL');
        fail('no answer in time');
      }, readyWithinMs);
    });
  } finally {
    clearTimeout(timer);
    child.removeAllListeners('exit');
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
