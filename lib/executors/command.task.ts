import type { StandardIssue, StandardSchema } from '../index.js';
import type { CommandSettings } from './command.options.js';
import { wordsOf } from './command.words.js';
import { shown } from './option.checks.js';
import {
  argumentsOf,
  checkedProgram,
  isAbsolute,
  programKeys,
  taskObject,
  type CheckedProgram,
  type ProgramTask,
  type Tell,
} from './program.task.js';

/** A task of the type `execute_command`, or `cmd`. @publicApi */
export interface CommandTask extends ProgramTask {
  /** The program, an absolute path, and its arguments, in one text: `/usr/bin/rsync -a '/srv/my data' backup:`. Split by quotes and backslashes; anything else that a shell knows is refused. */
  command?: string;
  /** The program by itself, an absolute path, in place of `command`. */
  file?: string;
  /** Its arguments, as they are. Only with `file`. @default none */
  args?: readonly string[];
  /** Gives `command` to /bin/sh, where the executor allows that. @default false */
  shell?: boolean;
}

/** The same, checked. */
export interface CheckedCommand extends CheckedProgram {
  /** null: it is for the shell. */
  program: string | null;
}

const keys = ['command', 'file', 'args', 'shell', ...programKeys] as const;

/** What command tasks are checked with, when they are made and before they run. */
export function commandSchema(settings: CommandSettings): StandardSchema<CommandTask, CheckedCommand> {
  const validate = async (
    given: unknown,
  ): Promise<{ value: CheckedCommand } | { issues: StandardIssue[] }> => {
    const issues: StandardIssue[] = [];
    const value = checked(given, settings, (message, ...path) => void issues.push({ message, path }));
    if (issues.length > 0) return { issues };
    if (value.program !== null) {
      // It may be made elsewhere, or before the program is there; it is looked for again before it runs.
      const found = await settings.allow.find(value.program, { mayBeMissing: true });
      const key = (given as CommandTask).file === undefined ? 'command' : 'file';
      if ('refused' in found) return { issues: [{ message: found.refused.replace(/\.$/, ''), path: [key] }] };
    }
    return { value };
  };
  return { '~standard': { version: 1, vendor: 'nestjs-chronis', validate } };
}

function checked(given: unknown, settings: CommandSettings, tell: Tell): CheckedCommand {
  const task = taskObject(given, keys, tell);
  return { ...checkedProgram(task, settings, tell), ...programOf(task, settings, tell) };
}

function programOf(
  { command, file, args, shell }: Record<string, unknown>,
  settings: CommandSettings,
  tell: Tell,
): Pick<CheckedCommand, 'program' | 'args'> {
  const none = { program: null, args: [] };
  if (shell !== undefined && typeof shell !== 'boolean')
    tell(`must be true or false, but is ${shown(shell)}`, 'shell');
  if ((command === undefined) === (file === undefined)) {
    tell(
      command === undefined
        ? 'needs a "command", or a "file" with "args"'
        : 'has a "command" and a "file". Leave one of them out',
    );
    return none;
  }
  if (shell === true && file !== undefined) tell('goes with "command", not with "file"', 'shell');
  if (args !== undefined && command !== undefined)
    tell('goes with "file". Put the arguments into the command', 'args');
  if (file !== undefined) {
    if (!isAbsolute(file)) tell(`must be an absolute path, but is ${shown(file)}`, 'file');
    return { program: file as string, args: argumentsOf(args, tell) };
  }
  if (typeof command !== 'string' || command.trim() === '') {
    tell(`must be text, but is ${shown(command)}`, 'command');
    return none;
  }
  if (shell === true) {
    if (!settings.shell) tell('the command executor allows no shell (command.shell)', 'shell');
    return { program: null, args: [command] };
  }
  const split = wordsOf(command);
  if ('problem' in split) {
    tell(split.problem, 'command');
    return none;
  }
  const [program, ...others] = split.words as [string, ...string[]];
  if (!isAbsolute(program))
    tell(`must begin with an absolute path, but begins with ${shown(program)}`, 'command');
  return { program, args: others };
}
