import { isDeferred, workOff } from '../model/deferred.work.js';
import type { DurableStepKind } from '../model/durable.step.js';
import { SignalTimeoutError } from '../model/errors.js';
import type { JsonValue } from '../model/json.js';
import type { AnyTransactionOptions, TransactionManager, TransactionWork } from '../ports/run.transaction.js';
import type { EpochMs, RunStep, RunStepPlace, RunStepRecord } from '../ports/storage.adapter.js';
import { assertOutside, insideStep, refuseWithinStepTransaction } from './inside.step.js';
import type { DurableStepOptions, DurableStepTry, SleepOptions, WaitForOptions } from './run.context.js';
import { assertKind, assertOrder } from './step.mismatch.js';
import { checkedName, nameOfSleep, NumberedNames, signalName } from './step.names.js';
import { StepLedger } from './step.ledger.js';
import type { StepParts } from './step.parts.js';
import { stepPoliciesOf, type StepPolicies } from './step.policies.js';
import { asResult } from './step.result.js';
import { StepTries } from './step.tries.js';
import { StepsUnderWay } from './steps.under.way.js';
import { waitOptionsOf } from './step.waits.js';
import { assertTransactionOptions } from './transaction.options.js';

/** A step, as far as its name, and what is stored of it, say. */
interface Begun {
  place: RunStepPlace;
  /** Undefined: nothing is stored, or it has not ended. */
  known: RunStep | undefined;
}

/** In place of a result: the step waits, and what follows it is for a later attempt. */
const asleep = Symbol('asleep');
type Asleep = typeof asleep;

/**
 * The durable steps of one attempt: one that has ended in an earlier attempt is not run again, but has its result.
 *
 * Steps are found again by name. As long as one begins after the other has ended, and none has failed, their order is known as well, and one that differs from that of an earlier attempt is told.
 */
export class DurableSteps {
  private readonly underWay = new StepsUnderWay();
  private readonly names = new NumberedNames();
  private readonly ledger: StepLedger;
  /** The earliest end of what waits, Infinity: that of a signal; null: nothing waits. */
  private wakeAt: EpochMs | null = null;

  constructor(private readonly parts: StepParts) {
    this.ledger = new StepLedger(parts);
  }

  /** When the earliest of what waits goes on; Infinity: by a signal; null: nothing waits. */
  get wakesAt(): EpochMs | null {
    return this.wakeAt;
  }

  get isUnderWay(): boolean {
    return this.underWay.any;
  }

  /** Resolves when no step is under way, and none has followed. */
  idle(): Promise<void> {
    return this.underWay.idle();
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
    const position = this.underWay.begin(name);
    try {
      const stored = await this.ledger.known();
      const known = stored.get(name);
      const { run: claimed, now } = this.parts;
      if (position !== null) assertOrder(claimed.id, name, position, known, stored);
      if (known !== undefined) assertKind(claimed.id, known, kind, signal, position);
      if (known !== undefined && known.finishedAt !== null) return await this.ledger.given(known);
      this.parts.throwIfAborted();
      const place = { name, kind, position, attempt: claimed.attempt, startedAt: now() };
      return await run({ place, known });
    } finally {
      if (this.underWay.ended()) void this.suspendIfIdle();
    }
  }

  private async run(
    { place, known }: Begun,
    work: (step: DurableStepTry) => unknown,
    policies: StepPolicies,
  ): Promise<JsonValue | Asleep> {
    const { run } = this.parts;
    const inside = { name: place.name, transaction: insideStep.getStore()?.transaction ?? null };
    const done = async (step: DurableStepTry): Promise<JsonValue> =>
      asResult(run.id, place.name, await insideStep.run(inside, () => doneBy(() => work(step))));
    const tries = new StepTries(this.parts, this.ledger, place, policies);
    const tried = await this.notingFailure(place.name, tries.play(done, known));
    if ('until' in tried) return this.waits(tried.until);
    await this.ledger.end(place, tried.result);
    return tried.result;
  }

  private async transact(
    place: RunStepPlace,
    work: TransactionWork<unknown>,
    options: AnyTransactionOptions,
  ): Promise<JsonValue> {
    const { run, transact } = this.parts;
    const { name } = place;
    let result: JsonValue = null;
    const inside = { name, transaction: name };
    const done = (manager: TransactionManager): Promise<unknown> =>
      insideStep.run(inside, () => doneBy(() => work(manager)));
    await this.ledger.endWithin(place, (recordOf) => {
      const conclude = (value: unknown): RunStepRecord => recordOf((result = asResult(run.id, name, value)));
      return this.notingFailure(name, transact(done, conclude, options));
    });
    return result;
  }

  private async sleepOn(
    { place, known }: Begun,
    until: (now: EpochMs) => EpochMs,
  ): Promise<JsonValue | Asleep> {
    const { now } = this.parts;
    const at = known?.until ?? until(now());
    if (at <= now()) {
      await this.ledger.endOfWait(place);
      return null;
    }
    if (known === undefined) {
      await this.ledger.keepWait({ ...place, until: at, failures: 0, error: null });
    }
    return this.waits(at);
  }

  private async awaitSignal(
    { place }: Begun,
    signal: string,
    timeoutMs: number | null,
  ): Promise<RunStep | Asleep> {
    const until = timeoutMs === null ? null : this.parts.now() + timeoutMs;
    const step = await this.ledger.takeSignal(place, signal, until);
    return step.finishedAt === null ? this.waits(step.until ?? Infinity) : step;
  }

  private waits(until: EpochMs): Asleep {
    this.wakeAt = Math.min(this.wakeAt ?? Infinity, until);
    return asleep;
  }

  /** A failure is not kept. */
  private async notingFailure<T>(name: string, done: Promise<T>): Promise<T> {
    try {
      return await done;
    } catch (error) {
      this.underWay.failed();
      this.names.failed(name);
      throw error;
    }
  }

  private async suspendIfIdle(): Promise<void> {
    if (this.wakeAt !== null && !(await this.underWay.isFollowed())) this.parts.suspend(this.wakeAt);
  }
}

function unending(): Promise<never> {
  return new Promise(() => undefined);
}

async function doneBy(work: () => unknown): Promise<unknown> {
  const given = await work();
  return isDeferred(given) ? workOff(given) : given;
}
