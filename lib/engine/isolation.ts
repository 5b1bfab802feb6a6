import { policyOf } from '../model/policies.js';
import type { ClaimedRun } from '../model/run.js';
import type { Clock } from '../ports/clock.js';
import type { Unstarted } from '../ports/storage.adapter.js';
import { isOnce, unstarted } from './unstarted.js';

/** Of the runs that a worker executes at a time, one in so many may be one whose worker has died. */
const suspectsAreOneIn = 4;
/** For how long nothing else begins beside a run at its last try. */
export const longestAloneMs = 5 * 60_000;
/** For how long nothing begins so that a run at its last try may be alone: what goes on then is beside it. */
const longestDrainMs = 60_000;
/** What is put off comes again so much later; later if those it waits for take long. */
const putOff = { leastMs: 1_000, mostMs: 30_000 };
/** What is put off at one time comes again one after the other, so that a crowd of it does not keep claims busy. */
const putOffEveryMs = 50;
/** For so long one run at its last try may follow another, without a rest between them. */
const longestSeriesMs = 1_000;
/** As long as it takes as a rule until a verdict is on record. */
const verdictMs = 250;
/** So long before a run that was put off here is due it is looked for, so that this worker, which makes room for it, has it before the others. */
const soonerMs = 250;
/** A run that was claimed so often beyond its attempts has lost its place to a backlog each time that it was put off. */
const oftenPutOff = 24;

/** What a session has in hands. */
interface Hands {
  /** How many runs it has claimed whose end is not on record yet, and how many others its process still executes: would that die now, one of so many would be what it died of. */
  readonly claims: number;
  /** Those of them whose worker has died before, and for how long the first of them has been going on. */
  readonly suspects: { count: number; longestMs: number };
}

/** What becomes of the runs of a claim. */
export interface Sorted {
  begin: readonly ClaimedRun[];
  back: readonly Unstarted[];
}

/**
 * Keeps the neighbours of a run that kills its process from ending as `lost` with it. All that was in the hands of two workers that died are suspects: at
 * most a quarter of what a worker executes are such, and one at its last try before it is given up is alone: it begins when nothing else goes on, and nothing
 * begins beside it. So only the culprit dies alone; a death in company, as when somebody kills the process at that moment, gives up only what has died twice as often (`maxLost`).
 *
 * open → draining (a run at its last try was met: nothing begins until all has ended) → alone → on record: nothing begins until its verdict is, for a
 * quarter of a second at most → resting, for as long as that took: what else is due has its turn → open. For
 * a second at a time one follows another alone, without a drain and a rest between them.
 *
 * What a drain is for is not kept in hands meanwhile: it would be lost once more with whatever ends the process, and stand still until the lease ends. It is put off, each time for as long as the drain has taken so far:
 * nobody else meets it, and stands still for it too, and this worker looks for it a moment before it is due. One that is not found is somebody else's: the drain ends.
 */
export class Isolation {
  private alone: { runId: string; since: number } | null = null;
  /** `lookAt`: when to look for what it is for; null: that has kept its place, so it is looked for when all has ended. */
  private drain: { since: number; lookAt: number | null } | null = null;
  private restUntil = -Infinity;
  /** Since when one after the other was alone, and until when the next one may follow. */
  private seriesSince = 0;
  private seriesUntil = -Infinity;
  /** Until then it waits for the verdict of what was alone, so that the next one of its kind need not be put off for that. */
  private onRecordBy = -Infinity;
  /** When the last of those that are one too many comes again. */
  private surplusUntil = -Infinity;

  constructor(
    private readonly clock: Clock,
    private readonly concurrency: number,
    private readonly hands: Hands,
  ) {}

  /** Nothing may begin. */
  get closed(): boolean {
    // As a rule: there is no need to ask the clock for each run.
    if (this.alone === null && this.drain === null && this.onRecordBy === -Infinity) return false;
    const now = this.clock.monotonic();
    if (this.alone !== null) return now - this.alone.since < longestAloneMs;
    if (now < this.onRecordBy && this.hands.claims > 0) return true;
    if (this.drain === null) return false;
    return this.drain.lookAt === null ? !this.isDrained(now) : now < this.drain.lookAt;
  }

  /** What is alone, and until when nothing begins beside it (monotonic); null: nothing is. */
  get holding(): { runId: string; until: number } | null {
    if (this.alone === null || !this.closed) return null;
    return { runId: this.alone.runId, until: this.alone.since + longestAloneMs };
  }

  /** What falls due is born for anybody. */
  get isWaiting(): boolean {
    return this.closed || this.drain !== null;
  }

  /** How long it is until the run that it makes room for is to be looked for. */
  get opensInMs(): number {
    if (this.alone !== null) return Infinity;
    const now = this.clock.monotonic();
    const times = [this.onRecordBy, this.drain?.lookAt ?? -Infinity].filter((at) => at > now);
    return Math.min(...times.map((at) => at - now));
  }

  /** How long before it is due a run has to be claimed at least. */
  get soonerMs(): number {
    return this.drain?.lookAt == null ? 0 : 2 * soonerMs;
  }

