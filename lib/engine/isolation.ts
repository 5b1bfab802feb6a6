import { policyOf } from '../model/policies.js';
import type { ClaimedRun } from '../model/run.js';
import type { Clock } from '../ports/clock.js';
import type { Unstarted } from '../ports/storage.adapter.js';

/** Of the runs that a worker executes at a time, one in so many may be one whose worker has died. */
const suspectsAreOneIn = 4;
/** For how long nothing else begins beside a run at its last try. */
const longestAloneMs = 5 * 60_000;
/** For how long nothing begins so that a run at its last try may be alone: what goes on then is beside it. */
const longestDrainMs = 60_000;
/** What is put off comes again so much later; later if those it waits for take long. */
const putOff = { leastMs: 1_000, mostMs: 30_000 };

/** What a session has in hands. */
interface Hands {
  /** How many runs it executes or is about to. */
  readonly inHands: number;
  /** Those of them whose worker has died before, the longest running first. */
  readonly suspects: readonly { startedAt: number }[];
}

/** What becomes of the runs of a claim. */
export interface Sorted {
  begin: readonly ClaimedRun[];
  back: readonly Unstarted[];
}

/**
 * Keeps the neighbours of a run that kills its process from ending as `lost` with it. All that a dead worker had in hands are suspects: the next time at
 * most a quarter of what a worker executes are such, and one at its last try before it is given up is alone: it begins when nothing else goes on, and nothing
 * begins beside it. So only the culprit can die that often.
 *
 * open → draining (a run at its last try was met: nothing begins until all has ended) → alone → resting, for as long as that took: what else is due has its turn → open.
 */
export class Isolation {
  private alone: { runId: string; since: number } | null = null;
  private drainingSince: number | null = null;
  private restUntil = -Infinity;

  constructor(
    private readonly clock: Clock,
    private readonly concurrency: number,
    private readonly hands: Hands,
  ) {}

  /** Nothing may begin. */
  get closed(): boolean {
    const now = this.clock.monotonic();
    if (this.alone !== null) return now - this.alone.since < longestAloneMs;
    return this.drainingSince !== null && !this.isDrained(now, this.drainingSince);
  }

  /** What falls due is born for anybody. */
  get isWaiting(): boolean {
    return this.closed || this.drainingSince !== null;
  }

  /** How many runs may be claimed at most: when all has ended for one at its last try, it is looked for alone. */
  get most(): number {
    if (this.closed) return 0;
    return this.drainingSince === null ? Infinity : 1;
  }

  /** Which of these begin: what goes back has to be back before the others begin, as one of them may end the process at once. */
  sort(runs: readonly ClaimedRun[], from: 'claim' | 'fire'): Sorted {
    // What is born meanwhile, as its firing was under way, would have to be waited for as well.
    if (from === 'fire' && this.isWaiting) {
      const back = runs.filter((run) => !isOnce(run)).map((run) => unstarted(run, 0));
      return { begin: runs.filter(isOnce), back };
    }
    const suspects = runs.filter(isSuspect);
    const lastTries = suspects.filter(isLastTry);
    if (lastTries.length === 0) this.endDrain();
    if (suspects.length === 0) return { begin: runs, back: [] };
    const now = this.clock.monotonic();
    const mayBeAlone = this.alone === null && now >= this.restUntil;
    if (lastTries.length > 0 && mayBeAlone) {
      this.drainingSince ??= now;
      // What must not run twice ends as lost when it is given back: it begins, and the last try waits for it.
      if (this.isDrained(now, this.drainingSince) && !runs.some(isOnce))
        return this.leaveAlone(lastTries[0]!, runs, now);
    }
    // While it drains, others may be sooner: those at their last try keep their place.
    const waitsMs = mayBeAlone ? 0 : Math.max(this.restUntil - now, putOff.leastMs);
    const back = lastTries.map((run) => unstarted(run, waitsMs));
    const others = suspects.filter((run) => !isLastTry(run));
    const room = Math.max(Math.floor(this.concurrency / suspectsAreOneIn), 1) - this.hands.suspects.length;
    const surplus = others.slice(Math.max(room, 0));
    back.push(...surplus.map((run) => unstarted(run, this.surplusWaitsMs())));
    const goesBack = new Set(back.map(({ runId }) => runId));
    return { begin: runs.filter(({ id }) => !goesBack.has(id)), back };
  }

  /** A run has ended, or was given back. */
  ended(runId: string): void {
    if (this.alone?.runId !== runId) return;
    this.rest(this.clock.monotonic() - this.alone.since);
    this.alone = null;
  }

  private leaveAlone(run: ClaimedRun, runs: readonly ClaimedRun[], now: number): Sorted {
    this.drainingSince = null;
    this.alone = { runId: run.id, since: now };
    const back = runs
      .filter((other) => other !== run)
      .map((other) => unstarted(other, isSuspect(other) ? putOff.leastMs : 0));
    return { begin: [run], back };
  }

  private isDrained(now: number, since: number): boolean {
    return this.hands.inHands === 0 || now - since >= longestDrainMs;
  }

  /** Somebody else was sooner. */
  private endDrain(): void {
    if (this.drainingSince === null || this.closed) return;
    this.rest(this.clock.monotonic() - this.drainingSince);
    this.drainingSince = null;
  }

  private rest(ms: number): void {
    this.restUntil = this.clock.monotonic() + ms;
  }

  private surplusWaitsMs(): number {
    const [longest] = this.hands.suspects;
    const forMs = longest === undefined ? 0 : this.clock.monotonic() - longest.startedAt;
    return Math.min(Math.max(forMs, putOff.leastMs), putOff.mostMs);
  }
}

/** It was in the hands of a worker that died. One that is to be tried once only never is. */
function isSuspect({ lostCount }: ClaimedRun): boolean {
  return lostCount > 0;
}

function isOnce({ policies }: ClaimedRun): boolean {
  return policyOf(policies, 'recovery') === 'abandon';
}

function isLastTry(run: ClaimedRun): boolean {
  return run.lostCount + 1 >= policyOf(run.policies, 'maxLost');
}

function unstarted({ id, fence, worker }: ClaimedRun, delayMs: number): Unstarted {
  return { runId: id, fence, worker, delayMs };
}
