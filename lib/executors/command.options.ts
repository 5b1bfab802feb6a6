import { InvalidOptionError } from '../index.js';
import { allowedPrograms, isPattern, type AllowedPrograms } from './allowed.programs.js';
import { knownOptions, listOf, shown } from './option.checks.js';
import {
  programOptions,
  programSettings,
  type ProgramOptions,
  type ProgramSettings,
} from './program.options.js';

/** What commands may be run, and how. @publicApi */
export interface CommandOptions extends ProgramOptions {
  /**
   * The programs that may be run: absolute paths, and all of a folder: `/opt/jobs/*`, `/opt/jobs/*.sh`. What counts is the file that is reached in the end, so a link in such a folder to something outside of it is refused. `*` alone is
   * any program, where whoever makes jobs may run anything. Without them only tasks with `shell: true` run. @default none
   */
  allow?: readonly string[];
  /** Whether tasks may say `shell: true`: their command is then given to /bin/sh, which runs anything that this user may run, whatever `allow` says. @default false */
  shell?: boolean;
}

/** The same, checked. */
export interface CommandSettings extends ProgramSettings {
  allow: AllowedPrograms;
  shell: boolean;
}

const known = ['allow', 'shell', ...programOptions] as const;

/** Throws InvalidOptionError. */
export function commandSettings(given: CommandOptions): CommandSettings {
  const { allow = [], shell = false, ...others } = knownOptions(given, known, 'command');
  const settings = programSettings(others, 'command');
  if (typeof shell !== 'boolean') {
    throw new InvalidOptionError('command.shell', `must be true or false, but is ${shown(shell)}.`);
  }
  const patterns = listOf(
    allow,
    'command.allow',
    'absolute paths, of which the last part may have "*", such as "/usr/bin/rsync" and "/opt/jobs/*", or "*" for any program',
    isPattern,
  );
  if (patterns.length === 0 && !shell) {
    throw new InvalidOptionError(
      'command.allow',
      'names no program, so none would run. Give for example ["/opt/jobs/*"].',
    );
  }
  return { ...settings, allow: allowedPrograms(patterns), shell };
}
