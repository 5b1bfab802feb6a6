import { Command, Option } from 'commander';
import type { CliCommand } from './cli.command.js';
import { UsageError } from './cli.errors.js';
import type { CliOption, CliOptions } from './cli.option.js';
import { globalOptions } from './global.options.js';

export interface ProgramParts {
  version: string;
  commands: readonly CliCommand[];
  /** What the first words of commands stand for. */
  groups: Readonly<Record<string, string>>;
  writeOut: (text: string) => void;
  writeErr: (text: string) => void;
  columns: number | undefined;
  run(command: CliCommand, typed: Command, args: readonly string[]): Promise<void>;
}

const usualWidth = 80;
const globalHeading = 'Options of all commands:';

/** What was typed, taken apart. It throws CommanderError in place of ending the process. */
export function program(parts: ProgramParts): Command {
  const { writeOut, writeErr } = parts;
  const width = (): number => parts.columns ?? usualWidth;
  const root = new Command('chronis')
    .description('Jobs that run once per due instant, and stay on record.')
    .version(parts.version)
    .exitOverride()
    .configureOutput({ writeOut, writeErr, getOutHelpWidth: width, getErrHelpWidth: width })
    .configureHelp({ showGlobalOptions: false })
    .showSuggestionAfterError();
  addOptions(root, globalOptions, globalHeading);
  for (const each of parts.commands) addCommand(root, each, parts);
  root.addHelpText(
    'after',
    '\nchronis help <command> tells more. Exit codes: 0 fine, 1 failed, 2 differences or problems found, 64 usage.',
  );
  return root;
}

function addCommand(root: Command, given: CliCommand, parts: ProgramParts): void {
  const words = given.name.split(' ');
  const name = words.pop()!;
  const parent = words.reduce((at, word) => groupIn(at, word, parts), root);
  const made = parent.command(name, { isDefault: given.isDefault ?? false }).description(given.summary);
  for (const [syntax, help] of Object.entries(given.arguments ?? {})) made.argument(syntax, help);
  // What is no command of the group comes to the one that it does by itself.
  if (given.isDefault) made.argument('[none...]').usage('[options]');
  addOptions(made, given.options, 'Options:');
  addOptions(made, globalOptions, globalHeading);
  if (given.examples !== undefined)
    made.addHelpText('after', `\nExamples:\n${given.examples.map((line) => `  ${line}`).join('\n')}`);
  made.action(async () => {
    if (given.isDefault && made.args.length > 0) throw unknownCommand(made);
    await parts.run(given, made, made.args);
  });
}

function unknownCommand({ parent, args }: Command): UsageError {
  const names = parent!.commands.map((each) => each.name()).filter((each) => each !== 'help');
  return new UsageError(
    `There is no command "${parent!.name()} ${args[0]}". There are: ${names.join(', ')}.`,
  );
}

function groupIn(root: Command, name: string, { groups }: ProgramParts): Command {
  const found = root.commands.find((each) => each.name() === name);
  return found ?? root.command(name).description(groups[name] ?? '');
}

function addOptions(to: Command, options: CliOptions, heading: string): void {
  to.optionsGroup(heading);
  for (const each of Object.values(options)) to.addOption(optionOf(each));
}

function optionOf({ flags, help, variable, default: words, repeats }: CliOption): Option {
  const more = [variable, words === null ? null : `default: ${words}`].filter((each) => each !== null);
  const option = new Option(flags, more.length === 0 ? help : `${help} (${more.join('; ')})`);
  if (repeats) option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
  return option;
}
