import {
  ChronisError,
  DuplicateJobError,
  HandlerNotFoundError,
  InvalidPayloadError,
  StorageError,
  type ListDeclaration,
} from '../index.js';
import { jobOf, placeOfOption, type FileJob } from './entry.format.js';
import { FileFault, placeName } from './file.fault.js';
import { parseFile, type FileEntry } from './file.parser.js';
import { textOf } from './file.text.js';
import type { CheckedJob, JobFile } from './job.file.js';

/** A handler that is missing may come with another process, and a program by somebody who stores it. */
const lookForHandlerMs = 5_000;
const tryAgainMs = 1_000;

/** Which option an error is about that does not say so. */
const optionsOfErrors: Readonly<Record<string, string>> = {
  CHRONIS_HANDLER_NOT_FOUND: 'handler',
  CHRONIS_UNKNOWN_TASK: 'task',
  CHRONIS_INVALID_PAYLOAD: 'payload',
  CHRONIS_INVALID_SCHEDULE: 'schedule',
  CHRONIS_DUPLICATE_JOB: 'id',
  CHRONIS_INVALID_JOB_ID: 'id',
  CHRONIS_EMPTY_JOB_ID: 'id',
};

/** Tells whether the content of a file is in order by itself. */
export class FileChecker {
  constructor(
    private readonly declaration: Pick<ListDeclaration, 'read'>,
    private readonly monotonic: () => number,
  ) {}

  /** The file is offered what it says, or told what is wrong with it. */
  async check(file: JobFile, content: Uint8Array | FileFault): Promise<void> {
    file.recheck = null;
    try {
      if (content instanceof FileFault) throw content;
      const text = textOf(content);
      file.offer(await this.read(file.name, text));
    } catch (error) {
      const afterMs = patienceWith(error);
      if (afterMs !== null)
        file.recheck = { content: content as Uint8Array, dueAt: this.monotonic() + afterMs };
      // Nobody can tell yet whether it is in order.
      if (error instanceof StorageError) return;
      file.refuse(error instanceof FileFault ? error : unexpected(error));
    }
  }

  /** Where it is time to. */
  async checkAgain(file: JobFile): Promise<void> {
    const { recheck } = file;
    if (recheck !== null && recheck.dueAt <= this.monotonic()) await this.check(file, recheck.content);
  }

  private async read(file: string, text: string): Promise<CheckedJob[]> {
    const checked: CheckedJob[] = [];
    const keys = new Map<string, CheckedJob>();
    for (const entry of parseFile(file, text)) {
      const job = await this.readJob(file, jobOf(entry));
      const other = keys.get(job.key);
      if (other !== undefined)
        throw new FileFault(
          `The file has the job "${job.id}" twice, also in line ${other.place.line}. Give one of them another id.`,
          job.place,
        );
      keys.set(job.key, job);
      checked.push(job);
    }
    return checked;
  }

  private async readJob(file: string, { id, options, enabled, entry }: FileJob): Promise<CheckedJob> {
    const place = placeName(file, entry.place);
    try {
      const listed = await this.declaration.read(options, file, place);
      const { namespace } = listed;
      return { namespace, id, key: `${namespace}/${id}`, place: entry.place, enabled, listed };
    } catch (error) {
      if (error instanceof StorageError || !(error instanceof ChronisError)) throw error;
      const { option = optionsOfErrors[error.code], field } = error as ChronisError & {
        option?: string;
        field?: string | null;
      };
      const message = error.message.startsWith(`${place}: `)
        ? error.message.slice(place.length + 2)
        : error.message;
      throw new FileFault(message, placeOfOption(isIn(entry, field) ? field : option, entry), {
        cause: error,
      });
    }
  }
}

/** After how long it may be in order without having changed; null: never. */
function patienceWith(error: unknown): number | null {
  if (error instanceof StorageError) return tryAgainMs;
  if (!(error instanceof FileFault)) return null;
  const { cause } = error;
  // The other folder may lose it.
  if (cause instanceof DuplicateJobError && cause.by === 'lists') return tryAgainMs;
  return isUnknown(cause) ? lookForHandlerMs : null;
}

function isUnknown(cause: unknown): boolean {
  return (
    cause instanceof HandlerNotFoundError ||
    // Schemas look at more than the text: whether a program is stored, for instance.
    cause instanceof InvalidPayloadError ||
    (cause instanceof ChronisError && cause.code === 'CHRONIS_UNKNOWN_TASK')
  );
}

function unexpected(cause: unknown): FileFault {
  return new FileFault(cause instanceof Error ? cause.message : String(cause), undefined, { cause });
}

/** Whether an error about times is about an option of this name, such as "lateAfter", and not about a part of a schedule. */
function isIn({ value }: FileEntry, field: string | null | undefined): field is string {
  return typeof field === 'string' && field in value;
}
