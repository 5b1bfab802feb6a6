import { rowOperations } from '../events/storage.operations.js';
import type { JobRef } from '../model/job.js';
import type { ClaimedRun } from '../model/run.js';
import type { Clock } from '../ports/clock.js';
import type {
  ClaimResult,
  DueCursor,
  EpochMs,
  GiveBackResult,
  Settlement,
  SettleResult,
  StorageAdapter,
  Unstarted,
} from '../ports/storage.adapter.js';
import { tellAnswer } from './answers.js';
import type { Alarm } from './alarm.js';
import { CallSize } from './call.size.js';
import { firingPatienceMs } from './claims.beside.js';
import type { Fired, Firer } from './firer.js';
import type { Sorted } from './isolation.js';
import type { Lead } from './lead.js';
import { PauseBarrier } from './pause.barrier.js';
import { RefusedRuns } from './refused.runs.js';
import type { StorageCalls } from './storage.calls.js';
import type { StorageTime } from './storage.time.js';
import { StrayRuns } from './stray.runs.js';
import { isOnce, unstarted } from './unstarted.js';
import type { WorkerSession } from './worker.session.js';

/**
 * How many cursors one statement fires: as many as there is room for, within these bounds. The runs of a portion start when it is done, so a small
 * one is sooner there, and a large one costs less.
 */
const portion = { least: 100, most: 250 };
/** A claim that fails after so long may have been more than the connection carries by the deadline. */
const slowFailureMs = 2_000;
/** One that takes so long is near to that. */
const slowMs = 1_000;

/** Longer than a statement takes, or than an event loop is busy as a rule. */
const slowAnswerMs = 50;
/** How often what is handed out is looked at again, as something has changed meanwhile. */
const mostLooks = 9;

/** What a step of a turn has done; `isKnown`: what the loop knows of the future holds all the same. */
export interface Done {
  count: number;
  isKnown: boolean;
}

/** What is to be fired, and what came of it so far. */
interface FiringOrder {
  left: DueCursor[];
  count: number;
  unclaimed: number;
  nextAt: EpochMs;
}

/** Room for what a call under way may hand out. */
interface PromisedRoom {
  count: number;
  /** When it is given up, so that claims can go on meanwhile (monotonic). */
  until: number;
}

interface IntakeParts {
  storage: StorageAdapter;
  clock: Clock;
  time: StorageTime;
  /** How long before their instants firings and claims are sent. */
  firingLead: Lead;
  claimLead: Lead;
  /** Whether the lease is trusted, so that work may begin. */
  trusted: () => boolean;
  calls: StorageCalls;
  /** Called with the jobs of runs that have ended as lost. */
  onGaveUp: (jobs: readonly JobRef[]) => void;
  /** Called when there is something to claim that nobody tells of. */
  onFound: () => void;
}

/** Gets runs for a session, by firing and by claiming, never more than it has room for, and has it begin them. */
export class RunIntake {
  /** What is due may have been left, for want of room. */
  isBehind = true;
  private readonly promises = new Set<PromisedRoom>();
  /** Calls that hand out runs, until what they brought has begun or went back. */
  private readonly underWay = new Set<Promise<unknown>>();
  private readonly claimSize = new CallSize(Number.MAX_SAFE_INTEGER);
  private readonly firingSize = new CallSize(portion.most);
  private readonly strays: StrayRuns;
  private readonly pauses: PauseBarrier;
  private readonly refused: RefusedRuns;

  constructor(
    private readonly session: WorkerSession,
    private readonly firer: Firer,
    private readonly alarm: Alarm,
    private readonly parts: IntakeParts,
  ) {
    this.refused = new RefusedRuns(parts.calls, rowOperations.claim);
    this.pauses = new PauseBarrier({
      time: parts.time,
      changes: () => session.changes,
      read: () => this.certain(() => parts.storage.queryPauses()),
    });
    this.strays = new StrayRuns({
      ...parts,
      session,
      settled: () => Promise.allSettled(this.underWay),
    });
  }

  /** Not for a firing that does not answer: what it hands out after all begins where there is room for it then. */
  private get promised(): number {
    const now = this.parts.clock.monotonic();
    let sum = 0;
    for (const { count, until } of this.promises) if (now < until) sum += count;
    return sum;
  }

  /** How many runs more may be asked for. */
  get room(): number {
    return Math.max(this.session.room - this.promised, 0);
  }

  /**
   * Fires cursors that are due, portion by portion, so that the first handlers begin while the rest is under way: two portions at a time where there is
   * room for both, so that the storage works while handlers begin. What there is no room for is born for anybody. `nextAt`: the earliest of
   * their next times.
   */
  async fire(cursors: readonly DueCursor[]): Promise<Done & { unclaimed: number; nextAt: EpochMs }> {
    const order: FiringOrder = { left: [...cursors], count: 0, unclaimed: 0, nextAt: Infinity };
    const lanes = await Promise.allSettled([this.firePortions(order), this.fireBeside(order)]);
    const failed = lanes.find((lane) => lane.status === 'rejected');
    if (failed) throw failed.reason;
    const { count, unclaimed, nextAt } = order;
    return { count, isKnown: unclaimed === 0 && count === cursors.length, unclaimed, nextAt };
  }

