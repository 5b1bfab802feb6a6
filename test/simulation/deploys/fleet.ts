import type { Pod } from './pod.js';
import type { Release, Role } from './release.js';

/** A place for one process, which the platform keeps up. */
export interface Slot {
  app: string;
  role: Role;
  release: Release;
  /** Null: it is about to be started again. */
  pod: Pod | null;
  /** Whether it is to be kept up. */
  isWanted: boolean;
  /** Whether its process works. */
  isReady: boolean;
  /** Its process can never start, as an id that it declares is taken. */
  isRefused: boolean;
}

/** The platform: processes of releases, in their roles, which it starts, stops and starts again. */
export class Fleet {
  readonly slots: Slot[] = [];

  constructor(private readonly boot: (slot: Slot) => void) {}

  of(app: string): Slot[] {
    return this.slots.filter((slot) => slot.app === app);
  }

  add(app: string, role: Role, release: Release): Slot {
    const slot = { app, role, release, pod: null, isWanted: true, isReady: false, isRefused: false };
    this.slots.push(slot);
    this.boot(slot);
    return slot;
  }

  /** As on SIGTERM; a process that does not work yet is ended at once. */
  remove(slot: Slot): void {
    this.forget(slot);
    void slot.pod?.stop();
  }

  /** As by kill -9. */
  crash(slot: Slot): void {
    this.forget(slot);
    slot.pod?.kill();
  }

  private forget(slot: Slot): void {
    slot.isWanted = slot.isReady = false;
    const nth = this.slots.indexOf(slot);
    if (nth >= 0) this.slots.splice(nth, 1);
  }
}
