import { randomBytes } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signalGroup } from './process.group.js';
import { makeFolder } from '../processes/made.folder.js';
import {
  hasVariables,
  isAlive,
  membersOf,
  ownIdentity,
  sessionsWith,
  type ProcessIdentity,
} from '../processes/process.table.js';

/** A group that was ended. */
export interface Swept {
  group: number;
  runId: string;
}

/** Boot, namespace, id and start of the process, and the group, or what stands for it as long as it is not known. */
const fileName = /^([0-9a-f-]+)\.(\d+)\.(\d+)\.(\d+)\.(?:(\d+)|begin-([0-9a-f]{8}))$/;

/** For so long what a killed worker was about to begin may not show its marks yet: it has them once it is the program. */
const beginMs = 60_000;

/**
 * The process groups of this machine that runs have begun, in files of a folder that only this user may write, so that those of a process that was killed are ended by the next one: their runs are executed again elsewhere. A group is ended only if the
 * process that began it is gone and one of its members has the marks of the run in its variables, so neither that of a living process nor another one under its id ever is. What made a group of its own, as daemons do, is left alone.
 *
 * A file is there before the program, and gets the name of the group when that is known. Where the process was killed between the two, the group is that with the marks of this very begin; of several sessions with them the oldest, as the program was there before its daemons.
 */
export class GroupRegister {
  private readonly own = ownIdentity();
  private readonly folder: string;

  constructor(folder = join(tmpdir(), `nestjs-chronis-${process.getuid!()}`)) {
    this.folder = folder;
  }

  /** Of a program that is to be begun. */
  entry(runId: string): GroupEntry {
    return new GroupEntry(this.own, this.folder, runId);
  }

  /** Ends what processes that are gone have left behind; tells what that was. */
  sweep(): Swept[] {
    const { own } = this;
    if (own === null) return [];
    assertOurs(this.folder);
    return readdirSync(this.folder).flatMap((name) => {
      const [, boot, namespace, pid, startedAt, group, beginning] = fileName.exec(name) ?? [];
      if (boot === undefined) return [];
      const began = { boot, namespace: namespace!, pid: Number(pid), startedAt: startedAt! };
      const isElsewhere = began.boot === own.boot && began.namespace !== own.namespace;
      if (isElsewhere || (began.boot === own.boot && isAlive(began))) return [];
      const runId = began.boot === own.boot ? this.runOf(name) : null;
      const ended = runId === null ? null : endOf({ runId, began, group, beginning });
      const mayCome = runId !== null && ended === null && beginning !== undefined && this.isYoung(name);
      if (!mayCome) rmSync(join(this.folder, name), { force: true });
      return ended ?? [];
    });
  }

  /** null: another process has swept it meanwhile. */
  private runOf(name: string): string | null {
    try {
      return readFileSync(join(this.folder, name), 'utf8');
    } catch {
      return null;
    }
  }

  private isYoung(name: string): boolean {
    const stat = statSync(join(this.folder, name), { throwIfNoEntry: false });
    return stat !== undefined && Date.now() - stat.mtimeMs < beginMs;
  }
}

/** What the register has of one program. */
export class GroupEntry {
  private readonly beginning = randomBytes(4).toString('hex');
  private file: string | null = null;

  constructor(
    private readonly own: ProcessIdentity | null,
    private readonly folder: string,
    private readonly runId: string,
  ) {}

  /** What the program and its children are marked with. */
  get marks(): Record<string, string> {
    const { own, runId, beginning } = this;
    return Object.fromEntries(marksOf(runId, own, beginning));
  }

  /** Before the program is there. */
  announce(): void {
    if (this.own === null) return;
    assertOurs(this.folder);
    const file = this.named(`begin-${this.beginning}`);
    writeFileSync(file, this.runId, { mode: 0o600 });
    this.file = file;
  }

  begun(group: number): void {
    if (this.file === null) return;
    const file = this.named(String(group));
    renameSync(this.file, file);
    this.file = file;
  }

  /** Nothing of it is there, or it never was. */
  remove(): void {
    if (this.file !== null) rmSync(this.file, { force: true });
    this.file = null;
  }

  private named(last: string): string {
    return join(this.folder, `${workerMark(this.own!)}.${last}`);
  }
}

interface Left {
  runId: string;
  began: ProcessIdentity;
  group: string | undefined;
  beginning: string | undefined;
}

function endOf({ runId, began, group, beginning }: Left): Swept | null {
  const marks = marksOf(runId, began, beginning ?? null).map((mark) => mark.join('='));
  const found = group === undefined ? sessionsWith(marks)[0] : Number(group);
  if (found === undefined) return null;
  const isMarked = group === undefined || (membersOf(found) ?? []).some((pid) => hasVariables(pid, marks));
  return isMarked && signalGroup(found, 'SIGKILL') ? { group: found, runId } : null;
}

/** `beginning` null: whichever of this run it was. */
function marksOf(
  runId: string,
  worker: ProcessIdentity | null,
  beginning: string | null,
): [name: string, value: string][] {
  return [
    ['CHRONIS_RUN_ID', runId],
    ...(worker === null ? [] : [['CHRONIS_WORKER', workerMark(worker)] as [string, string]]),
    ...(beginning === null ? [] : [['CHRONIS_BEGIN', beginning] as [string, string]]),
  ];
}

function workerMark({ boot, namespace, pid, startedAt }: ProcessIdentity): string {
  return `${boot}.${namespace}.${pid}.${startedAt}`;
}

/** A folder that others may write could name any group. */
function assertOurs(folder: string): void {
  makeFolder(folder, 0o700);
  const stat = lstatSync(folder);
  if (stat.isDirectory() && stat.uid === process.getuid!() && (stat.mode & 0o022) === 0) return;
  throw new Error(`${folder} is not a folder that this user alone may write. Remove it`);
}
