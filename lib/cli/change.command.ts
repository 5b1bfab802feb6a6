import { userInfo } from 'node:os';
import type { Actor } from '../index.js';
import type { CliCommand, CommandContext } from './cli.command.js';
import { text, type CliOptions, type CliValues } from './cli.option.js';

const actorOptions = {
  by: text('--by <name>', 'who, for the record', {
    variable: 'CHRONIS_BY',
    default: 'the user of this machine, and cli',
  }),
  note: text('--note <text>', 'why, for the record'),
};

/** What a command works with that changes something: all that it does is in this name. */
export interface ChangeContext<V> extends CommandContext<V> {
  actor: Actor;
}

/** A command that changes something: who does it, and why, comes to the record. */
export function change<O extends CliOptions>(
  given: Omit<CliCommand, 'options' | 'run' | 'changes'> & {
    options: O;
    run(context: ChangeContext<CliValues<O>>): ReturnType<CliCommand['run']>;
  },
): CliCommand {
  return { ...given, changes: true, options: { ...given.options, ...actorOptions } };
}

/** Takes what `change` has added out of the values of a command. */
export function takeActor(values: Readonly<Record<string, unknown>>): {
  actor: Actor;
  values: Record<string, unknown>;
} {
  const { by, note, ...others } = values as Partial<CliValues<typeof actorOptions>>;
  return { actor: { by: by ?? usualName(), ...(note !== undefined && { note }) }, values: others };
}

function usualName(): string {
  try {
    return `${userInfo().username} (cli)`;
  } catch {
    return 'cli';
  }
}
