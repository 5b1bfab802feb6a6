import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { command, type CliCommand, type CommandContext } from '../cli.command.js';
import { UsageError } from '../cli.errors.js';
import { choice, flag, list, text, whole, type CliValues } from '../cli.option.js';
import { exitCodes } from '../exit.codes.js';
import { emitBrokers, emitQueues } from '../emit.brokers.js';
import type { EmitTargets } from '../emit.clients.js';
import type { ServiceOptions } from '../service.js';
import { given } from '../shared.options.js';
import type { Session } from '../session.js';
import { socketOf, type StorageChoice } from '../storage.choice.js';

const formats = ['run', 'json', 'nest'] as const;
const migrations = ['auto', 'check', 'off'] as const;
/** As the document of the Job Scheduler has it. */
const usualFolder = '/etc/chronoflow/jobs.d';
const highestConcurrency = 10_000;
/** Of a start that is given up. */
const giveUpMs = 5_000;

const options = {
  jobsDir: text('--jobs-dir <folder>', 'with the files of jobs', {
    variable: 'CHRONIS_JOBS_DIR',
    default: usualFolder,
  }),
  allow: list('--allow <programs>', 'programs that tasks may run, such as /opt/jobs/*', {
    variable: 'CHRONIS_ALLOW',
    default: '*, any program',
  }),
  shell: flag('--shell', 'tasks may give commands to /bin/sh', { variable: 'CHRONIS_SHELL' }),
  commandEnv: list('--command-env <names>', 'variables that commands get', {
    variable: 'CHRONIS_COMMAND_ENV',
    default: 'none but PATH, HOME and the like',
  }),
  httpHosts: list('--http-hosts <hosts>', 'hosts that tasks may call, such as api.example.com', {
    variable: 'CHRONIS_HTTP_HOSTS',
    default: 'none',
  }),
  httpAddresses: list('--http-addresses <ranges>', 'addresses that are not public and may be called', {
    variable: 'CHRONIS_HTTP_ADDRESSES',
    default: 'none',
  }),
  httpEnv: list('--http-env <names>', 'variables that calls may refer to', {
    variable: 'CHRONIS_HTTP_ENV',
    default: 'none',
  }),
  binary: flag('--binary', 'tasks may bring programs along', { variable: 'CHRONIS_BINARY' }),
  binaryFolder: text('--binary-folder <folder>', 'where these are put while they run', {
    variable: 'CHRONIS_BINARY_FOLDER',
    default: 'that of the system for temporary files',
  }),
  emit: emitBrokers,
  emitQueues,
  emitTimeout: text('--emit-timeout <duration>', 'how long a broker may take to accept a message', {
    variable: 'CHRONIS_EMIT_TIMEOUT',
    default: '10s',
  }),
  emitKeyPrefix: text(
    '--emit-key-prefix <text>',
    'what keys of messages begin with, before the id of the run',
    {
      variable: 'CHRONIS_EMIT_KEY_PREFIX',
      default: 'run-',
    },
  ),
  logFormat: choice('--log-format <format>', 'a line for each run, objects, or as Nest logs', formats, {
    variable: 'CHRONIS_LOG_FORMAT',
    absent: undefined,
    default: 'run; with --json json',
  }),
  app: text('--app <name>', 'whose jobs these are', { variable: 'CHRONIS_APP', default: 'default' }),
  name: text('--name <name>', 'of this process, for people', {
    variable: 'CHRONIS_NAME',
    default: 'host:pid',
  }),
  queues: list('--queues <names>', 'whose jobs it runs', { variable: 'CHRONIS_QUEUES', default: 'default' }),
  concurrency: whole('--concurrency <count>', 'runs at a time', {
    variable: 'CHRONIS_CONCURRENCY',
    least: 1,
    most: highestConcurrency,
    absent: 10,
  }),
  tz: text('--tz <zone>', 'of schedules that name none', { variable: 'CHRONIS_TZ', default: 'UTC' }),
  shutdownTimeout: text('--shutdown-timeout <duration>', 'how long the end waits for runs', {
    variable: 'CHRONIS_SHUTDOWN_TIMEOUT',
    default: '25s',
  }),
  migrate: choice('--migrate <mode>', 'the tables of PostgreSQL at the start', migrations, {
    variable: 'CHRONIS_MIGRATE',
    absent: 'auto',
  }),
};

