import type { ChronisError } from '../model/chronis.error.js';
import { InvalidPayloadError, InvalidWorkflowError } from '../model/errors.js';
import { isOf } from '../model/recognized.js';
import type { Settlement, SettleResult, StorageAdapter } from '../ports/storage.adapter.js';
import { tellAnswer } from './answers.js';
import { CallSize } from './call.size.js';
import { RefusedResults } from './refused.results.js';
import type { StorageCalls } from './storage.calls.js';
import { UnclearVerdicts } from './unclear.verdicts.js';
import { isOpen, type SettleVerdict, type WaitingResult } from './waiting.result.js';

const largestBatch = 1_000;
/** Of the texts in one call, in characters. */
const largestText = 4_000_000;
/** Of the texts of all that waits, in characters: more than that is not taken on. */
const fullAt = 64_000_000;
/** A call that takes longer waits for somebody else's lock, as a rule. */
const patienceMs = 1_000;
/** What has failed alone so often, within minutes, while others got through, will not be stored as it is. */
const mostFailuresAlone = 30;
/** So many rounds at most pass between two tries of what fails alone. */
const mostRoundsPassed = 4;

/**
 * Writes settlements in batches that form by themselves: what arrives while a call is under way goes into the next one.
 * No timer, so an idle worker settles at once and a busy one in large batches.
 *
 * A settlement is repeated until it got an answer; none keeps the others waiting. A call that fails is smaller the next time, and one that fails alone is
 * tried apart, as are those that somebody has locked. A batch that holds something that cannot be stored is divided until that is alone: it is written with a
 * note in place of its error and result.
 *
 * While a call does not answer, as somebody has locked a table that it needs, what needs no more than runs and attempts is written beside it, until one of the others has answered.
 */
export class Settler {
  /** Whether the last call has failed. */
  failing = false;
  readonly refused = new RefusedResults();
  private waiting: WaitingResult[] = [];
  private apart: WaitingResult[] = [];
  private writing: Promise<void> | null = null;
  private writingBeside: Promise<void> | null = null;
  private isLate = false;
  private retrying: Promise<void> | null = null;
  private readonly unclear: UnclearVerdicts;
  /** By run: an answer names runs. */
  private readonly pending = new Map<string, WaitingResult>();
  /** Results of other claims of these runs, of two sessions or handed out anew: each waits for the one before. */
  private behind: WaitingResult[] = [];
  private readonly count = new CallSize(largestBatch);
  private readonly text = new CallSize(largestText);
  private size = 0;
  private closed = false;

  constructor(
    private readonly storage: StorageAdapter,
    private readonly calls: StorageCalls,
    /** Settles steps of workflows, and what comes with them. */
    private readonly settleSteps = (settlements: readonly Settlement[]): Promise<SettleResult> =>
      storage.settle(settlements),
  ) {
    this.unclear = new UnclearVerdicts(storage, calls, {
      isClosed: () => this.closed,
      end: (item, verdict) => this.end(item, verdict),
    });
  }

  /** Whether so much waits that no more should be begun. */
  get isFull(): boolean {
    return this.size >= fullAt;
  }

  /** Whether the storage answers, and what waits is only locked by somebody. */
  get isHeldUp(): boolean {
    const isAsking = [...this.pending.values()].some(({ isUnderWay }) => isUnderWay);
    return this.pending.size > 0 && !this.failing && !isAsking;
  }

  settle(item: WaitingResult): void {
    if (this.closed) return item.done('unsettled');
    this.size += item.size;
    const { runId } = item.settlement;
    if (this.pending.has(runId)) {
      this.behind.push(item);
      return;
    }
    this.pending.set(runId, item);
    this.waiting.push(item);
    this.writing ??= this.going(() => this.write());
    this.writeBeside();
  }

  /** Resolves when everything that waits has been written. */
  async flush(): Promise<void> {
    while (this.pending.size > 0) {
      await Promise.all([this.writing, this.writingBeside, this.retrying, this.unclear.lookingUp]);
    }
  }

  /** Gives up on what has not been written. */
  close(): void {
    this.closed = true;
    for (const item of this.behind.splice(0)) item.done('unsettled');
    for (const item of this.pending.values()) {
      this.end(item, item.isUnclear || item.isUnderWay ? 'unconfirmed' : 'unsettled');
    }
  }

  private going(lane: () => Promise<void>): Promise<void> {
    return this.calls.keepGoing('settling', lane, () => !this.closed);
  }

