import { LockAdapter } from 'nestjs-chronis';

/** Calls `work` with the locks as they are stored, and stores what it makes of them. */
type OnLocks = <T>(work: (locks: LockAdapter) => Promise<T>) => Promise<T>;

/** The locks of the same document: their fences outlive every process, as the whole text does. */
export class SnapshotLock extends LockAdapter {
  readonly shared = true;

  constructor(private readonly on: OnLocks) {
    super();
  }

  async init(): Promise<void> {}
  async close(): Promise<void> {}

  acquire: LockAdapter['acquire'] = (...given) => this.on((locks) => locks.acquire(...given));
  extend: LockAdapter['extend'] = (...given) => this.on((locks) => locks.extend(...given));
  release: LockAdapter['release'] = (...given) => this.on((locks) => locks.release(...given));
  reset: LockAdapter['reset'] = (...given) => this.on((locks) => locks.reset(...given));
  inspect: LockAdapter['inspect'] = (...given) => this.on((locks) => locks.inspect(...given));
}
