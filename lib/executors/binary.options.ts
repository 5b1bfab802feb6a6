import { statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { InvalidOptionError, mostBinaryBytes } from '../index.js';
import { knownOptions, shown } from './option.checks.js';
import {
  programOptions,
  programSettings,
  type ProgramOptions,
  type ProgramSettings,
} from './program.options.js';

/** How programs are run that jobs bring along. Who may create jobs may then run anything that this user, or the one that is named, may run. @publicApi */
export interface BinaryOptions extends ProgramOptions {
  /** The most bytes that a program may have that is stored: up to 16 MiB. @default 16 MiB */
  maxBytes?: number;
  /** Where they are put while they run: a folder, by its absolute path, of a file system from which programs may be executed. @default that of the system for temporary files */
  folder?: string;
}

/** The same, checked. */
export interface BinarySettings extends ProgramSettings {
  maxBytes: number;
  folder: string;
}

const known = ['maxBytes', 'folder', ...programOptions] as const;

/** Throws InvalidOptionError. */
export function binarySettings(given: BinaryOptions): BinarySettings {
  const { maxBytes = mostBinaryBytes, folder = tmpdir(), ...others } = knownOptions(given, known, 'binary');
  if (!Number.isInteger(maxBytes) || maxBytes < 1 || maxBytes > mostBinaryBytes) {
    throw new InvalidOptionError(
      'binary.maxBytes',
      `must be a whole number from 1 to ${mostBinaryBytes}, but is ${shown(maxBytes)}.`,
    );
  }
  if (typeof folder !== 'string' || !folder.startsWith('/')) {
    throw new InvalidOptionError('binary.folder', `must be an absolute path, but is ${shown(folder)}.`);
  }
  assertNoFile(folder);
  return { ...programSettings(others, 'binary'), maxBytes, folder };
}

/** One that is not there is made when it is needed. Throws InvalidOptionError. */
function assertNoFile(folder: string): void {
  let isFolder: boolean;
  try {
    isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? true;
  } catch (cause) {
    throw new InvalidOptionError(
      'binary.folder',
      `must be a folder, but ${folder} cannot be one: ${(cause as Error).message}.`,
    );
  }
  if (!isFolder) throw new InvalidOptionError('binary.folder', `must be a folder, but ${folder} is a file.`);
}
