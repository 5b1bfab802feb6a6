import type { CancelTimer, ChronisEvents, Clock } from '../index.js';
import type { JobDeclarations, JobList, JobRef, ListDeclaration, ListedJob } from '../index.js';
import { placeName } from './file.fault.js';
import { FolderHints } from './folder.hints.js';
import { FolderScanner, quietMs, type Look } from './folder.scanner.js';
import type { JobFilesSettings } from './job.files.options.js';
import type { FileJobStatus, JobFilesStatus } from './job.files.status.js';
import { JobFolder } from './job.folder.js';

/** How long the start waits for files that are being written. */
const firstLookMs = 2_000;
/** A burst of hints is one look. */
const hintMs = 20;
const mostWarnings = 10;

/**
 * Keeps what is declared in agreement with the files of a folder, while the scheduler of this process works. Inject it to see how they are: what is broken stays as it was. @publicApi
 */
export class ChronisJobFiles implements JobList {
  readonly name: string;
  private readonly declaration: ListDeclaration;
  private readonly folder: JobFolder;
  private readonly scanner: FolderScanner;
  private readonly hints: FolderHints;
  private problem: JobFilesStatus['problem'] = null;
  private isUnsettled = false;
  private watching = false;
  private cancelTimer: CancelTimer | null = null;
  private atWork: Promise<void> | null = null;
  private isHinted = false;
  /** null: nothing was declared yet. */
  private last: { jobs: readonly ListedJob[]; unclear: readonly string[] } | null = null;
  private taken: ReadonlySet<string> = new Set();
  /** What another folder of this process has. */
  private ofOthers: ReadonlySet<string> = new Set();
  private outranked: ReadonlySet<string> = new Set();

  /** Throws InvalidOptionError: another folder has this name. */
  constructor(
    private readonly settings: JobFilesSettings,
    declarations: JobDeclarations,
    private readonly events: ChronisEvents,
    private readonly clock: Clock,
  ) {
    const { directory, emptyGraceMs } = settings;
    this.name = `files:${settings.name}`;
    this.declaration = declarations.list(this);
    this.folder = new JobFolder(this.declaration, clock);
    this.scanner = new FolderScanner({ directory, emptyGraceMs, monotonic: () => clock.monotonic() });
    this.hints = new FolderHints(directory, () => this.hint());
    events.on('jobs.synced', ({ taken, outranked }) => {
      this.taken = new Set(taken.map(keyOf));
      this.outranked = new Set(outranked.map(keyOf));
    });
  }

  /** How the folder and its files are, as this process sees them. */
  status(): JobFilesStatus {
    return {
      directory: this.settings.directory,
      watching: this.watching,
      problem: this.problem && { ...this.problem },
      files: this.folder.files.map(({ name, good, error }) => ({
        file: name,
        jobs: (good ?? []).map(({ namespace, id, key, enabled }) => ({
          namespace,
          id,
          state: this.stateOf(key, enabled),
        })),
        error: error && { ...error },
      })),
    };
  }

  /** @internal Called by the scheduler. */
  async begin(): Promise<void> {
    this.watching = true;
    const until = this.clock.monotonic() + firstLookMs;
    await this.look();
    while (this.watching && this.isUnsettled && this.clock.monotonic() < until) {
      await new Promise<void>((resolve) => void this.clock.setTimer(quietMs, resolve));
      await this.look();
    }
    this.later();
  }

  /** @internal Called by the scheduler. */
  async end(): Promise<void> {
    this.watching = false;
    this.cancelTimer?.();
    this.cancelTimer = null;
    this.hints.end();
    await this.atWork;
    this.hints.end();
  }

  /** @internal For `SchedulerService.health()`. */
  warnings(): string[] {
    const { directory } = this.settings;
    const broken = this.folder.files.filter(({ error }) => error !== null);
    const told = broken.slice(0, mostWarnings).map(({ name, error, good }) => {
      const rest = good === null ? 'Nothing of it is in force.' : 'What it said before stays in force.';
      return `The job file ${directory}/${placeName(name, error!)}: ${error!.message} ${rest}`;
    });
    if (broken.length > mostWarnings) told.push(`${broken.length - mostWarnings} more job files are broken.`);
    return this.problem === null ? told : [this.problem.message, ...told];
  }

