import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { DocumentHead } from './file.document.js';
import type { JournalLine } from './journal.lines.js';

/**
 * Tells whether a document and a journal belong together: numbers of writes fit between different histories as well.
 *
 * Each document that is written has an id, which the first line that is written after it names. And it says what the journal was that it was made from, by length and checksum: after a crash, or
 * where the journal could not be emptied, that is still there.
 */
export class Lineage {
  /** The one that the next line follows, if no other has come in between. */
  private document = { id: randomUUID() as string, upTo: 0 };
  /** Of the journal: bytes, and their checksum. */
  private length = 0;
  private sum = 0;

  /** What was read; false: they do not belong together. A document of a release that gave none an id goes with any journal. */
  begin(head: DocumentHead, lines: readonly JournalLine[], journal: Buffer): boolean {
    const { documentId, upTo } = head;
    this.document = { id: documentId ?? randomUUID(), upTo };
    this.length = journal.length;
    this.sum = crc32(journal);
    if (documentId === undefined || lines.length === 0) return true;
    const next = lines.find(({ n }) => n === upTo + 1);
    return (
      (lines[0]!.of === documentId || isMadeFrom(head, journal)) &&
      (next === undefined || next.of === documentId)
    );
  }

  /** What the line of this write names. */
  namedBy(n: number): string | undefined {
    return n === this.document.upTo + 1 ? this.document.id : undefined;
  }

  /** The journal has become longer. */
  append(line: Buffer): void {
    this.length += line.length;
    this.sum = crc32(line, this.sum);
  }

  empty(): void {
    this.length = 0;
    this.sum = 0;
  }

  /** Of a document that is about to be written. */
  headOf(upTo: number): DocumentHead {
    return { upTo, documentId: randomUUID(), fromJournal: textOf(this.length, this.sum) };
  }

  /** It is in place, or may be. */
  follow({ documentId, upTo }: DocumentHead): void {
    this.document = { id: documentId!, upTo };
  }
}

function isMadeFrom({ fromJournal }: DocumentHead, journal: Buffer): boolean {
  const length = Number.parseInt(fromJournal ?? '', 10);
  return length <= journal.length && fromJournal === textOf(length, crc32(journal.subarray(0, length)));
}

function textOf(length: number, sum: number): string {
  return `${length} bytes, crc32 ${sum.toString(16).padStart(8, '0')}`;
}
