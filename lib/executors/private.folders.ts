import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { chmod, chown, mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../processes/made.folder.js';
import { isAlive, ownIdentity } from '../processes/process.table.js';
import type { SystemUser } from './system.users.js';

/** Boot, namespace, id and start of the process, and what makes it unique. */
const folderName = /^([0-9a-f-]+)\.(\d+)\.(\d+)\.(\d+)\.\w+$/;
/** Others go through it to what is theirs, and see nothing. */
const throughMode = 0o711;
const privateMode = 0o700;
const programMode = 0o500;
const ofOthers = 0o022;

/** Folders of which each has one program, for one user, and for one run; those of a process that was killed are removed by the next one. */
export class PrivateFolders {
  private readonly own = ownIdentity();
  private readonly folder: string;

  /** `within`: a folder from which programs may be executed. */
  constructor(within: string) {
    this.folder = join(within, `nestjs-chronis-programs-${process.getuid!()}`);
  }

  /** Has the program in a file of this name while `work` is under way. `owner` null: this user. */
  async with<T>(
    { name, bytes, owner }: { name: string; bytes: Uint8Array; owner: SystemUser | null },
    work: (file: string) => Promise<T>,
  ): Promise<T> {
    this.assertOurs();
    const folder = await mkdtemp(join(this.folder, `${this.mark()}.`));
    try {
      const file = join(folder, name);
      const handle = await open(file, 'wx', privateMode);
      try {
        await handle.writeFile(bytes);
      } finally {
        await handle.close();
      }
      await chmod(file, programMode);
      if (owner !== null && owner.uid !== process.getuid!()) {
        await chown(file, owner.uid, owner.gid);
        await chown(folder, owner.uid, owner.gid);
      }
      return await work(file);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Removes what processes that are gone have left. */
  sweep(): void {
    const { own } = this;
    if (own === null) return;
    this.assertOurs();
    for (const name of readdirSync(this.folder)) {
      const [, boot, namespace, pid, startedAt] = folderName.exec(name) ?? [];
      if (boot === undefined) continue;
      const isElsewhere = boot === own.boot && namespace !== own.namespace;
      const maker = { boot, namespace: namespace!, pid: Number(pid), startedAt: startedAt! };
      if (isElsewhere || (boot === own.boot && isAlive(maker))) continue;
      rmSync(join(this.folder, name), { recursive: true, force: true });
    }
  }

  private mark(): string {
    const { own } = this;
    return own === null ? 'program' : `${own.boot}.${own.namespace}.${own.pid}.${own.startedAt}`;
  }

  /** Who may write it could put another program in place of one. */
  private assertOurs(): void {
    makeFolder(this.folder, throughMode);
    const stat = lstatSync(this.folder);
    if (stat.isDirectory() && stat.uid === process.getuid!() && (stat.mode & ofOthers) === 0) return;
    throw new Error(`${this.folder} is not a folder that this user alone may write. Remove it`);
  }
}
