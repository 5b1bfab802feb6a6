import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { unprivileged } from '../../sample/support/postgres.binaries.js';
import { role } from './chaos.options.js';
import { pause } from './pause.js';

const program = '/usr/sbin/pgbouncer';

/** A sentence when it cannot be run here. */
export const poolerMissing = (): string | null =>
  existsSync(program) ? null : `there is no ${program}: install Debian's "pgbouncer"`;

/** A PgBouncer in transaction mode before the database. */
export class Pooler {
  private child: ChildProcess | null = null;
  private readonly runAs = unprivileged();
  private readonly folder = mkdtempSync(join(tmpdir(), 'chronis-pooler-'));

  private constructor(
    private readonly databasePort: number,
    readonly port: number,
    private readonly user: string,
  ) {}

  static async before(databasePort: number, port: number, user = role): Promise<Pooler> {
    const pooler = new Pooler(databasePort, port, user);
    await pooler.start();
    return pooler;
  }

  async start(): Promise<void> {
    const file = join(this.folder, 'pgbouncer.ini');
    writeFileSync(
      file,
      `[databases]
postgres = host=127.0.0.1 port=${this.databasePort} user=${this.user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${this.port}
unix_socket_dir =
auth_type = any
admin_users = ${this.user}
pool_mode = transaction
max_client_conn = 200
default_pool_size = 8
server_round_robin = 1
server_login_retry = 1
`,
    );
    if (this.runAs.uid !== undefined) {
      chmodSync(this.folder, 0o755);
      chownSync(file, this.runAs.uid, this.runAs.gid!);
    }
    this.child = spawn(program, ['-q', file], { ...this.runAs, cwd: '/', stdio: 'ignore' });
    for (let waited = 0; !(await accepts(this.port)); waited += 50) {
      if (waited > 5_000) throw new Error('PgBouncer does not start.');
      await pause(50);
    }
  }

  /** Its sessions of the server are closed when they are free: those keep the settings that the role had when they were opened. */
  async reconnect(): Promise<void> {
    const console = new pg.Client({
      host: '127.0.0.1',
      port: this.port,
      user: this.user,
      database: 'pgbouncer',
    });
    console.on('error', () => undefined);
    try {
      await console.connect();
      await console.query('reconnect');
    } catch (error) {
      // Where it was killed, or starts at this moment, it has none.
      if (error instanceof pg.DatabaseError) throw error;
    } finally {
      await console.end().catch(() => undefined);
    }
  }

  async kill(): Promise<void> {
    const { child } = this;
    this.child = null;
    if (child === null || child.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
