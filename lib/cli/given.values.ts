import type { Command } from 'commander';
import { longFlag } from './cli.command.js';
import type { CliOption, CliOptions } from './cli.option.js';

type Env = Readonly<Record<string, string | undefined>>;

/** The values of options: by what was typed, of the command or before it, else by their variables, else what they are without. Throws UsageError. */
export function givenValues(options: CliOptions, typed: Command, env: Env): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).map(([key, option]) => [key, valueOf(option, typed, env)]),
  );
}

function valueOf(option: CliOption, typed: Command, env: Env): unknown {
  const given = typedTexts(option, typed);
  if (given !== null) {
    const values = given.map((each) => option.read(each, longFlag(option)));
    return option.repeats ? values.flat() : values.at(-1);
  }
  const { variable } = option;
  const stored = variable === null ? undefined : env[variable];
  // Set and empty is how files of variables leave one out.
  if (variable === null || stored === undefined || stored === '') return option.absent;
  return option.read(stored, variable);
}

/** null: it was not typed. */
function typedTexts(option: CliOption, typed: Command): string[] | null {
  for (let at: Command | null = typed; at !== null; at = at.parent) {
    const name = attributeOf(option);
    if (at.getOptionValueSource(name) !== 'cli') continue;
    const value: unknown = at.getOptionValue(name);
    if (typeof value === 'boolean') return ['true'];
    return (Array.isArray(value) ? value : [value]).map(String);
  }
  return null;
}

/** As commander calls it. */
function attributeOf(option: CliOption): string {
  return longFlag(option)
    .replace(/^--(no-)?/, '')
    .replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
