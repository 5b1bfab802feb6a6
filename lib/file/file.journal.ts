import {
  closeSync,
  existsSync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { apply, noRows, type Change, type StoredTables } from '../journal/change.js';
import { MaybeStoredError, type Batch, type Journal } from '../journal/journal.js';
import { HeldFile } from '../journal/held.file.js';
import { LockFile } from '../journal/lock.file.js';
import { assertOneName, real } from '../journal/real.path.js';
import { readUnchanged } from '../journal/unchanged.files.js';
import { StorageDamagedError, StorageError, StorageInUseError } from '../model/errors.js';
import { disk, type Disk } from './file.disk.js';
import { documentOf, rowsOf, type DocumentHead } from './file.document.js';
import type { FileFormat } from './file.formats.js';
import { contentOf, modeOf, ownMode, removeTemporaries, discard, temporaryName } from './file.names.js';
import { linesIn, lineOf, type JournalLines } from './journal.lines.js';
import { Lineage } from './lineage.js';

/** Bytes. A journal that is shorter is not written into the document, however short that is. */
const defaultShortest = 4 * 1_048_576;
/** By how much the journal grows before a document that cannot be written is tried again. */
const patience = 1.125;

/**
 * A document that people can read, and a journal of what has changed since, one line for each write. The document is written anew when the journal has become longer than it is, and at the end; it says up to
 * which write it has everything, so that it does not matter what of the journal is still there.
 *
 * Another process takes over what was silent for long, and that may go on where it stood: in the middle of a write. So each write asks for the lock before it and after it; the next owner has a journal that is another file, and takes away
 * documents that are still to be put in place, which is done after one more look at the lock.
 */
export class FileJournal implements Journal {
  /** Why some of it may be missing; null: nothing says so. */
  doubt: string | null = null;
  private readonly lock: LockFile;
  private readonly lineage = new Lineage();
  private path: string;
  private journal: number | null = null;
  /** How much of the journal is known to be good. */
  private length = 0;
  /** The number of the last write. */
  private last = 0;
  private documentLength = 0;
  /** From which length of the journal on a document that could not be written is tried again. */
  private triedUntil = 0;
  /** Of the last write, for the end; null: that has failed, so it is more than the disk has. */
  private everything: (() => Iterable<Change>) | null = null;
  private looks = false;

  constructor(
    path: string,
    private readonly format: FileFormat,
    private readonly on: Disk = disk,
    private readonly shortest = defaultShortest,
  ) {
    this.path = real(path);
    this.lock = new LockFile(`${this.path}.lock`);
  }

  onlyLook(): void {
    this.looks = true;
  }

  async open(): Promise<StoredTables> {
    if (this.looks) return this.look();
    this.lock.acquire(this.path);
    try {
      assertOneName(this.path, [this.path, this.journalPath]);
      removeTemporaries(this.path);
      const isNew = statSync(this.journalPath, { throwIfNoEntry: false }) === undefined;
      this.journal = openSync(this.journalPath, isNew ? 'wx+' : 'r+', ownMode);
      const stored = this.read();
      if (isNew) this.doubtWithoutJournal();
      if (this.lock.isFromSilent) await this.replaceJournal(this.journal);
      else if (isNew) await this.on.syncFolder(dirname(this.path));
      return stored;
    } catch (cause) {
      if (cause instanceof StorageError) throw cause;
      throw new StorageError(`${this.path} cannot be opened: ${(cause as Error).message}`, { cause });
    }
  }

  async write({ changes, everything }: Batch): Promise<void> {
    if (this.looks) return;
    this.everything = null;
    const n = this.last + 1;
    const line = lineOf({ n, of: this.lineage.namedBy(n), changes: [...changes] });
    const isLong = this.length > Math.max(this.shortest, this.documentLength, this.triedUntil);
    const found = isLong ? await this.rewrite(everything(), n) : 'nothing';
    // It has the number of the document: whatever became of that, it counts once.
    if (found !== 'document') await this.append(line, found);
    this.assertStillHeld();
    this.last = n;
    this.everything = everything;
  }

  recover(): StoredTables {
    this.lock.assertHeld(this.path);
    ftruncateSync(this.journal!, this.length);
    fdatasyncSync(this.journal!);
    return this.read();
  }

  async close(): Promise<void> {
    const { journal, everything } = this;
    if (journal === null) return this.lock.release();
    try {
      // Everything is in the journal already: without room for the document it stays there.
      if (everything !== null && this.length > 0 && this.lock.isHeld)
        await this.rewrite(everything(), this.last).catch(() => undefined);
    } finally {
      this.journal = null;
      this.everything = null;
      closeSync(journal);
      this.lock.release();
    }
  }

  private look(): StoredTables {
    try {
      const stored = readUnchanged([this.path, this.journalPath], () => this.read());
      if (!existsSync(this.journalPath)) this.doubtWithoutJournal();
      return stored;
    } catch (cause) {
      if (cause instanceof StorageError) throw cause;
      throw new StorageError(`${this.path} cannot be looked at: ${(cause as Error).message}`, { cause });
    }
  }

  private get journalPath(): string {
    return `${this.path}.journal`;
  }

  private async append(line: Buffer, found: 'nothing' | 'perhaps'): Promise<void> {
    try {
      this.lock.assertHeld(this.path);
      new HeldFile(this.journalPath, this.journal!).assertInPlace();
      await this.on.write(this.journal!, line, this.length);
      await this.on.sync(this.journal!);
    } catch (cause) {
      throw found === 'perhaps' ? new MaybeStoredError(cause) : cause;
    }
    this.length += line.length;
    this.lineage.append(line);
  }

  /** Whoever has taken it over may have read it before this write, or after it. */
  private assertStillHeld(): void {
    try {
      this.lock.assertHeld(this.path);
    } catch (cause) {
      throw new MaybeStoredError(cause);
    }
  }

  /** The document in a file of its own, which takes the place of the other one in one step. Resolves with what is found after a crash: it, nothing of it, or nobody can say. */
  private async rewrite(
    everything: Iterable<Change>,
    upTo: number,
  ): Promise<'document' | 'nothing' | 'perhaps'> {
    const temporary = temporaryName(this.path);
    let found: 'nothing' | 'perhaps' = 'nothing';
    try {
      const head = this.lineage.headOf(upTo);
      const data = Buffer.from(this.format.write(documentOf(everything, head)));
      await this.put(temporary, data);
      this.lock.assertHeld(this.path);
      found = 'perhaps';
      this.lineage.follow(head);
      await this.on.rename(temporary, this.path);
      await this.on.syncFolder(dirname(this.path));
      this.documentLength = data.length;
    } catch (error) {
      discard(temporary);
      if (error instanceof StorageInUseError) throw error;
      this.triedUntil = this.length * patience;
      return found;
    }
    this.triedUntil = 0;
    await this.emptyJournal();
    return 'document';
  }

  private async put(path: string, data: Buffer): Promise<void> {
    const file = await this.on.open(path, 'wx', modeOf(this.path));
    try {
      await this.on.write(file, data, 0);
      await this.on.sync(file);
    } finally {
      await this.on.close(file);
    }
  }

  private async emptyJournal(): Promise<void> {
    try {
      await this.on.truncate(this.journal!, 0);
      this.length = 0;
      this.lineage.empty();
      await this.on.sync(this.journal!);
    } catch {
      // The document has all of its lines, so they are passed over.
    }
  }

  /** The same in another file: whoever had this one may still write to it. */
  private async replaceJournal(former: number): Promise<void> {
    const temporary = temporaryName(this.journalPath);
    await this.put(temporary, contentOf(this.journalPath) ?? Buffer.alloc(0));
    this.journal = openSync(temporary, 'r+');
    closeSync(former);
    await this.on.rename(temporary, this.journalPath);
    await this.on.syncFolder(dirname(this.path));
  }

  /** Throws StorageDamagedError. */
  private read(): StoredTables {
    const { head, rows } = this.readDocument();
    const { upTo } = head;
    const { lines, length, content } = this.readJournal();
    this.last = upTo;
    if (!this.lineage.begin(head, lines, content))
      throw this.damage(
        `and ${this.journalPath} do not belong together: the journal was begun beside another document. Put back both from one copy; or move the journal away, and go on with what is in the document alone: what only the journal has is lost then.`,
      );
    for (const { n, changes } of lines) {
      if (n <= upTo) continue;
      if (n !== this.last + 1)
        throw this.damage(
          `and ${this.journalPath} do not belong together: the one ends with the write ${this.last}, the other goes on with ${n}. Put back both from one copy.`,
        );
      apply(rows, changes);
      this.last = n;
    }
    this.length = length;
    return rows;
  }

  private readDocument(): { head: DocumentHead; rows: StoredTables } {
    const text = contentOf(this.path)?.toString('utf8') ?? '';
    this.documentLength = text.length;
    if (text.trim() === '') return { head: { upTo: 0 }, rows: noRows() };
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

  /** What a crash has left of the last write is cut off, and kept in a file of its own; who only looks passes it over. */
  private readJournal(): JournalLines & { content: Buffer } {
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
    if (found.length < content.length && !this.looks) {
      writeFileSync(`${this.journalPath}.cut`, content.subarray(found.length), { mode: ownMode });
      ftruncateSync(this.journal!, found.length);
      fdatasyncSync(this.journal!);
    }
    return { ...found, content: content.subarray(0, found.length) };
  }

  /** Whoever has written the document has had a journal beside it. */
  private doubtWithoutJournal(): void {
    if (this.last === 0) return;
    this.doubt = `${this.journalPath} is not there. It is left beside ${this.path} also by a clean end, which empties it. After such an end nothing is missing; else what was acknowledged since the document was written is lost. If the journal is still somewhere, end this process, and put back both from one copy.`;
  }

  private damage(problem: string, cause?: unknown): StorageDamagedError {
    return new StorageDamagedError(this.path, problem, { cause });
  }
}