  private stateOf(key: string, enabled: boolean): FileJobStatus['state'] {
    if (!enabled) return 'disabled';
    if (this.taken.has(key) || this.ofOthers.has(key)) return 'taken';
    return this.outranked.has(key) ? 'outranked' : 'declared';
  }

  private hint(): void {
    this.isHinted = true;
    // What comes while it looks is looked at after that.
    if (this.atWork === null) this.later();
  }

  private later(): void {
    if (!this.watching) return;
    const pauseMs = this.isHinted ? hintMs : this.isUnsettled ? quietMs : this.settings.scanMs;
    this.cancelTimer?.();
    this.cancelTimer = this.clock.setTimer(pauseMs, () => {
      this.cancelTimer = null;
      void this.look().then(() => this.later());
    });
  }

  /** After those that were begun before: of two at once the one that ends last would win, whatever it has read. Nobody looks after the end. */
  private look(): Promise<void> {
    const before = this.atWork ?? Promise.resolve();
    const look = before.then(async () => {
      this.isHinted = false;
      if (this.watching) await this.pass();
      if (this.atWork === look) this.atWork = null;
    });
    return (this.atWork = look);
  }

  /** Never rejects. */
  private async pass(): Promise<void> {
    try {
      await this.hints.follow();
      const look = await this.scanner.look();
      this.isUnsettled = look.unsettled > 0 || look.leaving > 0;
      this.judge(look);
      if (look.problem !== null || look.isDoubtful) return;
      await this.folder.take(look);
      this.tell();
      if (look.leaving === 0) this.declare();
    } catch (error) {
      this.events.emit('engine.failed', { part: 'job files', error });
    }
  }

  /** Tells once that the folder is not to be believed, and when it is again. */
  private judge({ problem, isDoubtful }: Look): void {
    const { directory, emptyGraceMs } = this.settings;
    const message = isDoubtful
      ? `The folder ${directory} is empty. That is believed when it has been so for ${emptyGraceMs / 1_000} s.`
      : problem;
    if (message === (this.problem?.message ?? null)) return;
    this.problem = message === null ? null : { message, since: new Date(this.clock.now()) };
    if (message === null) return this.events.emit('files.readable', { directory });
    const jobs = this.folder.declared.length;
    this.events.emit('files.unreadable', { directory, reason: message, jobs });
  }

  private tell(): void {
    const { directory } = this.settings;
    const { broken, mended } = this.folder.news();
    for (const { name: file, error, good } of broken) {
      const { message: reason, line, column } = error!;
      const keeps = (good ?? []).map(({ namespace, id }) => ({ namespace, id }));
      this.events.emit('files.broken', { directory, file, line, column, reason, keeps });
    }
    for (const { name: file } of mended) this.events.emit('files.mended', { directory, file });
  }

  private declare(): void {
    const { declared: jobs, unclear } = this.folder;
    const isSame = this.last !== null && equal(this.last.jobs, jobs) && equal(this.last.unclear, unclear);
    if (isSame || this.settings.role === 'watch') return;
    this.last = { jobs, unclear };
    this.ofOthers = new Set(this.declaration.declare(jobs, unclear).map(keyOf));
    // Another folder had them at the same moment: to be told where they stand.
    for (const { name, good } of this.folder.files) {
      if (good?.some(({ key }) => this.ofOthers.has(key))) this.scanner.readAgain(name);
    }
  }
}

function keyOf({ namespace, id }: JobRef): string {
  return `${namespace}/${id}`;
}

function equal<T>(one: readonly T[], other: readonly T[]): boolean {
  return one.length === other.length && one.every((item, nth) => item === other[nth]);
}
