import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Module, type INestApplicationContext, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import {
  ChronisEvents,
  ChronisModule,
  JobHandler,
  MemoryStorage,
  SchedulerService,
  TaskExecutor,
  type ChronisEventMap,
  type ChronisEventName,
  type ChronisModuleOptions,
  type Job,
  type StorageAdapter,
} from '../../lib/index.js';
import {
  ChronisJobFiles,
  ChronisJobFilesModule,
  type JobFilesOptions,
  type JobFileStatus,
} from '../../lib/job-files/index.js';

/** Far above what is promised: tests wait for conditions. */
const patience = { timeout: 20_000, interval: 10 };

/** A folder of job files, and processes that follow it. */
export class FolderApps {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'job-files-')));
  readonly directory = join(this.root, 'jobs.d');
  storage: () => Promise<StorageAdapter> | StorageAdapter;
  readonly ran: string[] = [];
  private readonly apps: INestApplicationContext[] = [];

  constructor() {
    mkdirSync(this.directory);
    const memory = new MemoryStorage();
    this.storage = () => memory.open();
  }

  async start(
    options: Partial<JobFilesOptions> = {},
    given: { chronis?: ChronisModuleOptions; providers?: Type[] } = {},
  ): Promise<FolderApp> {
    const { chronis = {}, providers = [] } = given;
    const ran = this.ran;
    class Handlers {
      @JobHandler('say')
      say({ payload }: { payload: unknown }): void {
        ran.push(String(payload));
      }
    }
    @TaskExecutor('execute_command')
    class Command {
      readonly schema = commandSchema;
      execute({ command }: { command: string }): void {
        ran.push(command);
      }
    }
    const files = ChronisJobFilesModule.forRoot({ directory: this.directory, ...options });
    const storage = await this.storage();

    @Module({
      imports: [files, ChronisModule.forRoot({ storage, ...chronis })],
      providers: [Handlers, Command, ...providers],
    })
    class AppModule {}

    const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    this.apps.push(app);
    return new FolderApp(app, this);
  }

  write(file: string, content: unknown): void {
    writeFileSync(
      join(this.directory, file),
      typeof content === 'string' ? content : JSON.stringify(content),
    );
  }

  path(file: string): string {
    return join(this.directory, file);
  }

  async stop(app: FolderApp): Promise<void> {
    this.apps.splice(this.apps.indexOf(app.app), 1);
    await app.app.close();
  }

  async end(): Promise<void> {
    for (const app of this.apps.splice(0)) await app.close();
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** One process. */
export class FolderApp {
  private readonly heardEvents: { name: ChronisEventName; event: unknown }[] = [];

  constructor(
    readonly app: INestApplicationContext,
    private readonly folder: FolderApps,
  ) {
    app.get(ChronisEvents).onAny((name, event) => void this.heardEvents.push({ name, event }));
  }

  get scheduler(): SchedulerService {
    return this.app.get(SchedulerService);
  }

  get files(): ChronisJobFiles {
    return this.app.get(ChronisJobFiles);
  }

  heard<N extends ChronisEventName>(name: N): ChronisEventMap[N][] {
    return this.heardEvents
      .filter((each) => each.name === name)
      .map(({ event }) => event as ChronisEventMap[N]);
  }

  file(name: string): JobFileStatus | undefined {
    return this.files.status().files.find(({ file }) => file === name);
  }

  /** The jobs that fire, as they are stored: id → payload. */
  async running(): Promise<Record<string, unknown>> {
    const { items } = await this.scheduler.queryJobs({ source: 'code', limit: 1_000 });
    const live = items.filter(({ orphanedAt }) => orphanedAt === null);
    return Object.fromEntries(live.map((job: Job) => [job.id, job.payload]));
  }

  async runs(expected: Record<string, unknown>): Promise<void> {
    await until(async () => expect(await this.running()).toEqual(expected));
  }

  async isBroken(file: string, matching: object): Promise<void> {
    await until(() => expect(this.file(file)?.error).toMatchObject(matching));
  }

  async isWell(): Promise<void> {
    await until(() => {
      const { files, problem } = this.files.status();
      expect([problem, ...files.map(({ error }) => error)].filter((each) => each !== null)).toEqual([]);
    });
  }

  stop(): Promise<void> {
    return this.folder.stop(this);
  }
}

export function until(condition: () => void | Promise<void>, timeout = patience.timeout): Promise<void> {
  return vi.waitFor(condition, { ...patience, timeout });
}

/** A folder for each test. */
export function folderForEachTest(take: (folder: FolderApps) => void): void {
  const folders: FolderApps[] = [];
  afterEach(async () => {
    for (const folder of folders.splice(0)) await folder.end();
  });
  beforeEach(() => {
    const folder = new FolderApps();
    folders.push(folder);
    take(folder);
  });
}

/** A job that says something once a year. */
export function job(id: string, given: Record<string, unknown> = {}): Record<string, unknown> {
  return { id, schedule: '0 0 1 1 *', handler: 'say', payload: id, ...given };
}

const commandSchema = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value: unknown) =>
      typeof (value as { command?: unknown })?.command === 'string'
        ? { value: value as { command: string } }
        : { issues: [{ message: 'must have a command', path: ['command'] }] },
  },
} as const;
