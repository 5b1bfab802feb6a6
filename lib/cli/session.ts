import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ChronisModule,
  DefinitionService,
  SchedulerService,
  StorageAdapter,
  WorkflowService,
  type AdapterRecipe,
  type StoredBinary,
  type WorkerInfo,
} from '../index.js';
import { makeFolder } from '../processes/made.folder.js';
import type { JobFilesStatus } from '../job-files/index.js';
import type { MigrationMode } from '../typeorm/index.js';
import { FailedError, UsageError } from './cli.errors.js';
import { rootModule } from './root.module.js';
import type { StderrLogger } from './stderr.logger.js';
import type { StorageChoice } from './storage.choice.js';

/** The services of an open storage. The process runs no jobs, declares none and orphans none. */
export interface Session {
  scheduler: SchedulerService;
  workflows: WorkflowService;
  definitions: DefinitionService;
  /** It is asked over its socket: another process, which runs jobs. */
  isService: boolean;
  /** Also those whose lease has ended. */
  workers(): Promise<WorkerInfo[]>;
  /** The time of the storage. */
  now(): Promise<Date>;
  /** How the folder of job files is; null: there is none, as this process runs no jobs. */
  jobFiles(): Promise<JobFilesStatus | null>;
  /** Stores a program for tasks of the type `binary`. */
  storeBinary(bytes: Uint8Array): Promise<StoredBinary>;
  close(): Promise<void>;
}

export interface SessionOptions {
  logger: StderrLogger;
  /** The app whose handlers are meant. */
  app?: string | undefined;
  /** @default 'check': commands change no tables */
  migrate?: MigrationMode;
}

/** How long a command tries to reach a server. */
const connectTimeout = '5s';
const ownFolderMode = 0o700;

/** Throws FailedError (a package is missing), and ChronisError. */
export async function openSession(choice: StorageChoice, options: SessionOptions): Promise<Session> {
  const { logger, app } = options;
  const storage = await storageOf(choice, {
    migrate: options.migrate ?? 'check',
    connectTimeoutMs: connectTimeout,
  });
  const chronis = ChronisModule.forRoot({
    storage,
    autoStart: false,
    syncDeclarations: false,
    ...(app === undefined ? {} : { app }),
  });
  const root = rootModule(class ChronisCommandLine {}, [chronis]);
  const context = await NestFactory.createApplicationContext(root, { logger, abortOnError: false });
  return sessionOf(context);
}

/** Does with a storage in memory what is to be done with one that is yet to be made: what is refused makes none. Throws ChronisError. */
export async function rehearsed(
  logger: StderrLogger,
  work: (scheduler: SchedulerService) => Promise<unknown>,
): Promise<void> {
  const root = rootModule(class ChronisRehearsal {}, [
    ChronisModule.forRoot({ autoStart: false, syncDeclarations: false }),
  ]);
  const context = await NestFactory.createApplicationContext(root, { logger, abortOnError: false });
  try {
    await work(context.get(SchedulerService));
  } finally {
    await context.close();
  }
}

/** The services of an application. */
export function sessionOf(app: INestApplicationContext): Session {
  const adapter = app.get(StorageAdapter);
  return {
    scheduler: app.get(SchedulerService),
    workflows: app.get(WorkflowService),
    definitions: app.get(DefinitionService),
    isService: false,
    workers: () => adapter.queryWorkers(),
    now: async () => new Date(await adapter.now()),
    jobFiles: async () => null,
    storeBinary: async (bytes) => {
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      return adapter.binaries!.putBinary(sha256, bytes);
    },
    close: () => app.close(),
  };
}

/** The recipe of the storage; its driver is loaded only where it is meant. Throws FailedError. */
export async function storageOf(
  choice: StorageChoice,
  postgres: { migrate: MigrationMode; connectTimeoutMs?: string },
): Promise<AdapterRecipe<StorageAdapter>> {
  if (choice.kind === 'postgres') {
    assertInstalled(['pg', 'typeorm']);
    const { typeOrmStorage } = await import('../typeorm/index.js');
    return typeOrmStorage({
      ...choice.server,
      ...postgres,
      ...(choice.schema === undefined ? {} : { schema: choice.schema }),
    });
  }
  const folder = dirname(choice.path);
  if (choice.isDefault) makeStateFolder(folder);
  else if (!existsSync(folder))
    throw new UsageError(`There is no folder ${folder} (${choice.origin}). Make it, or name another file.`);
  if (choice.kind === 'sqlite')
    return (await import('../sqlite/index.js')).sqliteStorage({ path: choice.path });
  return (await import('../file/index.js')).fileStorage({ path: choice.path });
}

/** Throws FailedError. */
function makeStateFolder(folder: string): void {
  try {
    makeFolder(folder, ownFolderMode);
  } catch (cause) {
    throw new FailedError(
      `The folder ${folder} cannot be made: ${(cause as Error).message}. Set XDG_STATE_HOME to a folder that this user may write, or give --storage.`,
    );
  }
}

/** They are optional peers, which npx does not bring. */
export function assertInstalled(packages: readonly string[]): void {
  const missing = packages.filter((name) => {
    try {
      require.resolve(name);
      return false;
    } catch {
      return true;
    }
  });
  if (missing.length === 0) return;
  throw new FailedError(
    `PostgreSQL needs ${packages.join(' and ')}, of which ${missing.join(' and ')} cannot be found: npm install ${missing.join(' ')}`,
  );
}