  private async firePortions(order: FiringOrder): Promise<void> {
    for (let isFirst = true; this.mayFire(order); isFirst = false) {
      // Handlers that end at once make room for more.
      if (this.room === 0 && !isFirst) await this.untilRoom();
      await this.firePortion(order);
    }
  }

  private async fireBeside(order: FiringOrder): Promise<void> {
    while (this.mayFire(order) && this.room > 0) await this.firePortion(order);
  }

  private mayFire({ left }: FiringOrder): boolean {
    return left.length > 0 && this.session.active && this.parts.trusted();
  }

  private async firePortion(order: FiringOrder): Promise<void> {
    const { room } = this;
    const wanted = room === 0 ? portion.most : Math.min(Math.max(room, portion.least), portion.most);
    const size = Math.min(wanted, this.firingSize.value);
    const some = order.left.splice(0, size);
    const share = this.session.isIsolating || this.isTooEarlyFor(room, some) ? 0 : Math.min(room, size);
    try {
      const fired = await this.noted(this.handingOut('fire', share, () => this.fireTimed(some, share)));
      order.count += fired.moved;
      order.unclaimed += fired.unclaimed;
      order.nextAt = Math.min(order.nextAt, fired.nextAt);
      this.firingSize.grow();
    } catch (error) {
      this.firingSize.shrink(some.length);
      // What fails alone must not be the first of the next portion, too.
      if (some.length === 1) this.firer.leave(some[0]!, error);
      order.left = [];
      throw error;
    }
  }

  /** What is claimed long before its instant would keep what is due meanwhile from this room. It waits for its claim instead. */
  private isTooEarlyFor(room: number, cursors: readonly DueCursor[]): boolean {
    const { time, firingLead } = this.parts;
    return cursors[0]!.nominalAt - time.scheduleNow() > firingLead.of(room);
  }

  private async fireTimed(cursors: readonly DueCursor[], room: number): Promise<Fired> {
    const { clock, firingLead } = this.parts;
    const sentAt = clock.monotonic();
    const fired = await this.firer.fire(this.session.capability, cursors, room);
    firingLead.note(cursors.length, clock.monotonic() - sentAt);
    return fired;
  }

  async claim(wanted: number, aheadMs: number): Promise<Done> {
    const { time, claimLead, clock } = this.parts;
    const limit = Math.min(wanted, this.claimSize.value);
    let begun = 0;
    const claiming = this.handingOut(
      'claim',
      limit,
      async () => {
        const sentAt = clock.monotonic();
        const result = await this.claimSized(limit, aheadMs + time.earlyMs);
        if (result.now !== null) time.observe(result.now, sentAt);
        claimLead.note(result.runs.length, clock.monotonic() - sentAt);
        // Before they begin, as they may end at once.
        this.isBehind = result.runs.length === limit;
        return result;
      },
      (count) => (begun = count),
    );
    const { runs } = await this.noted(claiming);
    // As many as there was room for: the next are due as well. What only went back is nothing done: looking for more of that at once would be without end.
    return { count: begun, isKnown: runs.length === limit };
  }

  /**
   * Settles steps of workflows, and begins what is born by that, as far as there is room for it. What is left of that, as the call failed or what has to go back could not, is looked for beside.
   */
  settleSteps(settlements: readonly Settlement[], room: number): Promise<SettleResult> {
    const { capability } = this.session;
    const { storage, clock, time } = this.parts;
    const sentAt = clock.monotonic();
    const settling = storage.settle(settlements, { capability, room });
    const begin = async (): Promise<{ runs: ClaimedRun[] }> => {
      const { taken: runs = [] } = await settling;
      // They are due since the storage's time of this call, whenever that was last heard of.
      if (runs.length > 0) time.observe(runs[0]!.dueAt, sentAt);
      return { runs };
    };
    // Who settles is told of a failure.
    this.noted(this.handingOut('fire', room, begin)).then(
      () => this.alarm.wake(),
      () => this.alarm.wake(),
    );
    return settling;
  }

  /** Runs with large payloads over a slow connection: fewer at a time, until they get through. */
  private async claimSized(limit: number, aheadMs: number): Promise<ClaimResult> {
    const { storage, clock, time } = this.parts;
    const sentAt = clock.monotonic();
    try {
      const result = await storage.claim(this.session.capability, limit, aheadMs, time.reached);
      tellAnswer(this.parts.calls, 'claim', sentAt, result.runs.length, result.runs.length);
      if (result.runs.length === this.claimSize.value)
        this.claimSize.grow(clock.monotonic() - sentAt < slowMs ? 2 : 1.25);
      if (result.refused !== undefined) this.refused.note(result.refused, false);
      return result;
    } catch (error) {
      if (clock.monotonic() - sentAt >= slowFailureMs) this.claimSize.shrink(limit);
      throw error;
    }
  }

