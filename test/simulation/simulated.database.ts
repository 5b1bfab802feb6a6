import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { placeOf } from '../../lib/memory/runs.js';
import type { JobRow, MemoryTables } from '../../lib/memory/tables.js';
import type { Clock } from '../../lib/ports/clock.js';
import type {
  ClaimResult,
  Firing,
  FireResult,
  Settlement,
  StorageAdapter,
  Unstarted,
} from '../../lib/ports/storage.adapter.js';
import type { Run } from '../../lib/index.js';
import { OffsetClock } from '../support/offset.clock.js';
import { FiringWatch } from './firing.watch.js';

/** Is told of each call that was carried out. */
type Watcher = (method: string, args: readonly unknown[], answer: unknown) => void;

/** What a server that takes no changes still answers. */
const reads = /^(now|get|query|count|next|due|held)/;
/** How long a statement waits for a lock before the server gives it up. */
const deadlineMs = 2_000;

/**
 * One database, to which things are done: somebody else locks rows, it takes no changes for a while, its clock is set, it goes back to a backup. What it
 * stores is the reference; what a lock means is what it means on PostgreSQL: claims, firings, releases and what is given back pass it over, everything else
 * waits, and fails by its deadline.
 */
export class SimulatedDatabase {
  /** That of the world, unless somebody has set it. */
  readonly clock: OffsetClock;
  /** When the storage went back, and to when. */
  readonly losses: { from: number; until: number }[] = [];
  watcher: Watcher | null = null;
  readonly firings = new FiringWatch();
  private storage: MemoryStorage;
  private readonly lockedRuns = new Map<string, number>();
  private readonly lockedJobs = new Map<string, number>();
  private readonly handedOut = new Map<string, number>();
  private readOnlyUntil = -Infinity;
  private backup: { at: number; text: string } | null = null;

  constructor(private readonly world: Clock) {
    this.clock = new OffsetClock(world);
    this.storage = new MemoryStorage({ clock: this.clock });
  }

  /** As its clients have it. */
  get adapter(): StorageAdapter {
    return new Proxy(this.storage, {
      get: (_, key) => {
        const value: unknown = Reflect.get(this.storage, key, this.storage);
        if (typeof value !== 'function') return key === 'wakeSignal' ? undefined : value;
        return (...args: unknown[]) => this.call(String(key), args);
      },
    });
  }

  /** Whether it does what it is asked. */
  get writable(): boolean {
    return this.world.monotonic() >= this.readOnlyUntil;
  }

  lockRun({ id }: Pick<Run, 'id'>, ms: number): void {
    this.lockedRuns.set(id, this.world.monotonic() + ms);
  }

  lockJob(uid: string, ms: number): void {
    this.lockedJobs.set(uid, this.world.monotonic() + ms);
  }

  takeNoChanges(ms: number): void {
    this.readOnlyUntil = this.world.monotonic() + ms;
  }

  backUp(): void {
    const tables = JSON.parse(this.storage.snapshot()) as { lastNumber: number };
    // On PostgreSQL the ids of runs begin with a time, so that none comes again.
    tables.lastNumber += 1_000_000;
    this.backup = { at: this.world.now(), text: JSON.stringify(tables) };
  }

  /** All that was done since the backup is lost. */
  goBack(): void {
    if (this.backup === null) return;
    this.storage = MemoryStorage.restore(this.backup.text, { clock: this.clock });
    this.losses.push({ from: this.backup.at, until: this.world.now() });
    this.backup = null;
  }

  /** When, by the clock of the world, the run was last handed to the worker. */
  handedOutAt(runId: string, worker: string | null): number | null {
    return this.handedOut.get(`${runId} ${worker}`) ?? null;
  }

  jobUids(): string[] {
    return [...this.tables.jobsByUid.keys()];
  }

  /** The rows of jobs, runs and workers, to be read. */
  get tables(): MemoryTables {
    return (this.storage as unknown as { tables: MemoryTables }).tables;
  }

  /** Whether something is due that is not locked. `canBeDone`: by somebody. */
  hasDueWork(canBeDone: (job: JobRow) => boolean = () => true): boolean {
    const now = this.clock.now();
    const { waiting, jobs } = this.tables;
    const runs = [...waiting.items()].some(
      (run) => run.dueAt <= now && !this.isLocked(run.id) && canBeDone(run.job),
    );
    const isDue = ({ cursorAt, uid }: JobRow): boolean =>
      cursorAt !== null && cursorAt <= now && !this.isLockedJob(uid);
    // Its next run may have to wait for the end of that one.
    const isHeldUp = ({ runs: own, definition }: JobRow): boolean =>
      definition.policies.overlap !== 'allow' && [...own].some(({ id }) => this.isLocked(id));
    const cursors = [...jobs.values()].some((job) => isDue(job) && !isHeldUp(job) && canBeDone(job));
    return runs || cursors;
  }

