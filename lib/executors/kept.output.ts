/** How much of the begin, and of the end, of an output is kept: so much of each. */
export const keptBytes = 32 * 1_024;

/** The begin and the end of what a program writes, and how much it was; what lies between is not kept. */
export class KeptOutput {
  bytes = 0;
  private head: Buffer[] = [];
  private headSize = 0;
  private tail: Buffer[] = [];
  private tailSize = 0;

  add(chunk: Buffer): void {
    this.bytes += chunk.length;
    const first = chunk.subarray(0, keptBytes - this.headSize);
    if (first.length > 0) {
      this.head.push(first);
      this.headSize += first.length;
    }
    const rest = chunk.subarray(first.length);
    if (rest.length === 0) return;
    this.tail.push(rest);
    this.tailSize += rest.length;
    while (this.tailSize - this.tail[0]!.length >= keptBytes) this.tailSize -= this.tail.shift()!.length;
  }

  /** As text, with at most so many bytes of the begin, and of the end, and between them how many are left out. */
  text(most = keptBytes): string {
    const head = Buffer.concat(this.head);
    const tail = Buffer.concat(this.tail);
    // Without a gap it is one text, in which no letter is cut.
    const whole = this.headSize + this.tailSize === this.bytes ? Buffer.concat([head, tail]) : null;
    if (whole !== null && whole.length <= 2 * most) return textOf(whole);
    const from = whole ?? head;
    const to = whole ?? tail;
    const first = from.subarray(0, beginOfLetter(from, Math.min(most, from.length)));
    const last = to.subarray(nextLetter(to, Math.max(0, to.length - most)));
    const omitted = this.bytes - first.length - last.length;
    return `${textOf(first)}\n… ${omitted} bytes are left out …\n${textOf(last)}`;
  }
}

/** Storages take no NUL in a text. */
function textOf(bytes: Buffer): string {
  return bytes.toString('utf8').replaceAll('\0', '\uFFFD');
}

const longestLetter = 4;

function isWithinLetter(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** Where the letter begins that is at this place in UTF-8; what is none is cut anywhere. */
function beginOfLetter(bytes: Buffer, at: number): number {
  for (let back = 0; back < longestLetter && back <= at; back++) {
    if (!isWithinLetter(bytes[at - back])) return at - back;
  }
  return at;
}

function nextLetter(bytes: Buffer, at: number): number {
  for (let on = 0; on < longestLetter; on++) {
    if (!isWithinLetter(bytes[at + on])) return at + on;
  }
  return at;
}
