import { isDeferred, workOff } from '../model/deferred.work.js';
import type { DurableStepKind } from '../model/durable.step.js';
import { ClaimLostError, InvalidOptionError, SignalTimeoutError } from '../model/errors.js';
import type { JsonValue } from '../model/json.js';
import type { ClaimedRun } from '../model/run.js';
import type { AnyTransactionOptions, TransactionManager, TransactionWork } from '../ports/run.transaction.js';
import type {
  EpochMs,
  Hold,
  RunStep,
  RunStepPlace,
  RunStepRecord,
  RunStepWait,
} from '../ports/storage.adapter.js';
import { assertOutside, insideStep, refuseWithinStepTransaction } from './inside.step.js';
import type { DurableStepOptions, DurableStepTry, SleepOptions, WaitForOptions } from './run.context.js';
import { describeError } from './settlement.js';
import { assertKind, assertOrder } from './step.mismatch.js';
import { checkedName, nameOfSleep, NumberedNames, signalName } from './step.names.js';
import { follow, StepOrder } from './step.order.js';
import type { StepParts } from './step.parts.js';
import { stepPoliciesOf, type StepPolicies } from './step.policies.js';
import { asResult } from './step.result.js';
import { delayBeforeRetry, pause, tryOnce } from './step.tries.js';
import { waitOptionsOf } from './step.waits.js';
import { assertTransactionOptions } from './transaction.options.js';

/** A step, as far as its name, and what is stored of it, say. */
interface Begun {
  place: RunStepPlace;
  /** Undefined: nothing is stored, or it has not ended. */
  known: RunStep | undefined;
}

/** The delay before a retry of a step that takes the place of a worker: to end the attempt for it would cost more. */
const longestWaitInPlaceMs = 1_000;

/** In place of a result: the step waits, and what follows it is for a later attempt. */
const asleep = Symbol('asleep');
type Asleep = typeof asleep;

/**
 * The durable steps of one attempt: one that has ended in an earlier attempt is not run again, but has its result.
 *
 * Steps are found again by name. As long as one begins after the other has ended, and none has failed, their order is known as well, and one that differs from that of an earlier attempt is told.
 */
export class DurableSteps {
  private readonly begun = new Set<string>();
  private readonly names = new NumberedNames();
  private readonly order = new StepOrder();
  private stored: Promise<ReadonlyMap<string, RunStep>> | null = null;
  private underWay = 0;
  /** So far each has begun after those before it had ended, and none has failed. */
  private isOrdered = true;
  /** The earliest end of what waits, Infinity: that of a signal; null: nothing waits. */
  private wakeAt: EpochMs | null = null;
  private readonly awaitingIdle: (() => void)[] = [];

  constructor(private readonly parts: StepParts) {}

  /** When the earliest of what waits goes on; Infinity: by a signal; null: nothing waits. */
  get wakesAt(): EpochMs | null {
    return this.wakeAt;
  }

  get isUnderWay(): boolean {
    return this.underWay > 0;
  }

  /** Resolves when no step is under way, and none has followed. */
  async idle(): Promise<void> {
    while (this.isUnderWay) {
      await new Promise<void>((resolve) => this.awaitingIdle.push(resolve));
      await this.isFollowed();
    }
  }

  /** See `RunContext.step`. */
  async step(
    name: string,
    work: (step: DurableStepTry) => unknown,
    options?: DurableStepOptions,
  ): Promise<JsonValue> {
    const step = checkedName(name, work, 'context.step');
    const policies = stepPoliciesOf(options);
    if (policies.maxRetries > 0) assertOutside('maxRetries', 'has a step with retries', 'make it');
    return this.ended(step, 'step', (begun) => this.run(begun, work, policies));
  }

  /** See `RunSteps.transaction`. */
  async transaction(
    name: string,
    work: TransactionWork<unknown>,
    options: AnyTransactionOptions = {},
  ): Promise<JsonValue> {
    const step = checkedName(name, work, 'context.step.transaction');
    assertTransactionOptions('context.step.transaction()', options);
    refuseWithinStepTransaction('context.step.transaction()');
    return this.ended(step, 'step', (begun) => this.transact(begun.place, work, options));
  }

  /** Never resolves where there is time left: the attempt ends, and another one comes here then. */
  async sleep(until: (now: EpochMs) => EpochMs, options?: SleepOptions): Promise<void> {
    const given = nameOfSleep(options);
    assertOutside('sleep', 'sleeps', 'sleep');
    const example = "context.sleep('1h', { name: 'before the reminder' })";
    const name = given ?? this.names.next('sleep', 'sleep', example);
    await this.ended(name, 'sleep', (begun) => this.sleepOn(begun, until));
    if (given === null) this.names.ended('sleep');
  }