const run = command({
  name: 'run',
  summary: 'the ready service: runs the jobs that the files of a folder describe',
  options,
  endsItself: true,
  examples: [
    'chronis run --jobs-dir ./jobs.d --log-level INFO',
    "chronis run --jobs-dir ./jobs.d --allow '/opt/jobs/*' --storage postgres://chronis@db/jobs",
  ],
  run: async (context) => {
    const { signal } = context;
    const session = await started(serve(serviceOptions(context, context.storage())), signal);
    if (session !== null) {
      await aborted(signal);
      await session.close();
    }
    return signal.reason === 'SIGTERM' ? exitCodes.fine : exitCodes.interrupted;
  },
});

function serviceOptions(
  { values, globals, out }: CommandContext<CliValues<typeof options>>,
  storage: StorageChoice,
): ServiceOptions {
  const directory = folderOf(values.jobsDir ?? usualFolder);
  const level = globals.logLevel ?? 'INFO';
  const { httpHosts, httpAddresses, httpEnv, allow, shell, commandEnv, binary, binaryFolder } = values;
  if (httpHosts === undefined && (httpAddresses ?? httpEnv) !== undefined)
    throw new UsageError('--http-addresses and --http-env go with --http-hosts.');
  if (binaryFolder !== undefined && !binary) throw new UsageError('--binary-folder goes with --binary.');
  return {
    storage,
    migrate: values.migrate,
    directory,
    socket: globals.socket ?? (storage.kind === 'postgres' ? null : socketOf(storage.path)),
    executors: {
      command: { allow: allow ?? ['*'], shell, ...given({ env: commandEnv }) },
      ...(binary && { binary: given({ folder: binaryFolder && resolve(binaryFolder), env: commandEnv }) }),
      ...(httpHosts && { http: { hosts: httpHosts, ...given({ addresses: httpAddresses, env: httpEnv }) } }),
    },
    emit: emitTargets(values),
    chronis: given({
      app: values.app,
      name: values.name,
      queues: values.queues,
      concurrency: values.concurrency,
      timeZone: values.tz,
      shutdownTimeoutMs: values.shutdownTimeout,
    }),
    format: values.logFormat ?? (globals.json ? 'json' : 'run'),
    level,
    writeResult: (line) => out.lineGoingOn(line),
    writeLog: (line) => out.note(line),
  };
}

/** null: none is named. Throws UsageError. */
function emitTargets({
  emit: brokers = [],
  emitQueues: queues = [],
  ...others
}: CliValues<typeof options>): EmitTargets | null {
  const { emitTimeout: timeout, emitKeyPrefix: keyPrefix } = others;
  if (brokers.length + queues.length > 0) return { brokers, queues, ...given({ timeout, keyPrefix }) };
  if ((timeout ?? keyPrefix) === undefined) return null;
  throw new UsageError('--emit-timeout and --emit-key-prefix go with --emit or --emit-queues.');
}

/** Throws UsageError. */
function folderOf(given: string): string {
  const folder = resolve(given);
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found?.isDirectory()) return folder;
  throw new UsageError(
    found === undefined
      ? `There is no folder ${folder}. Make it, or name another one: --jobs-dir FOLDER, CHRONIS_JOBS_DIR.`
      : `${folder} is no folder. Name one: --jobs-dir FOLDER, CHRONIS_JOBS_DIR.`,
  );
}

async function serve(given: ServiceOptions): Promise<Session> {
  const { startService } = await import('../service.js');
  return startService(given);
}

/** A start is ended in order when the process is to end before it is over: null. One that takes long, as the server is away, is given up then. */
async function started(begun: Promise<Session>, signal: AbortSignal): Promise<Session | null> {
  const isEnd = Symbol('end');
  const first = await Promise.race([begun, aborted(signal).then(() => isEnd)]);
  if (first !== isEnd) return first as Session;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((done) => (timer = setTimeout(done, giveUpMs)));
  const closed = begun.then(
    (session) => session.close(),
    () => undefined,
  );
  await Promise.race([closed, late]);
  clearTimeout(timer);
  return null;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
}

export const serviceCommands: CliCommand[] = [run];
