import type { CliOption, CliOptions, CliValues } from './cli.option.js';
import type { ExitCode } from './exit.codes.js';
import type { GlobalValues } from './global.options.js';
import type { Output } from './output.js';
import type { Session } from './session.js';
import type { Asked } from './session.holder.js';
import type { StorageChoice } from './storage.choice.js';

/** What a command works with. */
export interface CommandContext<V = unknown> {
  /** What was typed that is no option, in order. */
  args: readonly string[];
  values: V;
  globals: GlobalValues;
  out: Output;
  env: Readonly<Record<string, string | undefined>>;
  /** Fires when somebody ends the process. */
  signal: AbortSignal;
  /** The storage that is meant, without opening it. Throws UsageError. */
  storage: () => StorageChoice;
  /** Opens the storage, once; it is closed when the command has ended. Throws UsageError, and ChronisError. */
  open: (whom?: Asked) => Promise<Session>;
  /** Resolves where `--yes` is given, or somebody at a terminal says so. `question`: `Delete the job "a"?`. Throws UsageError. */
  confirm: (question: string) => Promise<void>;
}

/** A command: one file in `commands/` has one, or a group of them. Nothing heavy is loaded by that file: the rest comes by `context.open()` and by `import()`. */
export interface CliCommand {
  /** As it is typed: `jobs list`. The first word of several is a group, see `groups`. */
  name: string;
  summary: string;
  /** As they are shown, with what they are: `{ '<id...>': 'the jobs' }`. */
  arguments?: Readonly<Record<string, string>>;
  /** What its first argument may be, where that is one of several words. */
  argumentWords?: readonly string[];
  /** Beside those that every command takes. */
  options: CliOptions;
  /** It is what the group does where no command is named. */
  isDefault?: boolean;
  /** When the process is to end, it comes to its end by itself: it is not left alone. */
  endsItself?: boolean;
  /** It runs the code of others in this process, which must not write among its results. */
  isOfOthers?: boolean;
  /** All that it does is on record in the name of somebody: see `change`. */
  changes?: boolean;
  /** It may make the file of a storage that is not there. */
  makesStorage?: boolean;
  /** Lines that call it, for its help. */
  examples?: readonly string[];
  /** What the process ends with; nothing: 0. */
  run(context: CommandContext<any>): Promise<ExitCode | void>;
}

/** Tells the compiler which values the options of a command have. */
export function command<O extends CliOptions>(
  given: Omit<CliCommand, 'options' | 'run'> & {
    options: O;
    run(context: CommandContext<CliValues<O>>): Promise<ExitCode | void>;
  },
): CliCommand {
  return given;
}

/** The name of an option without what follows: `--jobs-dir`. */
export function longFlag({ flags }: CliOption): string {
  return /--[\w-]+/.exec(flags)![0];
}
