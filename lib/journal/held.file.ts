import { fstatSync, statSync, type BigIntStats } from 'node:fs';
import { StorageError } from '../model/errors.js';

/** A file that this process has opened by its name: what is written after somebody has moved it would be found by nobody. */
export class HeldFile {
  private readonly opened: BigIntStats;

  /** `file`: it as it is open; without, what has the name now. */
  constructor(
    private readonly path: string,
    file?: number,
  ) {
    this.opened = file === undefined ? statSync(path, { bigint: true }) : fstatSync(file, { bigint: true });
  }

  /** Throws StorageError where the name leads to another file by now, or to none. */
  assertInPlace(): void {
    const { dev, ino } = this.opened;
    const present = statSync(this.path, { bigint: true, throwIfNoEntry: false });
    if (present?.dev === dev && present.ino === ino) return;
    throw new StorageError(
      `${this.path} was moved or deleted, or another file has taken its place, while this process has it. Put it back, or start the process again.`,
    );
  }
}
