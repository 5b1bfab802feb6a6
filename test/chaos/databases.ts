import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres, type PostgresServer } from '../support/postgres.js';
import { startServer, type ClusterServer } from '../support/standby.js';
import { pause } from './pause.js';

/** What the cluster works on. */
export interface Database {
  /** Where it is now. */
  readonly url: string;
  readonly port: number;
  /** All its processes end at once; what was not flushed is lost. */
  crash(): Promise<void>;
  /** After a crash; resolves when it accepts connections. */
  start(): Promise<void>;
  /** Ends it for good. */
  stop(): Promise<void>;
}

/** One server. */
export class LoneDatabase implements Database {
  private constructor(private readonly server: PostgresServer) {}

  static async begin(
    settings: Record<string, string> = {},
    env: Record<string, string> = {},
  ): Promise<LoneDatabase> {
    return new LoneDatabase(await startPostgres({ settings: { fsync: 'off', ...settings }, env }));
  }

  get url(): string {
    return this.server.url;
  }

  get port(): number {
    return this.server.port;
  }

  crash(): Promise<void> {
    return this.server.kill('SIGQUIT');
  }

  start(): Promise<void> {
    return this.server.restart();
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}

/** A server with a standby that takes its place when it is lost. */
export class ReplicatedDatabase implements Database {
  private standby: ClusterServer | null = null;
  private following: Promise<void> = Promise.resolve();

  private constructor(
    private primary: ClusterServer,
    /** Whether a commit is answered only when the standby has it. */
    private readonly synchronous: boolean,
  ) {}

  static async begin(
    synchronous: boolean,
    settings: Record<string, string> = {},
  ): Promise<ReplicatedDatabase> {
    const database = new ReplicatedDatabase(await startServer(settings), synchronous);
    await database.follow();
    return database;
  }

  get url(): string {
    return this.primary.url;
  }

  get port(): number {
    return this.primary.port;
  }

  crash(): Promise<void> {
    return this.primary.stop('immediate');
  }

  start(): Promise<void> {
    return this.primary.start();
  }

  /** Resolves when a standby is there. */
  async ready(): Promise<void> {
    await this.following;
  }

  /** From now on the standby gets nothing. */
  async fallBehind(): Promise<void> {
    await this.standby!.fallBehind();
  }

  /** The primary is lost with all that the standby does not have; resolves when the standby accepts writes. A new one is made meanwhile. */
  async failOver(): Promise<void> {
    const lost = this.primary;
    const promoted = this.standby!;
    this.standby = null;
    await lost.stop('immediate');
    await promoted.promote();
    this.primary = promoted;
    this.following = pause(1_000).then(async () => {
      lost.vanish();
      await this.follow();
    });
  }

  async stop(): Promise<void> {
    await this.following.catch(() => undefined);
    this.standby?.vanish();
    this.primary.vanish();
  }

  private async follow(): Promise<void> {
    this.standby = await this.primary.standby();
    if (this.synchronous) await this.primary.waitForStandbys();
  }
}

/** One server whose clock can be set, by libfaketime. */
export class ClockedDatabase implements Database {
  private constructor(
    private readonly server: LoneDatabase,
    private readonly folder: string,
  ) {}

  static async begin(library: string): Promise<ClockedDatabase> {
    const folder = mkdtempSync(join(tmpdir(), 'chronis-clock-'));
    // The server is another user.
    chmodSync(folder, 0o755);
    const file = join(folder, 'offset');
    writeFileSync(file, '+0\n');
    const server = await LoneDatabase.begin(
      {},
      {
        LD_PRELOAD: library,
        FAKETIME_TIMESTAMP_FILE: file,
        FAKETIME_CACHE_DURATION: '1',
        DONT_FAKE_MONOTONIC: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
        NO_FAKE_STAT: '1',
      },
    );
    return new ClockedDatabase(server, folder);
  }

  get url(): string {
    return this.server.url;
  }

  get port(): number {
    return this.server.port;
  }

  /** How far it is ahead of the clock of the machine; the server's processes know within a second. */
  async setClock(offsetMs: number): Promise<void> {
    const seconds = Math.round(offsetMs / 1_000);
    writeFileSync(join(this.folder, 'offset'), `${seconds < 0 ? '' : '+'}${seconds}\n`);
    await pause(1_100);
  }

  crash(): Promise<void> {
    return this.server.crash();
  }

  start(): Promise<void> {
    return this.server.start();
  }

  async stop(): Promise<void> {
    await this.server.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
