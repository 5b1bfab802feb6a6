import { mostLogBytes, mostLogLines } from '../model/run.log.js';
import { lineOverhead } from '../ports/run.logs.js';
import type { MeasuredLine } from './log.line.js';

/** Lines that wait to be written: where there are too many, the first and the last of them, and how many are missing between. */
export class BoundedLines {
  private first: MeasuredLine[] = [];
  private last: MeasuredLine[] = [];
  private firstBytes = 0;
  private lastBytes = 0;
  private dropped = 0;
  private isFirstFull = false;

  get isEmpty(): boolean {
    return this.first.length === 0;
  }

  add(line: MeasuredLine): void {
    const bytes = line.bytes + lineOverhead;
    this.isFirstFull ||= this.first.length >= mostLogLines / 2 || this.firstBytes + bytes > mostLogBytes / 2;
    if (!this.isFirstFull) {
      this.first.push(line);
      this.firstBytes += bytes;
      return;
    }
    this.last.push(line);
    this.lastBytes += bytes;
    while (this.last.length > mostLogLines / 2 || this.lastBytes > mostLogBytes / 2) {
      this.lastBytes -= this.last.shift()!.bytes + lineOverhead;
      this.dropped++;
    }
  }

  /** All of them, in their order; it is empty then. */
  take(): MeasuredLine[] {
    const { first, last, dropped } = this;
    if (dropped > 0) last[0]!.dropped = dropped;
    [this.first, this.last] = [[], []];
    [this.firstBytes, this.lastBytes, this.dropped] = [0, 0, 0];
    this.isFirstFull = false;
    return last.length === 0 ? first : [...first, ...last];
  }
}