  /** Whether anything is left to be fired or executed. */
  isBusy(): boolean {
    const { waiting, held, jobs } = this.tables;
    const isStarted = [...held.values()].some((runs) => runs.size > 0) || [...waiting.items()].length > 0;
    return isStarted || [...jobs.values()].some(({ cursorAt }) => cursorAt !== null);
  }

  private isLocked(runId: string): boolean {
    return (this.lockedRuns.get(runId) ?? -Infinity) > this.world.monotonic();
  }

  private isLockedJob(uid: string): boolean {
    return (this.lockedJobs.get(uid) ?? -Infinity) > this.world.monotonic();
  }

  private async call(method: string, args: unknown[]): Promise<unknown> {
    if (!this.writable && !reads.test(method)) throw new Error('The server takes no changes (25006).');
    switch (method) {
      case 'claim':
        return this.besideLocked(() => this.perform(method, args));
      case 'fire': {
        const [capability, firings, ...rest] = args as [unknown, readonly Firing[], ...unknown[]];
        const free = firings.filter(({ jobUid }) => !this.isLockedJob(jobUid));
        const look = this.firings.before(this.tables, free);
        const answer = (await this.perform(method, [capability, free, ...rest])) as FireResult;
        look(answer);
        return answer;
      }
      case 'releaseLost':
        return this.releaseLost(args[0] as readonly string[] | null | undefined);
      case 'giveBack':
        return this.giveBack(args[0] as readonly Unstarted[]);
      case 'settle':
        await this.untilFree(args[0] as readonly Settlement[]);
        return this.perform(method, args);
      case 'settleOpen':
        await this.untilFree([{ runId: args[0] as string }]);
        return this.perform(method, args);
      default:
        return this.perform(method, args);
    }
  }

  private perform(method: string, args: unknown[]): unknown {
    const call = Reflect.get(this.storage, method, this.storage) as (...args: unknown[]) => unknown;
    const answer: unknown = Reflect.apply(call, this.storage, args);
    if (method === 'claim' || method === 'fire') return this.handingOut(answer);
    return this.watcher === null ? answer : this.watched(this.watcher, method, args, answer);
  }

  private async handingOut(given: unknown): Promise<unknown> {
    const at = this.world.now();
    const answer = (await given) as ClaimResult | FireResult;
    for (const { id, worker } of answer.runs) this.handedOut.set(`${id} ${worker}`, at);
    return answer;
  }

  private async watched(watcher: Watcher, method: string, args: unknown[], given: unknown): Promise<unknown> {
    const answer = await given;
    watcher(method, args, answer);
    return answer;
  }

  /** They are not there for `act`, which must not wait. */
  private besideLocked(act: () => unknown): unknown {
    const { waiting } = this.tables;
    const hidden = [...waiting.items()].filter(({ id }) => this.isLocked(id));
    for (const run of hidden) waiting.delete(run);
    const answer = act();
    for (const run of hidden) waiting.set(run, placeOf(run), run.dueAt);
    return answer;
  }

  private async releaseLost(given: readonly string[] | null = null): Promise<unknown> {
    const held = [...this.tables.held.values()].flatMap((runs) => [...runs]);
    const now = this.clock.now();
    const isDead = (worker: string | null): boolean =>
      (this.tables.workers.get(worker ?? '')?.leaseUntil ?? -Infinity) <= now;
    const left = held.filter(({ id, worker }) => isDead(worker) && this.isLocked(id)).map(({ id }) => id);
    if (left.length === 0) return this.perform('releaseLost', [given]);
    const free = held.map(({ id }) => id).filter((id) => !left.includes(id));
    const asked = given === null ? free : free.filter((id) => given.includes(id));
    const answer = (await this.perform('releaseLost', [asked])) as object;
    return { ...answer, left: given === null ? left : left.filter((id) => given.includes(id)) };
  }

  private async giveBack(runs: readonly Unstarted[]): Promise<unknown> {
    const left = runs.filter(({ runId }) => this.isLocked(runId));
    const free = runs.filter((run) => !left.includes(run));
    return { ...((await this.perform('giveBack', [free])) as object), left };
  }

  private async untilFree(settlements: readonly Pick<Settlement, 'runId'>[]): Promise<void> {
    const giveUpAt = this.world.monotonic() + deadlineMs;
    while (settlements.some(({ runId }) => this.isLocked(runId))) {
      if (this.world.monotonic() >= giveUpAt) throw new Error('canceling statement due to statement timeout');
      await new Promise<void>((resolve) => this.world.setTimer(100, resolve));
    }
  }
}
