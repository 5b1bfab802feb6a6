import type { JobRef, ListedJob } from '../index.js';
import type { FileFault, FilePlace } from './file.fault.js';

/** A job of a file that is in order. */
export interface CheckedJob extends JobRef {
  /** `namespace/id`. */
  key: string;
  place: FilePlace;
  enabled: boolean;
  listed: ListedJob;
}

/** What is wrong with a file. */
export interface FileError extends FilePlace {
  message: string;
  since: Date;
}

/** A file of the folder, with what it last said that was in order. */
export class JobFile {
  /** null: it has not been in order yet. */
  good: readonly CheckedJob[] | null = null;
  error: FileError | null = null;
  /** What it says now, while it is not decided whether that counts. */
  private found: readonly CheckedJob[] | null = null;
  /** What is in order by itself, and yet does not count as long as another file has one of its ids. */
  private beaten: readonly CheckedJob[] | null = null;
  /** To be checked again, as nobody could tell, or what is missing may come. */
  recheck: { content: Uint8Array; dueAt: number } | null = null;

  /** Of two files that are new the older one comes first. */
  changedAtMs = 0;

  constructor(
    readonly name: string,
    private readonly now: () => number,
  ) {}

  get isNew(): boolean {
    return this.found !== null;
  }

  /** What it says, or said last. */
  get jobs(): readonly CheckedJob[] {
    return this.found ?? this.good ?? [];
  }

  /** Its content is in order by itself. */
  offer(jobs: readonly CheckedJob[]): void {
    this.found = jobs;
    this.beaten = null;
  }

  /** The other file may have gone. */
  offerAgain(): void {
    if (this.beaten !== null) this.offer(this.beaten);
  }

  /** Another file has one of its ids. */
  yieldTo(fault: FileFault): void {
    const beaten = this.found;
    this.refuse(fault);
    this.beaten = beaten;
  }

  /** It stays as it was. */
  refuse({ message, place }: FileFault): void {
    this.found = null;
    this.beaten = null;
    const { line, column } = place;
    const isSame = this.error?.message === message && this.error.line === line;
    const since = isSame ? this.error!.since : new Date(this.now());
    this.error = { message, line, column, since };
  }

  accept(): void {
    if (this.found === null) return;
    this.good = this.found;
    this.found = null;
    this.error = null;
  }
}
