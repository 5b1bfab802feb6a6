import { close, fdatasync, fsync, ftruncate, open, rename, write } from 'node:fs';
import { promisify } from 'node:util';

/** What is done to files while jobs go on. */
export interface Disk {
  readonly open: (path: string, flags: string, mode: number) => Promise<number>;
  /** Resolves when all of it is written. */
  readonly write: (file: number, data: Buffer, position: number) => Promise<void>;
  /** Resolves when what is in the file outlasts the machine. */
  readonly sync: (file: number) => Promise<void>;
  readonly truncate: (file: number, length: number) => Promise<void>;
  readonly rename: (from: string, to: string) => Promise<void>;
  readonly close: (file: number) => Promise<void>;
  /** Resolves when the names in the folder outlast the machine. */
  readonly syncFolder: (path: string) => Promise<void>;
}

const openFile = promisify(open);
const writeSome = promisify(write) as unknown as (
  ...given: [file: number, data: Buffer, from: number, count: number, position: number]
) => Promise<{ bytesWritten: number }>;
const syncAll = promisify(fsync);
const closeFile = promisify(close);

export const disk: Disk = {
  open: (path, flags, mode) => openFile(path, flags, mode),
  async write(file, data, position) {
    for (let done = 0; done < data.length;) {
      const { bytesWritten } = await writeSome(file, data, done, data.length - done, position + done);
      done += bytesWritten;
    }
  },
  sync: promisify(fdatasync),
  truncate: promisify(ftruncate),
  rename: promisify(rename),
  close: closeFile,
  async syncFolder(path) {
    // Windows has no such thing.
    if (process.platform === 'win32') return;
    const folder = await openFile(path, 'r');
    try {
      await syncAll(folder);
    } finally {
      await closeFile(folder);
    }
  },
};
