import { resolve } from 'node:path';
import { InvalidOptionError, meantOption, parseDuration, type DurationInput } from '../index.js';

/** Options of ChronisJobFilesModule. Durations are milliseconds or text such as `'2s'`. @publicApi */
export interface JobFilesOptions {
  /** The folder with the files. It may come later, be a link, or be exchanged as a whole. */
  directory: string;
  /**
   * What the folder is called in the storage: processes whose folders have the same name read the same jobs. Give one if the folder has another path elsewhere. Another name later makes no new jobs, but nobody
   * sees any more which of those under the old name are gone: these are orphaned ten minutes after the last process that had the old name. @default the path of `directory`
   */
  name?: string;
  /** `sync`: declares what is in the files · `watch`: reads and judges them, for `status()` and `health()`, and declares nothing. @default 'sync' */
  role?: 'sync' | 'watch';
  /** How often the folder is looked at: 100 ms to 1 min. Where the system tells of changes, it is at once. @default '1s' */
  scanMs?: DurationInput;
  /** How long a folder has to be empty before that is believed, also one that is empty at the start: 0 to 1 h. Else a volume that is not mounted would end all jobs. @default '10s' */
  emptyGraceMs?: DurationInput;
}

/** The same, checked. */
export interface JobFilesSettings {
  directory: string;
  name: string;
  role: 'sync' | 'watch';
  scanMs: number;
  emptyGraceMs: number;
}

const keys = ['directory', 'name', 'role', 'scanMs', 'emptyGraceMs'];
const owner = 'ChronisJobFilesModule';

/** Throws InvalidOptionError. */
export function jobFilesSettings(given: JobFilesOptions): JobFilesSettings {
  if (typeof given !== 'object' || given === null)
    throw new InvalidOptionError(owner, "takes options: forRoot({ directory: '/etc/chronoflow/jobs.d' }).");
  for (const key of Object.keys(given)) {
    if (keys.includes(key)) continue;
    const near = meantOption(key, keys);
    const hint = near ? `Did you mean "${near}"?` : `There are: ${keys.join(', ')}.`;
    throw new InvalidOptionError(key, `${owner} has no such option. ${hint}`);
  }
  const { directory, role = 'sync' } = given;
  if (typeof directory !== 'string' || directory.trim() === '')
    throw new InvalidOptionError('directory', `of ${owner} must be the path of a folder.`);
  if (role !== 'sync' && role !== 'watch')
    throw new InvalidOptionError('role', `must be 'sync' or 'watch', but is ${JSON.stringify(role)}.`);
  const path = resolve(directory);
  return {
    directory: path,
    name: given.name ?? path,
    role,
    scanMs: within(given.scanMs ?? 1_000, 'scanMs', 100, 60_000),
    emptyGraceMs: within(given.emptyGraceMs ?? 10_000, 'emptyGraceMs', 0, 3_600_000),
  };
}

function within(given: DurationInput, option: string, least: number, most: number): number {
  const ms = given === 0 ? 0 : parseDuration(given, option);
  if (ms >= least && ms <= most) return ms;
  throw new InvalidOptionError(option, `must be from ${least} to ${most} ms, but is ${ms}.`);
}
