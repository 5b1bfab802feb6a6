import type { JobRef } from '../index.js';
import type { FileError } from './job.file.js';

/** A job of a file. @publicApi */
export interface FileJobStatus extends JobRef {
  /**
   * `declared` · `disabled`: the file says `enabled: false` · `taken`: the id belongs to another job, so it is not stored · `outranked`: another process declares it otherwise, which appeared later, and that
   * holds.
   */
  state: 'declared' | 'disabled' | 'taken' | 'outranked';
}

/** A file of the folder. @publicApi */
export interface JobFileStatus {
  /** Its name in the folder. */
  file: string;
  /** What is in force of it: what it says, or, with an error, what it said last that was in order. */
  jobs: FileJobStatus[];
  /** What is wrong with what it says now, where, and since when; null: nothing. */
  error: FileError | null;
}

/** How a folder of job files is. @publicApi */
export interface JobFilesStatus {
  directory: string;
  /** Whether it is looked at: this process runs jobs. */
  watching: boolean;
  /** Why the folder cannot be read, or is not believed, and since when: what is declared stays. null: all is well with it. */
  problem: { message: string; since: Date } | null;
  /** By name. */
  files: JobFileStatus[];
}
