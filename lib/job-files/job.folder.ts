import type { ListDeclaration, ListedJob } from '../index.js';
import { FileChecker } from './file.checker.js';
import { settleClaims } from './file.claims.js';
import type { Look } from './folder.scanner.js';
import { JobFile, type CheckedJob } from './job.file.js';

/** What changed in a folder since it was told last. */
export interface FolderNews {
  broken: readonly JobFile[];
  mended: readonly JobFile[];
}

/** The files of a folder, and what of them is in force. */
export class JobFolder {
  private readonly byName = new Map<string, JobFile>();
  private readonly checker: FileChecker;
  /** What was told to be wrong, by file. */
  private readonly told = new Map<string, string>();

  constructor(
    declaration: Pick<ListDeclaration, 'read'>,
    private readonly clock: { now(): number; monotonic(): number },
  ) {
    this.checker = new FileChecker(declaration, () => clock.monotonic());
  }

  get files(): JobFile[] {
    return [...this.byName.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** What is in force. */
  get jobs(): CheckedJob[] {
    return this.files.flatMap(({ good }) => good ?? []);
  }

  get declared(): ListedJob[] {
    return this.jobs.flatMap(({ enabled, listed }) => (enabled ? listed : []));
  }

  /** Files of which nobody knows what is in them. */
  get unclear(): string[] {
    return this.files.flatMap(({ good, name }) => (good === null ? name : []));
  }

  /** Takes over what a look has found. */
  async take({ changed, gone, leaving }: Look): Promise<void> {
    for (const name of gone) this.byName.delete(name);
    for (const file of this.files) file.offerAgain();
    for (const { name, content, changedAtMs } of changed) {
      const file = this.fileOf(name);
      file.changedAtMs = changedAtMs;
      await this.checker.check(file, content);
    }
    for (const file of this.files) await this.checker.checkAgain(file);
    // Else a file that gets another name would have its jobs twice for a moment.
    if (leaving === 0) settleClaims(this.files);
  }

  /** What is to be told, once. */
  news(): FolderNews {
    const broken: JobFile[] = [];
    const mended: JobFile[] = [];
    for (const file of this.files) {
      const { name, error } = file;
      const text = error === null ? null : `${error.line} ${error.message}`;
      if (text === (this.told.get(name) ?? null)) continue;
      if (text === null) this.told.delete(name);
      else this.told.set(name, text);
      (text === null ? mended : broken).push(file);
    }
    for (const name of this.told.keys()) if (!this.byName.has(name)) this.told.delete(name);
    return { broken, mended };
  }

  private fileOf(name: string): JobFile {
    const known = this.byName.get(name);
    if (known !== undefined) return known;
    const file = new JobFile(name, () => this.clock.now());
    this.byName.set(name, file);
    return file;
  }
}
