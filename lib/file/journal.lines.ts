import { crc32 } from 'node:zlib';
import type { Change } from '../journal/change.js';

/** One write: its number, and what it changes. */
export interface JournalLine {
  n: number;
  /** The id of the document that it follows; only of the first one after that. */
  of?: string | undefined;
  changes: Change[];
}

export interface JournalLines {
  lines: JournalLine[];
  /** How long they are: what comes behind is the rest of a write that did not come to its end. */
  length: number;
}

const sumLength = 8;
const newline = 0x0a;

export function lineOf(line: JournalLine): Buffer {
  const text = JSON.stringify(line);
  return Buffer.from(`${sumOf(Buffer.from(text))} ${text}\n`);
}

/** Throws RangeError where something is wrong before the end, which no crash can have done. */
export function linesIn(content: Buffer): JournalLines {
  const lines: JournalLine[] = [];
  let length = 0;
  let bad = 0;
  for (let start = 0, nth = 1; start < content.length; nth++) {
    const end = content.indexOf(newline, start);
    const line = end < 0 ? null : read(content.subarray(start, end));
    if (line === null) bad ||= nth;
    else if (bad > 0) throw new RangeError(`is damaged in line ${bad}`);
    else {
      lines.push(line);
      length = end + 1;
    }
    if (end < 0) break;
    start = end + 1;
  }
  return { lines, length };
}

/** Null: it is not whole. */
function read(line: Buffer): JournalLine | null {
  const text = line.subarray(sumLength + 1);
  if (line.subarray(0, sumLength).toString('latin1') !== sumOf(text)) return null;
  return JSON.parse(text.toString('utf8')) as JournalLine;
}

function sumOf(text: Buffer): string {
  return crc32(text).toString(16).padStart(sumLength, '0');
}
