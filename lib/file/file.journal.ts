import {
  closeSync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { apply, noRows, type Change, type StoredTables } from '../journal/change.js';
import type { Batch, Journal } from '../journal/journal.js';
import { LockFile } from '../journal/lock.file.js';
import { StorageDamagedError, StorageError } from '../model/errors.js';
import { disk, type Disk } from './file.disk.js';
import { documentOf, rowsOf } from './file.document.js';
import type { FileFormat } from './file.formats.js';
import { linesIn, lineOf, type JournalLines } from './journal.lines.js';

/** Bytes. A journal that is shorter is not written into the document, however short that is. */
const defaultShortest = 4 * 1_048_576;
/** Nobody else on the machine reads what jobs are given, unless the owner of the file has said so. */
const ownMode = 0o600;

/**
 * A document that people can read, and a journal of what has changed since, one line for each write. The document is written anew when the journal has become longer than it is, and at the end; it says up to
 * which write it has everything, so that it does not matter what of the journal is still there.
 */
export class FileJournal implements Journal {
  private readonly lock: LockFile;
  private path: string;
  private journal: number | null = null;
  /** How much of the journal is known to be good. */
  private length = 0;
  /** The number of the last write. */
  private last = 0;
  private documentLength = 0;
  /** The latest `everything` of a write, for the end. */
  private everything: (() => Iterable<Change>) | null = null;

  constructor(
    path: string,
    private readonly format: FileFormat,
    private readonly on: Disk = disk,
    private readonly shortest = defaultShortest,
  ) {
    this.path = real(path);
    this.lock = new LockFile(`${this.path}.lock`);
  }

  async open(): Promise<StoredTables> {
    this.lock.acquire(this.path);
    try {
      this.journal = openSync(this.journalPath, openFlags(this.journalPath), ownMode);
      this.length = statSync(this.journalPath).size;
      return this.read();
    } catch (cause) {
      if (cause instanceof StorageError) throw cause;
      throw new StorageError(`${this.path} cannot be opened: ${(cause as Error).message}`, { cause });
    }
  }

  async write({ changes, everything }: Batch): Promise<void> {
    this.lock.assertHeld(this.path);
    this.everything = everything;
    if (this.length > Math.max(this.shortest, this.documentLength)) return this.rewrite(everything());
    const line = lineOf({ n: this.last + 1, changes: [...changes] });
    await this.on.write(this.journal!, line, this.length);
    await this.on.sync(this.journal!);
    this.length += line.length;
    this.last++;
  }

  recover(): StoredTables {
    rmSync(this.temporaryPath, { force: true });
    ftruncateSync(this.journal!, this.length);
    fdatasyncSync(this.journal!);
    return this.read();
  }

  async close(): Promise<void> {
    const { journal, everything } = this;
    if (journal === null) return this.lock.release();
    try {
      // Everything is in the journal already: without room for the document it stays there.
      if (everything !== null && this.length > 0) await this.rewrite(everything()).catch(() => undefined);
    } finally {
      this.journal = null;
      closeSync(journal);
      this.lock.release();
    }
  }

  private get journalPath(): string {
    return `${this.path}.journal`;
  }

  private get temporaryPath(): string {
    return `${this.path}.tmp`;
  }

  /** The document in a file of its own, which takes the place of the other one in one step. */
  private async rewrite(everything: Iterable<Change>): Promise<void> {
    const upTo = this.last + 1;
    const data = Buffer.from(this.format.write(documentOf(everything, upTo)));
    rmSync(this.temporaryPath, { force: true });
    const file = await this.on.open(this.temporaryPath, 'wx', modeOf(this.path));
    try {
      await this.on.write(file, data, 0);
      await this.on.sync(file);
    } finally {
      await this.on.close(file);
    }
    await this.on.rename(this.temporaryPath, this.path);
    await this.on.syncFolder(dirname(this.path));
    this.last = upTo;
    this.documentLength = data.length;
    await this.on.truncate(this.journal!, 0);
    await this.on.sync(this.journal!);
    this.length = 0;
  }

  /** Throws StorageDamagedError. */
  private read(): StoredTables {
    const { upTo, rows } = this.readDocument();
    const { lines, length } = this.readJournal();
    this.last = upTo;
    for (const { n, changes } of lines) {
      if (n <= upTo) continue;
      if (n !== this.last + 1)
        throw this.damage(
          `${this.path} and ${this.journalPath} do not belong together: the one ends with the write ${this.last}, the other goes on with ${n}. Put back both from one copy.`,
        );
      apply(rows, changes);
      this.last = n;
    }
    this.length = length;
    return rows;
  }

  private readDocument(): { upTo: number; rows: StoredTables } {
    const text = contentOf(this.path)?.toString('utf8') ?? '';
    this.documentLength = text.length;
    if (text.trim() === '') return { upTo: 0, rows: noRows() };
    try {
      return rowsOf(this.format.read(text));
    } catch (cause) {
      const { message } = cause as Error;
      throw this.damage(
        `cannot be read: ${message}. It was left as it is, with ${this.journalPath}; mend it, or put back a copy of both.`,
        cause,
      );
    }
  }

  /** What a crash has left of the last write is cut off, and kept in a file of its own. */
  private readJournal(): JournalLines {
    const content = contentOf(this.journalPath) ?? Buffer.alloc(0);
    let found: JournalLines;
    try {
      found = linesIn(content);
    } catch (cause) {
      throw this.damage(
        `cannot be read, as its journal ${this.journalPath} ${(cause as Error).message}. Both were left as they are; put back a copy of both.`,
        cause,
      );
    }
    if (found.length < content.length) {
      writeFileSync(`${this.journalPath}.cut`, content.subarray(found.length), { mode: ownMode });
      ftruncateSync(this.journal!, found.length);
      fdatasyncSync(this.journal!);
    }
    return found;
  }

  private damage(problem: string, cause?: unknown): StorageDamagedError {
    return new StorageDamagedError(this.path, problem, { cause });
  }
}

/** What a link leads to, as the file is to be replaced there. */
function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function openFlags(path: string): 'r+' | 'wx+' {
  return statSync(path, { throwIfNoEntry: false }) ? 'r+' : 'wx+';
}

function modeOf(path: string): number {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode;
  return mode === undefined ? ownMode : mode & 0o777;
}

function contentOf(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