  /** See `RunContext.waitFor`. */
  async waitFor(signal: string, options?: WaitForOptions): Promise<JsonValue> {
    const kind = `wait for ${JSON.stringify(signalName(signal))}`;
    const { as, timeoutMs } = waitOptionsOf(options);
    assertOutside('waitFor', `waits for the signal ${JSON.stringify(signal)}`, 'wait');
    const example = `context.waitFor(${JSON.stringify(signal)}, { as: 'approved by the owner' })`;
    const name = as ?? this.names.next(kind, 'waitFor', example);
    const awaiting = (begun: Begun): Promise<RunStep | Asleep> => this.awaitSignal(begun, signal, timeoutMs);
    const step = await this.perform(name, 'signal', awaiting, signal);
    if (step === asleep) return unending();
    if (as === null) this.names.ended(kind);
    if (step.timedOut) throw new SignalTimeoutError(this.parts.run.id, signal, step.until!);
    return structuredClone(step.result);
  }

  private async ended(
    name: string,
    kind: DurableStepKind,
    run: (begun: Begun) => Promise<JsonValue | Asleep>,
  ): Promise<JsonValue> {
    const result = await this.perform(name, kind, async (begun) => {
      const value = await run(begun);
      return value === asleep ? asleep : { result: value };
    });
    return result === asleep ? unending() : result.result;
  }

  /** What `run` makes of a step that has not ended by now, or what is stored of it. */
  private async perform<T extends { result: JsonValue }>(
    name: string,
    kind: DurableStepKind,
    run: (begun: Begun) => Promise<T | Asleep>,
    signal: string | null = null,
  ): Promise<T | RunStep | Asleep> {
    const position = this.begin(name);
    try {
      const stored = await this.known();
      const known = stored.get(name);
      const { run: claimed, now } = this.parts;
      if (position !== null) assertOrder(claimed.id, name, position, known, stored);
      if (known !== undefined) assertKind(claimed.id, known, kind, signal, position);
      if (known !== undefined && known.finishedAt !== null) {
        await this.order.turnOf(known.ended ?? 0);
        return { ...known, result: structuredClone(known.result) };
      }
      this.parts.throwIfAborted();
      const place = { name, kind, position, attempt: claimed.attempt, startedAt: now() };
      return await run({ place, known });
    } finally {
      this.underWay--;
      if (!this.isUnderWay) {
        for (const resolve of this.awaitingIdle.splice(0)) resolve();
        void this.suspendIfIdle();
      }
    }
  }

  private begin(name: string): number | null {
    if (this.begun.has(name)) {
      throw new InvalidOptionError(
        'name',
        `the step ${JSON.stringify(name)} has begun already in this attempt: its end is found again by this name. In a loop, put into it what tells one from the other.`,
      );
    }
    if (this.isUnderWay) this.isOrdered = false;
    this.underWay++;
    this.begun.add(name);
    return this.isOrdered ? this.begun.size : null;
  }

  private async run(
    { place, known }: Begun,
    work: (step: DurableStepTry) => unknown,
    policies: StepPolicies,
  ): Promise<JsonValue | Asleep> {
    const { run, now, tries, throwIfAborted } = this.parts;
    const { name } = place;
    const { timeoutMs } = policies;
    // Woken for another reason: its retry has a time of its own.
    if (known !== undefined && (known.until ?? 0) > now()) return this.waits(known.until!);
    const inside = { name, transaction: insideStep.getStore()?.transaction ?? null };
    const done = (step: DurableStepTry): Promise<unknown> =>
      insideStep.run(inside, () => doneBy(() => work(step)));
    for (let failures = known?.failures ?? 0; ; failures++) {
      throwIfAborted();
      const tried = await tryOnce(done, failures, { runId: run.id, name, timeoutMs }, tries)
        .then((value) => ({ result: asResult(run.id, name, value) }))
        .catch((error: unknown) => ({ error }));
      if ('result' in tried) {
        await this.end(place, tried.result);
        return tried.result;
      }
      const delayMs = await this.afterFailure(place, policies, failures, tried.error);
      if (delayMs > longestWaitInPlaceMs) return this.waits(now() + delayMs);
      await pause(delayMs, tries);
    }
  }

  /** How long it is to the next try, which is on record, or throws the error. */
  private async afterFailure(
    place: RunStepPlace,
    policies: StepPolicies,
    failures: number,
    error: unknown,
  ): Promise<number> {
    const { now, isAborted } = this.parts;
    let thrown = error;
    let delayMs: number | null = null;
    try {
      delayMs = isAborted() ? null : delayBeforeRetry(policies, failures + 1, error);
    } catch (unusable) {
      thrown = unusable;
    }
    if (delayMs !== null) {
      const until = now() + delayMs;
      await this.keepWait({ ...place, until, failures: failures + 1, error: describeError(error) });
      return delayMs;
    }
    // The next attempt has all retries again. One that is to stop has not used them up.
    if (failures > 0 && !isAborted())
      await this.keepWait({ ...place, until: null, failures: 0, error: describeError(error) });
    this.failed(place.name);
    throw thrown;
  }

