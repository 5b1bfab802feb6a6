import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, rmdirSync, statfsSync, writeSync, openSync, closeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unprivileged } from '../../../sample/support/postgres.binaries.js';

/** A small disk of its own, for the tables. */
export interface ScarceRoom {
  readonly folder: string;
  /** Until nothing fits any more. */
  fill(): void;
  clear(): void;
  /** The server that uses it is gone. */
  remove(): void;
}

const sizeMb = 64;
let missing: string | null | undefined;

/** Why there can be none here; null: there can. */
export function scarceRoomMissing(): string | null {
  if (missing === undefined) {
    const room = makeScarceRoom();
    missing = room === null ? 'a tmpfs cannot be mounted by this user' : null;
    room?.remove();
  }
  return missing;
}

export function makeScarceRoom(): ScarceRoom | null {
  const folder = mkdtempSync(join(tmpdir(), 'chronis-scarce-'));
  const { uid, gid } = unprivileged();
  const owner = uid === undefined ? '' : `,uid=${uid},gid=${gid}`;
  const mounted = spawnSync('mount', [
    '-t',
    'tmpfs',
    '-o',
    `size=${sizeMb}m,mode=0700${owner}`,
    'chronis',
    folder,
  ]);
  if (mounted.status !== 0) {
    rmdirSync(folder);
    return null;
  }
  const ballast = join(folder, 'ballast');
  return {
    folder,
    fill() {
      const file = openSync(ballast, 'w');
      try {
        const block = Buffer.alloc(1 << 16);
        while (statfsSync(folder).bavail > 0) writeSync(file, block);
      } catch {
        // Full.
      } finally {
        closeSync(file);
      }
    },
    clear: () => rmSync(ballast, { force: true }),
    remove() {
      spawnSync('umount', ['-l', folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
