import { CommanderError } from 'commander';
import { packageVersion } from '../package.version.js';
import type { Actor } from '../index.js';
import { takeActor } from './change.command.js';
import type { CliCommand, CommandContext } from './cli.command.js';
import { exitCodeOf, FailedError, InterruptedError, toldError, UsageError } from './cli.errors.js';
import type { CliIo } from './cli.io.js';
import { commands, groups } from './command.list.js';
import { exitCodes, type ExitCode } from './exit.codes.js';
import { givenValues } from './given.values.js';
import { globalOptions, type GlobalValues } from './global.options.js';
import { Output } from './output.js';
import { program } from './program.js';
import { passwordsIn, scrubber, urlsIn } from './secrets.js';
import { SessionHolder } from './session.holder.js';
import { storageChoice } from './storage.choice.js';
import { unknownVariables } from './variables.js';

/** Does what was typed, and returns what the process is to end with. Never rejects. */
export async function main(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  const scrub = scrubber(secretsOf(argv, io));
  let exitCode: ExitCode = exitCodes.fine;
  /** Until it is known what was typed. */
  let out = new Output(io, { json: argv.includes('--json'), colours: false, scrub });
  const typed = program({
    version: packageVersion,
    commands,
    groups,
    columns: io.stdout.columns,
    writeOut: (text) => io.stdout.write(text),
    writeErr: (text) => io.stderr.write(scrub.told(text)),
    run: async (command, at, args) => {
      const globals = givenValues(globalOptions, at, io.env) as unknown as GlobalValues;
      out = new Output(io, { json: globals.json, colours: hasColours(globals, io), scrub });
      const allOptions = commands.flatMap(({ options }) => Object.values(options));
      for (const sentence of unknownVariables(io.env, [...Object.values(globalOptions), ...allOptions]))
        out.note(sentence);
      const values = givenValues(command.options, at, io.env);
      const named = command.changes ? takeActor(values) : { values, actor: null };
      exitCode = await done(command, { args, ...named, globals, out }, io);
    },
  });
  try {
    await typed.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    return told(error, out);
  }
}

async function done(
  command: CliCommand,
  given: Pick<CommandContext, 'args' | 'values' | 'globals' | 'out'> & { actor: Actor | null },
  io: CliIo,
): Promise<ExitCode> {
  const { globals, out, actor } = given;
  if (command.isOfOthers) io.keepStdout?.();
  const { signal, env } = io;
  const storage = (): ReturnType<typeof storageChoice> => storageChoice(globals, env);
  const { makesStorage = false } = command;
  const holder = new SessionHolder(storage, globals, { makesStorage, actor }, (line) => out.note(line));
  const context: CommandContext = {
    ...given,
    env,
    signal,
    storage,
    open: (whom) => holder.open(whom),
    confirm: (question) => confirmed(question, globals, io),
  };
  try {
    const work = command.run(context);
    const result = command.endsItself ? work : Promise.race([work, interruption(signal)]);
    return (await result) ?? exitCodes.fine;
  } finally {
    await holder.close();
  }
}

/** Rejects when somebody ends the process. */
function interruption(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = (): void => reject(interrupted(signal));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

/** By the signal that has come. */
export function interrupted(signal: AbortSignal): InterruptedError {
  return new InterruptedError(signal.reason === 'SIGTERM' ? exitCodes.terminated : exitCodes.interrupted);
}

/** Nobody is asked where nobody can answer. */
async function confirmed(question: string, { yes, json }: GlobalValues, { ask }: CliIo): Promise<void> {
  if (yes) return;
  if (ask === null || json)
    throw new UsageError(`${question} Nobody is there to be asked: give --yes if that is meant.`);
  const answer = await ask(`${question} [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) throw new FailedError('Nothing was done.');
}

/** For machines the error is the document; for people it is on stderr, as for logs in both cases. */
function told(error: unknown, out: Output): ExitCode {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.fine;
    const message = error.message.replace(/^error: /, '');
    if (out.isJson) out.failure({ code: 'CHRONIS_CLI_USAGE', message });
    return exitCodes.usage;
  }
  out.error(toldError(error));
  return exitCodeOf(error);
}

function hasColours({ noColor }: GlobalValues, { stdout, env }: CliIo): boolean {
  return stdout.isTerminal && !noColor && !env.NO_COLOR && env.TERM !== 'dumb';
}

function secretsOf(argv: readonly string[], { env }: CliIo): string[] {
  const { CHRONIS_STORAGE, CHRONIS_LISTEN_URL, CHRONIS_EMIT, CHRONIS_EMIT_QUEUES, DATABASE_URL } = env;
  const typed = argv.map((each) => each.replace(/^--[\w-]+=/, ''));
  const given = [
    ...typed,
    CHRONIS_STORAGE,
    CHRONIS_LISTEN_URL,
    CHRONIS_EMIT,
    CHRONIS_EMIT_QUEUES,
    DATABASE_URL,
  ];
  return passwordsIn(given.flatMap(urlsIn), [env.PGPASSWORD]);
}
