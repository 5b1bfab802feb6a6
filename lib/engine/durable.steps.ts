import { AsyncLocalStorage } from 'node:async_hooks';
import { isDeferred, workOff } from '../model/deferred.work.js';
import {
  ClaimLostError,
  DurableStepMismatchError,
  InvalidOptionError,
  SignalTimeoutError,
} from '../model/errors.js';
import type { DurableStepKind } from '../model/durable.step.js';
import type { JsonValue } from '../model/json.js';
import type { ClaimedRun } from '../model/run.js';
import type { AnyTransactionOptions, TransactionManager, TransactionWork } from '../ports/run.transaction.js';
import type {
  EpochMs,
  Hold,
  NewRunStep,
  RunStep,
  RunStepPlace,
  RunStepRecord,
  RunStepWait,
  SignalWait,
} from '../ports/storage.adapter.js';
import type { SleepOptions, WaitForOptions } from './run.context.js';
import { checkedName, nameOfSleep, NumberedNames, signalName } from './step.names.js';
import { follow, StepOrder } from './step.order.js';
import { asResult } from './step.result.js';
import { waitOptionsOf } from './step.waits.js';
import { assertTransactionOptions } from './transaction.options.js';

/** The step that code is called by, however deep, and the one whose transaction that is in; null: in none. */
const insideStep = new AsyncLocalStorage<{ name: string; transaction: string | null }>();

/** Throws InvalidOptionError: one that waits for the connection of another, in a transaction that it keeps open, may wait for ever. */
export function refuseWithinStepTransaction(call: string): void {
  const outer = insideStep.getStore()?.transaction ?? null;
  if (outer === null) return;
  throw new InvalidOptionError(
    call,
    `cannot be begun within the transaction of the step ${JSON.stringify(outer)}, which would stay open for it: make one after the other.`,
  );
}

/** Of one attempt. */
export interface StepParts {
  run: ClaimedRun;
  /** In the storage's time. */
  now: () => EpochMs;
  read: () => Promise<RunStep[]>;
  record: (hold: Hold, step: NewRunStep) => Promise<boolean>;
  recordWait: (hold: Hold, wait: RunStepWait) => Promise<boolean>;
  takeSignal: (hold: Hold, wait: SignalWait) => Promise<RunStep | null>;
  /** Repeats a call to the storage until it succeeds; null: the run is not this attempt's any more. */
  insist: <T>(operation: string, call: () => Promise<T>) => Promise<T | null>;
  /** As `StorageAdapter.transaction`. Throws InvalidOptionError, TransactionNotSupportedError where there can be none. */
  transact: <T>(
    work: TransactionWork<T>,
    conclude: (value: T) => RunStepRecord,
    options: AnyTransactionOptions,
  ) => Promise<T>;
  /** Throws why the attempt is to stop, if it is. */
  throwIfAborted: () => void;
  /** Ends the attempt until then, although its handler has not returned. Infinity: until a signal comes. */
  suspend: (until: EpochMs) => void;
}

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
  step(name: string, work: () => unknown): Promise<JsonValue> {
    const step = checkedName(name, work, 'context.step');
    return this.ended(step, 'step', (begun) => this.run(begun.place, work));
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
      if (known !== undefined && (known.kind !== kind || known.signal !== signal))
        throw new DurableStepMismatchError(claimed.id, name, position, described(known));
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

  private async run(place: RunStepPlace, work: () => unknown): Promise<JsonValue> {
    const { name } = place;
    const inside = { name, transaction: insideStep.getStore()?.transaction ?? null };
    const done = async (): Promise<JsonValue> =>
      asResult(this.parts.run.id, name, await insideStep.run(inside, () => doneBy(work)));
    const result = await this.notingFailure(name, done());
    await this.end(place, result);
    return result;
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
    const { run, now, recordWait, insist } = this.parts;
    const at = known?.until ?? until(now());
    if (at <= now()) {
      await this.order.untilLookedUp();
      await this.end(place, null);
      return null;
    }
    if (known === undefined) {
      const wait = { ...place, until: at, failures: 0, error: null };
      const isKept = await insist('record step', () => recordWait(holdOf(run), wait));
      if (isKept !== true) throw new ClaimLostError(run.id);
    }
    return this.waits(at);
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
      this.isOrdered = false;
      this.names.failed(name);
      throw error;
    }
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

function described({ kind, signal }: RunStep): string {
  return kind === 'signal' ? `a wait for ${signal}` : `a ${kind}`;
}

function assertOutside(option: string, does: string, todo: string): void {
  const outer = insideStep.getStore();
  if (outer === undefined) return;
  throw new InvalidOptionError(
    option,
    `the step ${JSON.stringify(outer.name)} ${does}, but a step has to come to its end: ${todo} before or after it.`,
  );
}

function assertOrder(
  runId: string,
  name: string,
  position: number,
  known: RunStep | undefined,
  stored: ReadonlyMap<string, RunStep>,
): void {
  const wasElsewhere = known !== undefined && known.position !== null && known.position !== position;
  const there = [...stored.values()].find((step) => step.position === position);
  if (!wasElsewhere && (there === undefined || there.name === name)) return;
  throw new DurableStepMismatchError(runId, name, position, there?.name ?? null);
}
