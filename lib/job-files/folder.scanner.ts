import { createHash } from 'node:crypto';
import { constants, type BigIntStats } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isJobFile } from './file.names.js';
import { FileFault } from './file.fault.js';
import { maxFileBytes } from './file.text.js';

/** What has not changed for so long is whole, as far as anybody can tell. */
export const quietMs = 150;
/** Some file systems note times no finer than this: what is younger may change again without another time. */
const coarseMs = 2_000;
/** A folder that is written all the time would never be read at once. */
const mostTakenBack = 5;
const atATime = 32;
/** A pipe is not waited for until somebody writes to it. */
const readable = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** A file that has new content. */
export interface ReadFile {
  name: string;
  /** Or what is wrong with it. */
  content: Uint8Array | FileFault;
  /** When it was changed. */
  changedAtMs: number;
}

/** What a look at the folder came to. */
export interface Look {
  /** Why it cannot be read; null: it can. */
  problem: string | null;
  changed: readonly ReadFile[];
  gone: readonly string[];
  /** How many files are about to change; they are settled by the next look. */
  unsettled: number;
  /** How many are about to go: others may have their jobs already. */
  leaving: number;
  /** It is empty, and may not be for long. */
  isDoubtful: boolean;
}

interface KnownFile {
  stamp: string;
  hash: string;
  /** Its time does not tell yet whether it changes again. */
  isYoung: boolean;
}

/** What tells one state of a file from another one. */
interface Stamp {
  stamp: string;
  changedAtMs: number;
  isFile: boolean;
  size: number;
  /** Why there is none. */
  fault: FileFault | null;
}

/** What it works with. */
export interface ScannerParts {
  directory: string;
  emptyGraceMs: number;
  monotonic: () => number;
}

/**
 * Looks at a folder, again and again, and tells what has changed since the last time. It trusts neither notifications nor times alone: a file is read when its state has been the same for `quietMs`, and what was read counts only
 * if the folder is still the same afterwards. So what is half-written, renamed to and fro or exchanged as a whole is seen before or after, and not in between.
 */
export class FolderScanner {
  private readonly known = new Map<string, KnownFile>();
  /** States that were seen, and since when. */
  private seen = new Map<string, { stamp: string; since: number }>();
  private emptySince: number | null = null;
  private takenBack = 0;

  constructor(private readonly parts: ScannerParts) {}

  async look(): Promise<Look> {
    const { directory, emptyGraceMs, monotonic } = this.parts;
    const nothing = { problem: null, changed: [], gone: [], unsettled: 0, leaving: 0, isDoubtful: false };
    let stamps: Map<string, Stamp>;
    try {
      stamps = await this.stamps();
    } catch (error) {
      this.seen.clear();
      this.emptySince = null;
      return { ...nothing, problem: `The folder ${directory} cannot be read: ${(error as Error).message}` };
    }
    if (stamps.size > 0) this.emptySince = null;
    else if (monotonic() - (this.emptySince ??= monotonic()) < emptyGraceMs) {
      // What is missing when it has files again has been so since then.
      this.seen.clear();
      return { ...nothing, isDoubtful: true };
    }
    const due = [...stamps].filter(([name, state]) => this.isDue(name, state));
    const missing = [...this.known.keys()].filter((name) => !stamps.has(name));
    const gone = missing.filter((name) => this.isQuiet(name, 'gone'));
    const leaving = missing.length - gone.length;
    const unsettled = stamps.size - due.length - this.settledAmong(stamps);
    const read = await inTurns(due, ([name, state]) => this.read(name, state));
    const isChanged = read.some(({ file }) => file !== null) || gone.length > 0;
    if (isChanged && (await this.hasMoved(stamps)) && ++this.takenBack <= mostTakenBack)
      return { ...nothing, unsettled: unsettled + due.length, leaving: missing.length };
    this.takenBack = 0;
    for (const name of gone) this.known.delete(name);
    for (const { name, known } of read) this.known.set(name, known);
    // What was seen of files that are settled says nothing about their next state.
    for (const name of [...gone, ...read.map(({ name: settled }) => settled)]) this.seen.delete(name);
    return { ...nothing, changed: read.flatMap(({ file }) => file ?? []), gone, unsettled, leaving };
  }

  /** The next look takes it for changed. */
  readAgain(name: string): void {
    this.known.delete(name);
  }

