import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signalGroup } from './process.group.js';
import {
  environmentOf,
  isAlive,
  membersOf,
  ownIdentity,
  type ProcessIdentity,
} from '../processes/process.table.js';

/** A group that was ended. */
export interface Swept {
  group: number;
  runId: string;
}

/** Boot, namespace, id and start of the process, and the group; with the suffix while it is written. */
const fileName = /^([0-9a-f-]+)\.(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\.new)?$/;

/**
 * The process groups of this machine that runs have begun, in files of a folder that only this user may write, so that those of a process that was killed are ended by the next one: their runs are executed again elsewhere. A group is ended only if the
 * process that began it is gone and one of its members has the marks of the run in its variables, so neither that of a living process nor another one under its id ever is. What made a group of its own, as daemons do, is left alone.
 */
export class GroupRegister {
  private readonly own = ownIdentity();
  private readonly folder: string;

  constructor(folder = join(tmpdir(), `nestjs-chronis-${process.getuid!()}`)) {
    this.folder = folder;
  }

  /** What children are marked with. */
  marks(runId: string): Record<string, string> {
    return { CHRONIS_RUN_ID: runId, ...(this.own === null ? {} : { CHRONIS_WORKER: workerMark(this.own) }) };
  }

  add(group: number, runId: string): void {
    if (this.own === null) return;
    this.assertOurs();
    const file = this.fileOf(group);
    // In one step: without its run nobody could tell whose group it is.
    writeFileSync(`${file}.new`, runId, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }

  remove(group: number): void {
    if (this.own !== null) rmSync(this.fileOf(group), { force: true });
  }

  /** Ends what processes that are gone have left behind; tells what that was. */
  sweep(): Swept[] {
    const { own } = this;
    if (own === null) return [];
    this.assertOurs();
    return readdirSync(this.folder).flatMap((name) => {
      const [, boot, namespace, pid, startedAt, group] = fileName.exec(name) ?? [];
      if (boot === undefined) return [];
      const began = { boot, namespace: namespace!, pid: Number(pid), startedAt: startedAt! };
      const isElsewhere = began.boot === own.boot && began.namespace !== own.namespace;
      if (isElsewhere || (began.boot === own.boot && isAlive(began))) return [];
      const ended = began.boot === own.boot ? this.endOf(Number(group), began, name) : null;
      rmSync(join(this.folder, name), { force: true });
      return ended ?? [];
    });
  }

  private endOf(group: number, began: ProcessIdentity, name: string): Swept | null {
    const runId = this.runOf(name);
    if (runId === null) return null;
    const marks = [`CHRONIS_RUN_ID=${runId}`, `CHRONIS_WORKER=${workerMark(began)}`];
    const isMarked = (membersOf(group) ?? []).some((pid) => {
      const variables = environmentOf(pid);
      return marks.every((mark) => variables.includes(mark));
    });
    return isMarked && signalGroup(group, 'SIGKILL') ? { group, runId } : null;
  }

  /** null: another process has swept it meanwhile. */
  private runOf(name: string): string | null {
    try {
      return readFileSync(join(this.folder, name), 'utf8');
    } catch {
      return null;
    }
  }

  private fileOf(group: number): string {
    const { boot, namespace, pid, startedAt } = this.own!;
    return join(this.folder, `${boot}.${namespace}.${pid}.${startedAt}.${group}`);
  }

  /** A folder that others may write could name any group. */
  private assertOurs(): void {
    mkdirSync(this.folder, { mode: 0o700, recursive: true });
    const stat = lstatSync(this.folder);
    if (stat.isDirectory() && stat.uid === process.getuid!() && (stat.mode & 0o022) === 0) return;
    throw new Error(`${this.folder} is not a folder that this user alone may write. Remove it`);
  }
}

function workerMark({ boot, namespace, pid, startedAt }: ProcessIdentity): string {
  return `${boot}.${namespace}.${pid}.${startedAt}`;
}
