import { meantOption } from '../index.js';
import { FileFault, type FilePlace } from './file.fault.js';
import type { FileEntry } from './file.parser.js';

/** A job of a file, as it is declared. */
export interface FileJob {
  id: string;
  /** What `JobDeclarations` takes. */
  options: Readonly<Record<string, unknown>>;
  /** False: as if it were not there. */
  enabled: boolean;
  entry: FileEntry;
}

/** Which option of the file an option is said by, for where it stands. */
export type Spelling = ReadonlyMap<string, string>;

/** Options that only files have, or that they call otherwise. */
export const fileKeys = ['$schema', 'job_id', 'description', 'schedule', 'task', 'enabled'] as const;

const ways = ['schedule', 'cron', 'every', 'at'] as const;
const longestShown = 100;
const isoDate = /^[+-]?\d{4,6}-\d\d/;
const isoDuration = /^P[\dTYMWDHS.,]+$/;

/** What a file says about a job, in the words of this package. Throws FileFault. */
export function jobOf(entry: FileEntry): FileJob {
  const { $schema: _, job_id, description, schedule, enabled = true, ...rest } = entry.value;
  const fault = (message: string, option: string): FileFault => new FileFault(message, entry.placeOf(option));
  if (typeof enabled !== 'boolean')
    throw fault(`enabled: must be true or false, but is ${shown(enabled)}.`, 'enabled');
  if (job_id !== undefined && rest.id !== undefined)
    throw fault('The job has "id" and "job_id", which are the same. Take one of them out.', 'job_id');
  const id = rest.id ?? job_id;
  if (typeof id !== 'string')
    throw fault(
      id === undefined ? 'The job has no "id".' : `id: must be a text, but is ${shown(id)}.`,
      rest.id === undefined ? 'job_id' : 'id',
    );
  const given = ways.filter((way) => entry.value[way] !== undefined);
  if (given.length !== 1) throw unscheduled(entry, given);
  return {
    id,
    options: {
      ...rest,
      id,
      ...(schedule === undefined ? {} : timed(schedule, fault)),
      ...(description === undefined ? {} : described(description, rest.metadata, fault)),
    },
    enabled,
    entry,
  };
}

/** Where what an error says of an option stands. */
export function placeOfOption(option: string | undefined, entry: FileEntry): FilePlace {
  if (option === undefined) return entry.place;
  const top = option.split(/[.[]/)[0]!;
  if (top in entry.value) return entry.placeOf(top);
  if (top === 'id' && 'job_id' in entry.value) return entry.placeOf('job_id');
  if (ways.includes(top as never)) return entry.placeOf(ways.find((way) => way in entry.value) ?? top);
  if ((top === 'handler' || top === 'payload') && 'task' in entry.value) return entry.placeOf('task');
  return entry.place;
}

function unscheduled(entry: FileEntry, given: readonly string[]): FileFault {
  if (given.length > 1)
    return new FileFault(
      `The schedule is given ${given.length} times, as "${given.join('" and as "')}". Give one of them.`,
      entry.placeOf(given[1]!),
    );
  const near = Object.keys(entry.value).find((key) => meantOption(key, ways));
  if (near !== undefined)
    return new FileFault(
      `${near}: there is no such option. Did you mean "${meantOption(near, ways)}"?`,
      entry.placeOf(near),
    );
  return new FileFault(
    'The job has no schedule. Give "schedule" (a cron expression, or an ISO 8601 time), "cron", "every" or "at".',
    entry.place,
  );
}

/** An ISO 8601 time is once, an ISO 8601 duration a pace, and all else a cron expression. */
function timed(
  schedule: unknown,
  fault: (message: string, option: string) => FileFault,
): Readonly<Record<string, unknown>> {
  if (typeof schedule !== 'string')
    throw fault(
      `schedule: must be a cron expression or an ISO 8601 time, but is ${shown(schedule)}.`,
      'schedule',
    );
  const text = schedule.trim();
  if (isoDate.test(text)) return { at: text };
  return isoDuration.test(text) ? { every: text } : { cron: text };
}

function described(
  description: unknown,
  metadata: unknown,
  fault: (message: string, option: string) => FileFault,
): { metadata: object } {
  if (typeof description !== 'string')
    throw fault(`description: must be a text, but is ${shown(description)}.`, 'description');
  if (metadata === undefined) return { metadata: { description } };
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
    throw fault(`metadata: must be an object, but is ${shown(metadata)}.`, 'metadata');
  if ('description' in metadata)
    throw fault(
      'The job has a "description", and another one in its metadata. Take one of them out.',
      'metadata',
    );
  return { metadata: { ...metadata, description } };
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
}
