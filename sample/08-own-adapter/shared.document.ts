import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StorageError } from 'nestjs-chronis';

/** Tells this process from an earlier one that had its pid, as every first process of a container does. */
const here = randomUUID();
const takenName = /^taken\.(?<pid>\d+)\.(?<process>[^.]+)\.[^.]+\.(?<host>.+)$/;

/**
 * A text in a folder that the processes of one machine change one at a time, also when they die meanwhile.
 *
 * There is exactly one file with the text, and it is the lock as well: who renames `document` to a name of its own has it, and gives it
 * back by renaming it again. A change is written beside it and then renamed over it: that instant is the commit. What a dead process had
 * taken is given back by whoever comes next, as it was before the commit or after it, never in between.
 */
export class SharedDocument {
  private readonly file: string;
  private last: Promise<unknown> = Promise.resolve();

  /** `patienceMs`: after so long without getting the file a call is rejected. */
  constructor(
    private readonly folder: string,
    private readonly patienceMs = 10_000,
  ) {
    this.file = join(folder, 'document');
  }

  /** Makes the folder with its first text, unless it is there. Of many processes one succeeds: a folder with a file in it is not replaced. */
  async create(text: string): Promise<void> {
    const draft = `${this.folder}.${randomUUID()}`;
    await mkdir(dirname(this.folder), { recursive: true });
    await mkdir(draft);
    await writeDurably(join(draft, 'document'), text);
    try {
      await rename(draft, this.folder);
    } catch (error) {
      await rm(draft, { recursive: true });
      if (!['ENOTEMPTY', 'EEXIST'].includes(codeOf(error))) throw error;
    }
  }

  /** Replaces the text by what `work` makes of it, while nobody else does; the same text is not written. If `work` throws, nothing changes. */
  change(work: (text: string) => Promise<string>): Promise<void> {
    // Those of this process line up, rather than trying against each other.
    const turn = this.last.then(() => this.changeNow(work));
    this.last = turn.catch(() => undefined);
    return turn;
  }

  private async changeNow(work: (text: string) => Promise<string>): Promise<void> {
    const taken = join(this.folder, `taken.${process.pid}.${here}.${randomUUID()}.${hostname()}`);
    await this.take(taken);
    try {
      const before = await readFile(taken, 'utf8');
      const after = await work(before);
      if (after === before) return;
      const draft = join(this.folder, 'draft');
      await writeDurably(draft, after);
      await rename(draft, taken);
      await syncFolder(this.folder);
    } finally {
      await rename(taken, this.file);
    }
  }

  private async take(taken: string): Promise<void> {
    const until = performance.now() + this.patienceMs;
    for (let tries = 1; !(await succeeds(rename(this.file, taken))); tries++) {
      if (tries % 20 === 0) await this.giveBackOfTheDead();
      if (performance.now() > until) {
        const names = await readdir(this.folder);
        throw new StorageError(`${this.file} is not given back. The folder has: ${names.join(', ')}.`);
      }
      await delay(1 + 4 * Math.random());
    }
  }

  /** Of several processes that try, one succeeds. A process of another machine is never taken for dead. */
  private async giveBackOfTheDead(): Promise<void> {
    for (const name of await readdir(this.folder)) {
      const holder = takenName.exec(name)?.groups;
      if (!holder || holder.host !== hostname()) continue;
      const pid = Number(holder.pid);
      const lives = pid === process.pid ? holder.process === here : isAlive(pid);
      if (!lives) await succeeds(rename(join(this.folder, name), this.file));
    }
  }
}

/** False: the file is not there. */
async function succeeds(step: Promise<void>): Promise<boolean> {
  try {
    await step;
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A rename survives a power failure once its folder is on disk. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}