  /** Which of these begin: what goes back has to be back before the others begin, as one of them may end the process at once. `asked`: how many it might have been. */
  sort(runs: readonly ClaimedRun[], from: 'claim' | 'fire', asked: number): Sorted {
    // What is born meanwhile, as its firing was under way, would have to be waited for as well.
    if (from === 'fire' && this.isWaiting) {
      const back = runs.filter((run) => !isOnce(run)).map((run) => unstarted(run));
      return { begin: runs.filter(isOnce), back };
    }
    const suspects = runs.filter(isSuspect);
    const lastTries = suspects.filter(isLastTry);
    if (lastTries.length === 0) this.endDrain();
    if (suspects.length === 0) return { begin: runs, back: [] };
    const now = this.clock.monotonic();
    const isAllThereIs = this.isAllThereIs(runs, asked);
    const goesOn = now < this.seriesUntil && this.hands.claims === 0;
    const mayBeAlone = this.alone === null && (now >= this.restUntil || isAllThereIs || goesOn);
    if (lastTries.length > 0 && mayBeAlone) {
      this.drain ??= { since: now, lookAt: null };
      // What must not run twice ends as lost when it is given back: it begins, and the last try waits for it.
      if (this.isDrained(now) && !runs.some(isOnce)) return this.leaveAlone(lastTries[0]!, runs, now);
      return this.putOffAll(runs, lastTries, now);
    }
    const sinceMs = this.alone === null ? this.restUntil - now : now - this.alone.since;
    const back = lastTries.map((run) => unstarted(run, bounded(sinceMs)));
    const others = suspects.filter((run) => !isLastTry(run));
    const room = Math.max(Math.floor(this.concurrency / suspectsAreOneIn), 1) - this.hands.suspects.count;
    const surplus = others.slice(Math.max(room, 0));
    back.push(...surplus.map((run) => unstarted(run, this.surplusWaitsMs())));
    const goesBack = new Set(back.map(({ runId }) => runId));
    return { begin: runs.filter(({ id }) => !goesBack.has(id)), back };
  }

  /** A run has ended, or was given back. */
  ended(runId: string): void {
    if (this.alone?.runId !== runId) return;
    const now = this.clock.monotonic();
    const lastedMs = now - this.seriesSince;
    this.rest(lastedMs);
    this.onRecordBy = now + verdictMs;
    this.seriesUntil = lastedMs < longestSeriesMs ? now + verdictMs : -Infinity;
    this.alone = null;
  }

  /** The others at their last try come one after the other: the next ones are alone here as well, for a moment, as all has ended that goes on beside them. */
  private leaveAlone(run: ClaimedRun, runs: readonly ClaimedRun[], now: number): Sorted {
    this.drain = null;
    this.alone = { runId: run.id, since: now };
    if (now >= this.seriesUntil) this.seriesSince = now;
    const others = runs.filter((other) => other !== run);
    const waitsMs = (other: ClaimedRun, nth: number): number => {
      if (isLastTry(other) && isSuspect(other)) return (nth + 1) * putOffEveryMs;
      return isSuspect(other) ? putOff.leastMs : 0;
    };
    return { begin: [run], back: others.map((other, nth) => unstarted(other, waitsMs(other, nth))) };
  }

  /** All has to end first, so nothing begins but what would be lost otherwise. */
  private putOffAll(runs: readonly ClaimedRun[], lastTries: readonly ClaimedRun[], now: number): Sorted {
    const drain = this.drain!;
    const delayMs = lastTries.some(isPutOffOften) ? 0 : bounded(now - drain.since);
    drain.lookAt = delayMs === 0 ? null : now + delayMs - soonerMs;
    const back = runs
      .filter((run) => !isOnce(run))
      .map((run) => unstarted(run, !isSuspect(run) ? 0 : isLastTry(run) ? delayMs : putOff.leastMs));
    return { begin: runs.filter(isOnce), back };
  }

  /** Nothing else waits for its turn: more was asked for than these, and nothing goes on. */
  private isAllThereIs(runs: readonly ClaimedRun[], asked: number): boolean {
    return this.hands.claims === 0 && runs.length < asked && runs.every(isLastTry);
  }

  private isDrained(now: number): boolean {
    return this.hands.claims === 0 || (this.drain !== null && now - this.drain.since >= longestDrainMs);
  }

  /** Somebody else was sooner. */
  private endDrain(): void {
    if (this.drain === null || this.closed) return;
    this.rest(this.clock.monotonic() - this.drain.since);
    this.drain = null;
  }

  private rest(ms: number): void {
    this.restUntil = this.clock.monotonic() + Math.min(ms, longestAloneMs);
  }

  private surplusWaitsMs(): number {
    const now = this.clock.monotonic();
    const waitsMs = bounded(Math.max(this.hands.suspects.longestMs, this.surplusUntil + putOffEveryMs - now));
    this.surplusUntil = now + waitsMs;
    return waitsMs;
  }
}

function bounded(waitsMs: number): number {
  return Math.min(Math.max(waitsMs, putOff.leastMs), putOff.mostMs);
}

/** Each claim and each return counts in the fence; an attempt is made by one claim. */
function isPutOffOften({ fence, attempt }: ClaimedRun): boolean {
  return fence - attempt >= oftenPutOff;
}

/**
 * It may be what its worker died of. One that was lost once is not, unless that leaves it one try: most processes that die do so for reasons of their own, and
 * all that they had in hands has to go on at once elsewhere.
 */
export function isSuspect(run: ClaimedRun): boolean {
  return run.lostCount > 1 || (run.lostCount > 0 && isLastTry(run));
}

/** It is given up when its worker dies once more. */
export function isLastTry({ lostCount, policies }: Pick<ClaimedRun, 'lostCount' | 'policies'>): boolean {
  return lostCount + 1 >= policyOf(policies, 'maxLost');
}