  /** Looks, beside the loop, for what a call that failed may have handed out. */
  clearDoubt(): void {
    this.strays.check();
  }

  /** Resolves when nothing is under way beside the loop any more. */
  async stop(): Promise<void> {
    // What a settlement hands over goes back while the worker is still known: else it would count as lost with it.
    await Promise.allSettled(this.underWay);
    await this.strays.stop();
  }

  /** What could not be given back, as somebody else has locked it or the storage refuses it, is tried again beside. */
  private noteGivenBack({ lost, left, refused = [] }: GiveBackResult): void {
    this.parts.onGaveUp(lost);
    this.session.giveBack([...left, ...refused]);
  }

  /** A moment at most; twice, as the first sleep may be over at once by an earlier wake. */
  private async untilRoom(): Promise<void> {
    for (let tries = 0; this.room === 0 && tries < 2; tries++) await this.alarm.sleep(0);
  }

  /** As long as it is under way, what it brings is not known yet. */
  private async noted<T>(handing: Promise<T>): Promise<T> {
    this.underWay.add(handing);
    try {
      return await handing;
    } finally {
      this.underWay.delete(handing);
    }
  }

  /** Begins what a call hands out, which is at most so many runs. */
  private async handingOut<T extends { runs: ClaimedRun[] }>(
    from: 'claim' | 'fire',
    room: number,
    call: () => Promise<T>,
    onSorted: (begins: number) => void = () => undefined,
  ): Promise<T> {
    const asOf = this.session.changes;
    const { clock } = this.parts;
    const sentAt = clock.monotonic();
    const promise = { count: room, until: from === 'fire' ? sentAt + firingPatienceMs : Infinity };
    this.promises.add(promise);
    try {
      const result = await this.certain(call);
      // Where the event loop was blocked, what this process is told of may have come with the answer, and be heard after it.
      if (result.runs.length > 0 && clock.monotonic() - sentAt >= slowAnswerMs)
        await new Promise<void>((resolve) => void clock.setTimer(0, resolve));
      const fits = this.fitting(result.runs, promise);
      const sorted = this.session.sort(fits, from, room);
      const surplus = result.runs.slice(fits.length).map((run) => unstarted(run));
      const isAll = sorted.back.length + surplus.length === 0 && asOf === this.session.changes;
      // As a rule, and each wait for nothing would take a part of what an idle worker is late by.
      const begin = isAll
        ? sorted.begin
        : await this.withoutStopped({ ...sorted, back: [...sorted.back, ...surplus] }, asOf);
      onSorted(begin.length);
      // From here on they are in hands, and what ends at once makes room at once.
      promise.count = 0;
      await this.giveBack(this.session.begin(begin, asOf));
      return result;
    } finally {
      this.promises.delete(promise);
    }
  }

  /** What there is room for, as others may have taken what was promised. What must not run twice begins all the same: it would end as lost if it were given back. */
  private fitting(runs: ClaimedRun[], promise: PromisedRoom): ClaimedRun[] {
    if (this.parts.clock.monotonic() < promise.until) return runs;
    const once = runs.filter(isOnce);
    runs.sort((a, b) => Number(isOnce(b)) - Number(isOnce(a)));
    promise.until = Infinity;
    promise.count = 0;
    promise.count = Math.max(Math.min(runs.length, this.room), once.length);
    return runs.slice(0, promise.count);
  }

  /**
   * Gives back what does not begin, before anything does: what begins may end the process at once, and what it has in hands then counts as lost. What a pause stops that it is told of meanwhile does
   * not begin either.
   */
  private async withoutStopped({ begin, back }: Sorted, asOf: number): Promise<readonly ClaimedRun[]> {
    let goesBack: readonly Unstarted[] = back;
    for (let open = begin, seen = asOf, looks = 0; ; looks++) {
      await this.orRefused(open, this.giveBack(goesBack));
      if (seen === this.session.changes || open.length === 0 || looks === mostLooks) return open;
      const sorted = await this.orRefused(open, this.pauses.sort(open, seen));
      seen = sorted.seen;
      this.session.refuse(sorted.stopped);
      open = sorted.begin;
      goesBack = sorted.stopped.map((run) => unstarted(run));
    }
  }

  /** If what comes before their beginning fails, they do not begin. */
  private async orRefused<T>(runs: readonly ClaimedRun[], first: Promise<T>): Promise<T> {
    try {
      return await first;
    } catch (error) {
      this.session.refuse(runs);
      throw error;
    }
  }

  private async giveBack(runs: readonly Unstarted[]): Promise<void> {
    if (runs.length > 0) this.noteGivenBack(await this.certain(() => this.parts.storage.giveBack(runs)));
  }

  /** Calls something that hands out runs or takes them back; a failure leaves it open whether it did. */
  private async certain<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      this.strays.doubt();
      throw error;
    }
  }
}
