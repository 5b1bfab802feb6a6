import { ConsoleLogger, type LoggerService, type LogLevel as NestLevel } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisModule, parseDuration, runLog, type ChronisModuleOptions } from '../index.js';
import { ChronisExecutorsModule, type ChronisExecutorsModuleOptions } from '../executors/index.js';
import { ChronisJobFiles, ChronisJobFilesModule } from '../job-files/index.js';
import type { MigrationMode } from '../typeorm/index.js';
import { FailedError } from './cli.errors.js';
import { emitOptions, type EmitTargets } from './emit.clients.js';
import { isSocketPath } from './control.protocol.js';
import { ControlServer } from './control.server.js';
import { logLevels, type LogLevel } from './global.options.js';
import { rootModule } from './root.module.js';
import { sessionOf, storageOf, type Session } from './session.js';
import { StderrLogger } from './stderr.logger.js';
import type { StorageChoice } from './storage.choice.js';
import { inFlagsOfService } from './words.of.flags.js';

export const logFormats = ['run', 'json', 'nest'] as const;
export type LogFormat = (typeof logFormats)[number];

/** What the ready service is to do. */
export interface ServiceOptions {
  storage: StorageChoice;
  migrate: MigrationMode;
  directory: string;
  /** Where other commands are answered; null: nowhere. */
  socket: string | null;
  executors: ChronisExecutorsModuleOptions;
  /** Whom tasks of the type `emit` may name; null: there are no such tasks. */
  emit: EmitTargets | null;
  chronis: Pick<
    ChronisModuleOptions,
    'app' | 'name' | 'queues' | 'concurrency' | 'timeZone' | 'shutdownTimeoutMs'
  >;
  format: LogFormat;
  level: LogLevel;
  writeResult: (line: string) => void;
  writeLog: (line: string) => void;
}

const context = 'Chronis';
const usualShutdown = '25s';
/** Beside what runs have to end: for connections, each of which has a deadline of its own. */
const closeMs = 10_000;
const openToAll =
  'Whoever may write to the folder, or to this database, may have any program run here: --allow narrows that.';
const openByBinary =
  '--binary lets whoever may write to the folder, or to this database, bring a program of their own: --allow does not narrow that.';

/** Runs the jobs of a folder: a Nest application without code. What rejects has left nothing open. */
export async function startService(options: ServiceOptions): Promise<Session> {
  const { storage, migrate, directory, chronis, format, emit } = options;
  const executors = { ...options.executors, ...(emit && { emit: emitOptions(emit) }) };
  const root = rootModule(class ChronisReadyService {}, [
    ChronisExecutorsModule.forRoot(executors),
    ChronisJobFilesModule.forRoot({ directory }),
    ChronisModule.forRoot({
      storage: await storageOf(storage, { migrate }),
      ...chronis,
      ...loggedAs(options),
    }),
  ]);
  const logger = format === 'nest' ? nestLogger(options) : ownLogger(options);
  logger.log(`Jobs of ${directory}, kept in ${storage.shown} (${storage.origin}).`, context);
  if (storage.kind === 'postgres') {
    if (executors.command?.allow?.includes('*')) logger.warn(openToAll, context);
    if (executors.binary !== undefined) logger.warn(openByBinary, context);
  }
  const app = await NestFactory.createApplicationContext(root, { logger, abortOnError: false });
  const session: Session = { ...sessionOf(app), jobFiles: async () => app.get(ChronisJobFiles).status() };
  const control = await listening(options.socket, session, logger);
  const stopMs = parseDuration(chronis.shutdownTimeoutMs ?? usualShutdown, 'shutdownTimeoutMs');
  return {
    ...session,
    close: () =>
      closedBy(stopMs + closeMs, async () => {
        await control?.close();
        await session.close();
      }),
  };
}

/** The process ends after this: whatever is not closed by then, as a server or a broker does not answer, ends with it. Throws FailedError then. */
export async function closedBy(withinMs: number, close: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const give = (): void =>
      reject(
        new FailedError(
          `Not everything has closed within ${withinMs / 1_000} s of the end, so that the process ends without it.`,
        ),
      );
    timer = setTimeout(give, withinMs);
  });
  try {
    await Promise.race([close(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What cannot be listened at is refused; a path that nobody has chosen, and that is too long, is told. */
async function listening(
  socket: string | null,
  session: Session,
  logger: LoggerService,
): Promise<ControlServer | null> {
  if (socket === null) return null;
  if (!isSocketPath(socket)) {
    logger.warn(
      `${socket} is too long for a socket: with another --socket commands would reach this service.`,
      context,
    );
    return null;
  }
  try {
    const control = await ControlServer.listen(socket, session);
    logger.log(`Commands are answered at ${socket}.`, context);
    return control;
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** What the run log tells is not told a second time. */
function loggedAs({ format, level, writeResult }: ServiceOptions): Pick<ChronisModuleOptions, 'on' | 'log'> {
  if (format === 'nest') return {};
  const isQuiet = logLevels.indexOf(level) > logLevels.indexOf('INFO');
  return {
    on: runLog({
      format: format === 'json' ? 'json' : 'text',
      write: writeResult,
      only: isQuiet ? 'failures' : 'all',
    }),
    log: {
      format: format === 'json' ? 'json' : 'text',
      silent: ['run.succeeded', 'run.retrying', 'run.failed', 'run.timed_out', 'run.cancelled', 'run.lost'],
    },
  };
}

function ownLogger({ level, format, writeLog }: ServiceOptions): LoggerService {
  return new StderrLogger(level, (line) => writeLog(inFlagsOfService(line)), { isJson: format === 'json' });
}

const nestLevels: Readonly<Record<LogLevel, NestLevel[]>> = {
  DEBUG: ['verbose', 'debug', 'log', 'warn', 'error', 'fatal'],
  INFO: ['log', 'warn', 'error', 'fatal'],
  WARNING: ['warn', 'error', 'fatal'],
  ERROR: ['error', 'fatal'],
};

function nestLogger({ level }: ServiceOptions): LoggerService {
  return new ConsoleLogger('', { logLevels: nestLevels[level] });
}
