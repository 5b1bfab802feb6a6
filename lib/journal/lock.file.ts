import {
  closeSync,
  existsSync,
  fstatSync,
  futimesSync,
  openSync,
  linkSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { StorageError, StorageInUseError } from '../model/errors.js';
import { holderIn, isOfHere, thisProcess } from '../processes/lock.holder.js';
import { isAlive } from '../processes/process.table.js';

/** How often the holder shows that it is there, for those that cannot see its process. */
const beatMs = 5_000;
/** For how long it may have been silent. */
const silenceMs = 20_000;
/** Others that take over what a dead process has left, at the same moment. */
const mostTries = 100;

/** A file that is there as long as one process has what is beside it. */
export class LockFile {
  private beat: NodeJS.Timeout | null = null;
  /** Kept open, so that no other file can get the number by which it is known. */
  private file: number | null = null;
  private fromSilent = false;

  constructor(private readonly path: string) {}

  /** Throws StorageInUseError; takes over what a dead process has left. `what`: the file that it is about. */
  acquire(what: string): void {
    const own = `${this.path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
    this.fromSilent = false;
    try {
      this.file = openSync(own, 'wx+', 0o600);
      writeFileSync(this.file, `${JSON.stringify(thisProcess())}\n`);
      for (let tries = 0; !linked(own, this.path); tries++) {
        if (tries > mostTries) {
          const problem = `cannot be had: other processes take ${this.path} at this moment, or it is a link to nothing. Try again, or delete that file.`;
          throw new StorageInUseError(what, problem);
        }
        const text = textOf(this.path, what);
        if (text === null) continue;
        const claim = claimOf(text, this.path);
        if (typeof claim === 'string') throw new StorageInUseError(what, claim);
        this.fromSilent ||= claim.isSilent;
        this.remove(text, own);
      }
    } catch (cause) {
      this.closeFile();
      if (cause instanceof StorageInUseError) throw cause;
      if (!existsSync(dirname(this.path)))
        throw new StorageError(`${what}: there is no folder ${dirname(this.path)}. Make it first.`, {
          cause,
        });
      throw new StorageError(`${what} cannot be locked: ${(cause as Error).message}`, { cause });
    } finally {
      rmSync(own, { force: true });
    }
    this.beat = setInterval(() => this.touch(), beatMs).unref();
  }

  /** Throws StorageInUseError where the lock is somebody else's by now, as it can be after this machine has stood still. */
  assertHeld(what: string): void {
    if (this.isHeld) return;
    throw new StorageInUseError(
      what,
      `was taken from this process: its lock ${this.path} is not there any more, or somebody else's. Start the process again.`,
    );
  }

  /** Whether it was taken from a process that nobody here can see: it may live, and not know yet. */
  get isFromSilent(): boolean {
    return this.fromSilent;
  }

  release(): void {
    if (this.beat !== null) clearInterval(this.beat);
    this.beat = null;
    if (this.isHeld) rmSync(this.path, { force: true });
    this.closeFile();
  }

  private closeFile(): void {
    if (this.file !== null) closeSync(this.file);
    this.file = null;
  }

  get isHeld(): boolean {
    if (this.file === null) return false;
    return statSync(this.path, { throwIfNoEntry: false })?.ino === fstatSync(this.file).ino;
  }

  private touch(): void {
    const now = new Date();
    try {
      // Not by its name, which may be another one's lock by now.
      futimesSync(this.file!, now, now);
    } catch {
      // The next write tells that it is gone.
    }
  }

  /** Takes away the lock with this text. Of two that do so at once only one finds it; what the other finds is put back. */
  private remove(text: string, own: string): void {
    const aside = `${own}.old`;
    try {
      renameSync(this.path, aside);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    if (contentOf(aside) !== text) linked(aside, this.path);
    rmSync(aside, { force: true });
  }
}

/** Why the lock cannot be taken, or that it can: whoever had it is dead, or silent and out of sight. */
function claimOf(text: string, path: string): string | { isSilent: boolean } {
  const holder = holderIn(text);
  // Written in one piece, so it is none of ours.
  if (holder === null)
    return `is locked by ${path}, which says nothing of a process. Delete that file if no process uses it.`;
  const { pid, host } = holder;
  const name = `the process ${pid} on ${host}`;
  const isHere = isOfHere(holder);
  if (isHere && !isAlive({ pid, startedAt: holder.startTime })) return { isSilent: false };
  if (isHere)
    return `is in use by ${name}: one process can have it at a time. Stop that process, or use a storage for several, typeOrmStorage().`;
  const silent = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  if (silent > silenceMs) return { isSilent: true };
  return `is in use by ${name}, in another container or on another machine, which has shown itself ${Math.round(silent / 1_000)} seconds ago. If it is dead, try again in ${silenceMs / 1_000} seconds.`;
}

/** Null: it is gone. Throws StorageInUseError where it is there and cannot be read. */
function textOf(path: string, what: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    const problem = `is locked by ${path}, which cannot be read: ${message}. Delete that file if no process uses it.`;
    throw new StorageInUseError(what, problem);
  }
}

function contentOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** False: there is one. */
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