  private settledAmong(stamps: ReadonlyMap<string, Stamp>): number {
    return [...stamps].filter(([name, { stamp }]) => {
      const known = this.known.get(name);
      return known?.stamp === stamp && !known.isYoung;
    }).length;
  }

  private async stamps(): Promise<Map<string, Stamp>> {
    const names = (await readdir(this.parts.directory)).filter(isJobFile);
    const stamps = await inTurns(names, async (name) => [name, await this.stampOf(name)] as const);
    return new Map(stamps);
  }

  /** Follows links. */
  protected stat(path: string): Promise<BigIntStats> {
    return stat(path, { bigint: true });
  }

  private async stampOf(name: string): Promise<Stamp> {
    try {
      const found = await this.stat(join(this.parts.directory, name));
      const { dev, ino, size, mtimeNs, ctimeNs } = found;
      const changedAtMs = Number((mtimeNs > ctimeNs ? mtimeNs : ctimeNs) / 1_000_000n);
      const isFile = found.isFile();
      const stamp = [dev, ino, size, mtimeNs, ctimeNs].join();
      const fault = isFile ? null : noFile();
      return { stamp, changedAtMs, isFile, size: Number(size), fault };
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      const words = code === 'ENOENT' ? 'It is a link that leads nowhere' : message;
      const fault = new FileFault(`${words}.`, undefined, { cause });
      return { stamp: `none: ${code}`, changedAtMs: 0, isFile: false, size: 0, fault };
    }
  }

  /** Whether it is to be read now. */
  private isDue(name: string, { stamp, changedAtMs, fault }: Stamp): boolean {
    const known = this.known.get(name);
    if (known?.stamp === stamp && !known.isYoung) {
      this.seen.delete(name);
      return false;
    }
    const age = Date.now() - changedAtMs;
    const isOld = known === undefined && fault === null && age > quietMs;
    return known?.stamp === stamp || isOld || this.isQuiet(name, stamp);
  }

  private isQuiet(name: string, stamp: string): boolean {
    const now = this.parts.monotonic();
    const seen = this.seen.get(name);
    if (seen?.stamp === stamp) return now - seen.since >= quietMs;
    this.seen.set(name, { stamp, since: now });
    return false;
  }

  /** `file` null: its content is the same as before. */
  private async read(
    name: string,
    state: Stamp,
  ): Promise<{ name: string; known: KnownFile; file: ReadFile | null }> {
    const { stamp, changedAtMs, fault } = state;
    const content = fault ?? (await contentOf(join(this.parts.directory, name), state.size));
    const hash = createHash('sha256')
      .update(content instanceof FileFault ? `fault: ${content.message}` : content)
      .digest('hex');
    const isYoung = fault === null && Date.now() - changedAtMs < coarseMs;
    const isSame = this.known.get(name)?.hash === hash;
    return { name, known: { stamp, hash, isYoung }, file: isSame ? null : { name, content, changedAtMs } };
  }

  /** Whether the folder is another one than a moment ago. */
  private async hasMoved(before: ReadonlyMap<string, Stamp>): Promise<boolean> {
    try {
      const after = await this.stamps();
      if (after.size !== before.size) return true;
      return [...after].some(([name, { stamp }]) => before.get(name)?.stamp !== stamp);
    } catch {
      return true;
    }
  }
}

function noFile(): FileFault {
  return new FileFault('It is no file, though it is called like one.');
}

async function contentOf(path: string, size: number): Promise<Uint8Array | FileFault> {
  if (size > maxFileBytes)
    return new FileFault(`The file has ${size} bytes. At most ${maxFileBytes} are read.`);
  try {
    const file = await open(path, readable);
    try {
      // It may be another one than that which was looked at.
      if (!(await file.stat()).isFile()) return noFile();
      const chunks: Buffer[] = [];
      const bytes = file.createReadStream({ end: maxFileBytes, autoClose: false });
      for await (const chunk of bytes) chunks.push(chunk as Buffer);
      const content = Buffer.concat(chunks);
      return content.length > maxFileBytes
        ? new FileFault(`The file has more than ${maxFileBytes} bytes, which are the most that are read.`)
        : content;
    } finally {
      await file.close();
    }
  } catch (cause) {
    return new FileFault(`It cannot be read: ${(cause as Error).message}.`, undefined, { cause });
  }
}

/** Not all at once: a folder may have very many files. */
async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let from = 0; from < items.length; from += atATime)
    results.push(...(await Promise.all(items.slice(from, from + atATime).map(work))));
  return results;
}
