import type { JobRef } from '../model/job.js';
import type { Clock } from '../ports/clock.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import type { StorageCalls } from './storage.calls.js';
import type { WorkerSession } from './worker.session.js';

/** A statement that its caller has given up on may still be carried out; by then it mostly is, or never will be. */
const lateEffectMs = 30_000;
const doubtLookMs = 1_000;
/** But what a network held back may come much later: for so long after the last failure, or the last find, it is looked for now and then. */
const uneasyMs = 600_000;
const uneasyLookMs = 60_000;
/** And more seldom where nothing has failed: a net for whatever a worker has without knowing. */
const calmLookMs = 600_000;

/** What the search needs of its engine. */
interface StrayParts {
  storage: StorageAdapter;
  clock: Clock;
  calls: StorageCalls;
  session: WorkerSession;
  /** Resolves when the calls that hand out runs and are under way now have ended, and what they brought is in hands. */
  settled: () => Promise<unknown>;
  /** Called with the jobs of runs that have ended as lost. */
  onGaveUp: (jobs: readonly JobRef[]) => void;
  /** Called when some were found, so that there is something to claim. */
  onFound: () => void;
}

/**
 * Gives back the runs that the storage thinks are this worker's and that it does not know of, as a call that failed without an answer may have handed them out, or a server that is back may have
 * lost their verdicts. Beside the loop: the
 * search has to look through all that is due, and must not keep it from firing and claiming. What a call under way is about to bring is not stray, so it is waited for.
 */
export class StrayRuns {
  /** Until then (monotonic) there may well be some. */
  private doubtUntil = -Infinity;
  private uneasyUntil = -Infinity;
  /** When to look for them again (monotonic). */
  private lookAt: number;
  private looking: Promise<void> | null = null;
  private recoveries: number;

  constructor(private readonly parts: StrayParts) {
    this.lookAt = parts.clock.monotonic() + calmLookMs;
    this.recoveries = parts.calls.outages.recoveries;
  }

  /** A call that hands out runs, or takes them back, has failed: it is open whether it did. */
  doubt(): void {
    const now = this.parts.clock.monotonic();
    this.doubtUntil = now + lateEffectMs;
    this.uneasyUntil = now + uneasyMs;
    this.lookAt = now;
  }

  /** Begins to look for them, if it is time. */
  check(): void {
    const { clock, calls, session } = this.parts;
    if (calls.outages.recoveries > this.recoveries) this.doubt();
    this.recoveries = calls.outages.recoveries;
    if (this.looking !== null || clock.monotonic() < this.lookAt) return;
    const look = (): Promise<void> => this.look();
    this.looking = calls
      .keepGoing('search for stray runs', look, () => session.active)
      .then(() => void (this.looking = null));
  }

  /** Resolves when no look is under way any more. */
  async stop(): Promise<void> {
    await this.looking;
  }

  private async look(): Promise<void> {
    const { clock, calls, session } = this.parts;
    const now = clock.monotonic();
    this.lookAt =
      now + (now < this.doubtUntil ? doubtLookMs : now < this.uneasyUntil ? uneasyLookMs : calmLookMs);
    await calls.repeat(
      'look for stray runs',
      () => this.giveBack(),
      () => session.active,
    );
  }

  private async giveBack(): Promise<void> {
    const { storage, clock, session, settled, onGaveUp, onFound } = this.parts;
    const suspects = session.unknownOf(await storage.heldBy(session.workerId));
    if (suspects.length === 0) return;
    await settled();
    const strays = session.unknownOf(suspects);
    if (strays.length === 0) return;
    const { lost, left, refused = [] } = await storage.giveBack(strays);
    this.uneasyUntil = clock.monotonic() + uneasyMs;
    onGaveUp(lost);
    // What somebody else has locked is tried again beside.
    session.giveBack([...left, ...refused]);
    onFound();
  }
}