  private async write(): Promise<void> {
    const send = async (batch: readonly WaitingResult[]): Promise<void> => {
      const cancel = this.calls.clock.setTimer(patienceMs, () => {
        this.isLate = true;
        this.writeBeside();
      });
      try {
        await this.send(batch);
        this.isLate = false;
      } finally {
        cancel();
      }
    };
    await this.writeAll(send, null, () => (this.writing = null));
  }

  private writeBeside(): void {
    if (!this.isLate || this.writingBeside !== null || !this.waiting.some(isSimple)) return;
    this.writingBeside = this.going(() =>
      this.writeAll(
        (batch) => this.send(batch),
        isSimple,
        () => (this.writingBeside = null),
      ),
    );
  }

  /** `isMeant`: null: all are · `onEnd`: called in the same moment in which nothing is left. */
  private async writeAll(
    send: (batch: readonly WaitingResult[]) => Promise<void>,
    isMeant: ((item: WaitingResult) => boolean) | null,
    onEnd: () => void,
  ): Promise<void> {
    // Results of one turn of the event loop make one batch.
    await Promise.resolve();
    let failures = 0;
    while (!this.closed) {
      const batch = this.take(isMeant);
      if (batch.length === 0) break;
      try {
        await send(batch);
        failures = 0;
      } catch (error) {
        const left = this.shrink(batch);
        if (left.length === 1 && this.waiting.length > 0) this.setApart(left, true);
        else this.waiting.unshift(...left);
        if (!this.closed) await this.calls.pauseAfter('settle', error, failures++);
      }
    }
    onEnd();
  }

  /** What is tried apart is tried by and by: somebody's lock may last. */
  private async retry(): Promise<void> {
    for (let tries = 0; this.apart.length > 0 && !this.closed; tries++) {
      await this.calls.pause(tries);
      const some = this.takeApart();
      const together = some.filter(({ isAlone }) => !isAlone);
      const batches = some.filter(({ isAlone }) => isAlone).map((item) => [item]);
      for (const batch of together.length > 0 ? [together, ...batches] : batches) {
        if (this.closed) break;
        try {
          await this.send(batch);
        } catch (error) {
          // One that fails for itself says nothing of how much a call carries, nor whether others get through.
          const isOne = batch.length === 1;
          if (isOne && isOpen(batch[0]!)) this.noteFailure(batch[0]!, error);
          if (isOne) continue;
          this.setApart(this.shrink(batch), true);
          if (!this.closed) await this.calls.pauseAfter('settle', error, tries);
        }
      }
    }
    this.retrying = null;
  }

  /** What has failed lately lets some rounds pass, so that many such do not make many calls. */
  private takeApart(): WaitingResult[] {
    const taken: WaitingResult[] = [];
    const left: WaitingResult[] = [];
    for (const item of this.apart) {
      if (!isOpen(item)) continue;
      const passes = item.roundsToPass > 0 && !this.calls.isHurried;
      if (passes) item.roundsToPass--;
      if (passes || taken.length === largestBatch) left.push(item);
      else taken.push(item);
    }
    this.apart = left;
    return taken;
  }

  /** It is tried again by and by, by itself. */
  private noteFailure(item: WaitingResult, error: unknown): void {
    item.failuresAlone++;
    item.roundsToPass = Math.min(item.failuresAlone, mostRoundsPassed);
    if (item.failuresAlone >= mostFailuresAlone && !this.failing && !item.isNoted) item.leaveOut(error);
    this.setApart([item], true);
    if (!this.closed) this.calls.tellFailure(item.operation, error, item.roundsToPass);
  }

  private setApart(items: readonly WaitingResult[], isAlone: boolean): void {
    for (const item of items) item.isAlone = isAlone;
    this.apart.push(...items);
    this.retrying ??= this.going(() => this.retry());
  }

  private take(isMeant: ((item: WaitingResult) => boolean) | null): WaitingResult[] {
    const { waiting } = this;
    // As a rule, of all that is pending: there is no need to look at each.
    const isAll = isMeant === null && waiting.length <= this.count.value && this.size <= this.text.value;
    if (isAll) {
      this.waiting = [];
      return waiting;
    }
    const taken: WaitingResult[] = [];
    const left: WaitingResult[] = [];
    let text = 0;
    let seen = 0;
    for (const item of waiting) {
      if (isMeant === null || isMeant(item)) {
        text += item.size;
        const isFull = taken.length === this.count.value || (taken.length > 0 && text > this.text.value);
        if (isFull) break;
        taken.push(item);
      } else left.push(item);
      seen++;
    }
    this.waiting = left.concat(waiting.slice(seen));
    return taken;
  }

