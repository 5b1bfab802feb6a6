import { InvalidOptionError } from '../model/errors.js';
import { described } from '../triggers/refuse.js';
import type { JournaledOptions } from './journaled.storage.js';

/** What storages in files have in common. @publicApi */
export interface FileStorageBase extends JournaledOptions {
  /** Of the file; relative ones from where the process was started. Its folder has to be there, on a disk of this machine. */
  path: string;
}

/** Throws InvalidOptionError. */
export function assertPathOptions(options: unknown, owner: string, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidOptionError(
      'options',
      `${owner} takes an object, { path }, but was given ${described(options)}.`,
    );
  }
  const all = ['path', 'clock', 'recordLimit', 'dataSource', ...known];
  const unknown = Object.keys(options).find((name) => !all.includes(name));
  if (unknown !== undefined) {
    throw new InvalidOptionError(unknown, `is no option of ${owner}, which has ${all.join(', ')}.`);
  }
  const { path, recordLimit } = options as Partial<FileStorageBase>;
  if (typeof path !== 'string' || path === '') {
    throw new InvalidOptionError('path', `has to be the path of a file, but is ${described(path)}.`);
  }
  if (recordLimit !== undefined && !(Number.isSafeInteger(recordLimit) && recordLimit > 0)) {
    throw new InvalidOptionError(
      'recordLimit',
      `has to be a whole number above 0, but is ${described(recordLimit)}.`,
    );
  }
}