  /** Keeps the end of a step, and resolves when it is its turn. */
  private async end(place: RunStepPlace, result: JsonValue): Promise<void> {
    const { run, record, insist } = this.parts;
    const end = this.order.next();
    try {
      const step = { ...place, ended: end.nth, result };
      const isKept = await insist('record step', () => record(holdOf(run), step));
      if (isKept !== true) throw new ClaimLostError(run.id);
    } catch (error) {
      end.drop();
      throw error;
    }
    await end.told();
  }

  private async transact(
    place: RunStepPlace,
    work: TransactionWork<unknown>,
    options: AnyTransactionOptions,
  ): Promise<JsonValue> {
    const { run, transact } = this.parts;
    const { name } = place;
    let result: JsonValue = null;
    let end: ReturnType<StepOrder['next']> | null = null;
    const conclude = (value: unknown): RunStepRecord => {
      result = asResult(run.id, name, value);
      end ??= this.order.next();
      return { ...holdOf(run), step: { ...place, ended: end.nth, result } };
    };
    const inside = { name, transaction: name };
    const done = (manager: TransactionManager): Promise<unknown> =>
      insideStep.run(inside, () => doneBy(() => work(manager)));
    try {
      await this.notingFailure(name, transact(done, conclude, options));
    } catch (error) {
      (end as ReturnType<StepOrder['next']> | null)?.drop();
      throw error;
    }
    await end!.told();
    return result;
  }

  private async sleepOn(
    { place, known }: Begun,
    until: (now: EpochMs) => EpochMs,
  ): Promise<JsonValue | Asleep> {
    const { now } = this.parts;
    const at = known?.until ?? until(now());
    if (at <= now()) {
      await this.order.untilLookedUp();
      await this.end(place, null);
      return null;
    }
    if (known === undefined) {
      await this.keepWait({ ...place, until: at, failures: 0, error: null });
    }
    return this.waits(at);
  }

  private async keepWait(wait: RunStepWait): Promise<void> {
    const { run, recordWait, insist } = this.parts;
    const isKept = await insist('record step', () => recordWait(holdOf(run), wait));
    if (isKept !== true) throw new ClaimLostError(run.id);
  }

  private async awaitSignal(
    { place }: Begun,
    signal: string,
    timeoutMs: number | null,
  ): Promise<RunStep | Asleep> {
    const { run, now, takeSignal, insist } = this.parts;
    const until = timeoutMs === null ? null : now() + timeoutMs;
    const end = this.order.next();
    let step: RunStep | null = null;
    try {
      const wait = { ...place, signal, until, ended: end.nth };
      step = await this.order.lookingUp(() => insist('take signal', () => takeSignal(holdOf(run), wait)));
      if (step === null) throw new ClaimLostError(run.id);
    } finally {
      if (step === null || step.finishedAt === null) end.drop();
    }
    if (step.finishedAt === null) return this.waits(step.until ?? Infinity);
    await end.told();
    return step;
  }

  private waits(until: EpochMs): Asleep {
    this.wakeAt = Math.min(this.wakeAt ?? Infinity, until);
    return asleep;
  }

  /** A failure is not kept, and what follows one that the handler has caught may not follow in the next attempt. */
  private async notingFailure<T>(name: string, done: Promise<T>): Promise<T> {
    try {
      return await done;
    } catch (error) {
      this.failed(name);
      throw error;
    }
  }

  private failed(name: string): void {
    this.isOrdered = false;
    this.names.failed(name);
  }

  private known(): Promise<ReadonlyMap<string, RunStep>> {
    return (this.stored ??= this.load());
  }

  private async load(): Promise<ReadonlyMap<string, RunStep>> {
    const { run, read, insist } = this.parts;
    // Each claim raises it: there was none before. A retry by hand brings the steps of the run that gave up.
    if (run.fence === 1 && run.origin !== 'retry') return new Map();
    const steps = await insist('read steps', read);
    if (steps === null) throw new ClaimLostError(run.id);
    for (const { ended } of steps) this.order.startAfter(ended ?? 0);
    return new Map(steps.map((step) => [step.name, step]));
  }

  /** Once what has ended beside has had the time to begin the step that follows. */
  private async suspendIfIdle(): Promise<void> {
    if (this.wakeAt !== null && !(await this.isFollowed())) this.parts.suspend(this.wakeAt);
  }

  private async isFollowed(): Promise<boolean> {
    await follow(() => this.isUnderWay);
    return this.isUnderWay;
  }
}

function holdOf({ id: runId, fence, worker }: ClaimedRun): Hold {
  return { runId, fence, worker };
}

function unending(): Promise<never> {
  return new Promise(() => undefined);
}

async function doneBy(work: () => unknown): Promise<unknown> {
  const given = await work();
  return isDeferred(given) ? workOff(given) : given;
}