  /** After a failure; returns what of the batch has no answer. */
  private shrink(batch: readonly WaitingResult[]): WaitingResult[] {
    this.failing = true;
    this.count.shrink(batch.length);
    this.text.shrink(batch.reduce((sum, { size }) => sum + size, 0));
    return batch.filter(isOpen);
  }

  private async send(batch: readonly WaitingResult[]): Promise<void> {
    for (const item of batch) item.isUnderWay = true;
    const [first] = batch;
    const operation = batch.length === 1 && first!.failuresAlone > 0 ? first!.operation : 'settle';
    const settlements = batch.map(({ settlement }) => settlement);
    const hasSteps = settlements.some(({ flowStep }) => flowStep !== undefined);
    const sentAt = this.calls.clock.monotonic();
    try {
      const {
        accepted,
        locked,
        refused = [],
        taken = [],
      } = await this.calls.trying(operation, () =>
        hasSteps ? this.settleSteps(settlements) : this.storage.settle(settlements),
      );
      tellAnswer(this.calls, 'settle', sentAt, batch.length, taken.length);
      this.failing = false;
      this.calls.outages.answered('settle');
      for (const item of batch) item.isUnderWay = false;
      this.count.grow();
      this.text.grow();
      const answered = refused.length === 0 ? batch : this.withoutRefused(batch, refused);
      for (const item of answered) if (item.failuresAlone > 0) this.calls.outages.answered(item.operation);
      // As a rule all are: each is named once, as is each run of a batch.
      if (accepted.length === batch.length) for (const item of batch) this.end(item, 'accepted');
      else this.answer(answered, new Set(accepted), new Set(locked));
    } catch (error) {
      for (const item of batch) {
        item.isUnderWay = false;
        item.isUnclear = true;
      }
      if (!isOf(error, InvalidPayloadError) && !isOf(error, InvalidWorkflowError)) throw error;
      await this.divide(batch, error);
    }
  }

  /** The storage answers, so these are its own affair. */
  private withoutRefused(
    batch: readonly WaitingResult[],
    refused: NonNullable<SettleResult['refused']>,
  ): WaitingResult[] {
    const errors = new Map(refused.map(({ runId, error }) => [runId, error]));
    return batch.filter((item) => {
      const isRefused = errors.has(item.settlement.runId);
      if (isRefused && isOpen(item)) {
        this.refused.add(item);
        this.noteFailure(item, errors.get(item.settlement.runId));
      }
      return !isRefused;
    });
  }

  private answer(
    batch: readonly WaitingResult[],
    accepted: ReadonlySet<string>,
    locked: ReadonlySet<string>,
  ): void {
    const apart: WaitingResult[] = [];
    for (const item of batch) {
      const { runId } = item.settlement;
      if (accepted.has(runId)) this.end(item, 'accepted');
      else if (locked.has(runId)) {
        this.calls.locks.note('results', runId);
        apart.push(item);
      } else if (!item.isUnclear) this.end(item, 'refused');
      else this.unclear.add(item);
    }
    this.unclear.begin();
    if (apart.length > 0) this.setApart(apart, false);
  }

  /** Something in the batch cannot be stored, and never will be. */
  private async divide(batch: readonly WaitingResult[], error: ChronisError): Promise<void> {
    if (batch.length > 1) {
      const half = Math.ceil(batch.length / 2);
      await this.send(batch.slice(0, half));
      return this.send(batch.slice(half));
    }
    const [item] = batch as [WaitingResult];
    // Nothing is left to be left out.
    if (item.isNoted) throw error;
    item.leaveOut(error);
    return this.send(batch);
  }

  private end(item: WaitingResult, verdict: SettleVerdict): void {
    if (item.isOver) return;
    const { runId } = item.settlement;
    this.pending.delete(runId);
    this.size -= item.size;
    this.refused.delete(item);
    const isWritten = verdict !== 'unsettled' && verdict !== 'unconfirmed';
    if (this.calls.locks.waits('results')) this.calls.locks[isWritten ? 'free' : 'leave']('results', runId);
    item.end(verdict);
    if (this.behind.length > 0) this.bringForward(runId);
  }

  /** The next result of this run. */
  private bringForward(runId: string): void {
    const nth = this.behind.findIndex(({ settlement }) => settlement.runId === runId);
    if (nth === -1) return;
    const [item] = this.behind.splice(nth, 1) as [WaitingResult];
    this.size -= item.size;
    this.settle(item);
  }
}

function isSimple(item: WaitingResult): boolean {
  return item.isSimple;
}
