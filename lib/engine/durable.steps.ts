import { AsyncLocalStorage } from 'node:async_hooks';
import { messageOf } from '../events/shown.error.js';
import { isDeferred, workOff } from '../model/deferred.work.js';
import {
  ClaimLostError,
  DurableStepMismatchError,
  InvalidOptionError,
  StepResultError,
} from '../model/errors.js';
import { toJson, type JsonValue } from '../model/json.js';
import type { ClaimedRun } from '../model/run.js';
import type { AnyTransactionOptions, TransactionManager, TransactionWork } from '../ports/run.transaction.js';
import type { EpochMs, Hold, NewRunStep, RunStep, RunStepRecord } from '../ports/storage.adapter.js';
import type { SleepOptions } from './run.context.js';
import { assertOptions, assertTransactionOptions } from './transaction.options.js';

/** What a step may return, in bytes of JSON. */
export const longestStepResult = 1024 * 1024;
const longestName = 255;
/** A promise that resolves takes one to three of them for each async function that waits for it. */
const ticksToFollow = 100;
/** Of what sleeps: their own names would be found in place of these. */
const sleepName = /^sleep \d+(?: after ".*" failed)?$/;
const unprintable = /[\p{Cc}\p{Surrogate}]/u;

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
  /** Ends the attempt until then, although its handler has not returned. */
  suspend: (until: EpochMs) => void;
}

/**
 * The durable steps of one attempt: one that has ended in an earlier attempt is not run again, but has its result.
 *
 * Steps are found again by name. As long as one begins after the other has ended, and none has failed, their order is known as well, and one that differs from that of an earlier attempt is told.
 */
export class DurableSteps {
  private readonly begun = new Set<string>();
  private stored: Promise<ReadonlyMap<string, RunStep>> | null = null;
  private underWay = 0;
  private sleeps = 0;
  /** One without a name sleeps. */
  private isNumberAsleep = false;
  /** Of the names of what sleeps: an attempt in which this step has not failed comes to others. */
  private afterFailure = '';
  /** So far each has begun after those before it had ended, and none has failed. */
  private isOrdered = true;
  /** The earliest end of what sleeps; Infinity: nothing does. */
  private wakeAt = Infinity;
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
    return this.perform(step, (position) => this.run(step, position, work));
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
    return this.perform(step, (position) => this.transact(step, position, work, options));
  }

  /** Never resolves where there is time left: the attempt ends, and another one comes here then. */
  async sleep(until: (now: EpochMs) => EpochMs, options?: SleepOptions): Promise<void> {
    const { now } = this.parts;
    const given = givenName(options);
    const outer = insideStep.getStore();
    if (outer !== undefined) {
      throw new InvalidOptionError(
        'sleep',
        `the step ${JSON.stringify(outer.name)} sleeps, but a step has to come to its end: sleep before or after it.`,
      );
    }
    const name = given ?? this.nextNumber();
    const untilText = (): string => new Date(until(now())).toISOString();
    const text = await this.perform(name, (position) => this.run(name, position, untilText));
    const at = Date.parse(text as string);
    if (at <= now()) {
      if (given === null) this.isNumberAsleep = false;
      return;
    }
    this.wakeAt = Math.min(this.wakeAt, at);
    void this.suspendIfIdle();
    await new Promise(() => undefined);
  }

  /** Throws InvalidOptionError where another one has a number at the same time: in the next attempt each might come to that of the other, and wake at its time. */
  private nextNumber(): string {
    if (this.isNumberAsleep) {
      throw new InvalidOptionError(
        'sleep',
        "another sleep goes on at the same time, and none of the two has a name by which the next attempt finds it again: context.sleep('1h', { name: 'before the reminder' }).",
      );
    }
    this.isNumberAsleep = true;
    return `sleep ${++this.sleeps}${this.afterFailure}`;
  }

  /** `run`: as which step of the run; null: that is not known. */
  private async perform(
    name: string,
    run: (position: number | null) => Promise<JsonValue>,
  ): Promise<JsonValue> {
    const position = this.begin(name);
    try {
      const stored = await this.known();
      const known = stored.get(name);
      if (position !== null) assertOrder(this.parts.run.id, name, position, known, stored);
      return known === undefined ? await run(position) : structuredClone(known.result);
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

  private async run(name: string, position: number | null, work: () => unknown): Promise<JsonValue> {
    const { run, now, record, insist, throwIfAborted } = this.parts;
    throwIfAborted();
    const startedAt = now();
    const inside = { name, transaction: insideStep.getStore()?.transaction ?? null };
    const done = async (): Promise<JsonValue> =>
      asResult(run.id, name, await insideStep.run(inside, () => doneBy(work)));
    const result = await this.notingFailure(name, done());
    const step = { name, position, result, attempt: run.attempt, startedAt };
    const isKept = await insist('record step', () => record(holdOf(run), step));
    if (isKept !== true) throw new ClaimLostError(run.id);
    return result;
  }

  private async transact(
    name: string,
    position: number | null,
    work: TransactionWork<unknown>,
    options: AnyTransactionOptions,
  ): Promise<JsonValue> {
    const { run, now, transact, throwIfAborted } = this.parts;
    throwIfAborted();
    const startedAt = now();
    let result: JsonValue = null;
    const conclude = (value: unknown): RunStepRecord => {
      result = asResult(run.id, name, value);
      return { ...holdOf(run), step: { name, position, result, attempt: run.attempt, startedAt } };
    };
    const inside = { name, transaction: name };
    const done = (manager: TransactionManager): Promise<unknown> =>
      insideStep.run(inside, () => doneBy(() => work(manager)));
    await this.notingFailure(name, transact(done, conclude, options));
    return result;
  }

  private async notingFailure<T>(name: string, done: Promise<T>): Promise<T> {
    try {
      return await done;
    } catch (error) {
      this.failed(name);
      throw error;
    }
  }

  /** It is not kept, and what follows a failure that the handler has caught may not follow in the next attempt. */
  private failed(name: string): void {
    this.isOrdered = false;
    this.sleeps = 0;
    this.afterFailure = ` after ${JSON.stringify(name)} failed`;
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
    return new Map(steps.map((step) => [step.name, step]));
  }

  /** Once what has ended beside has had the time to begin the step that follows: no clock is asked for that, and none has to go on. */
  private async suspendIfIdle(): Promise<void> {
    if (this.wakeAt !== Infinity && !(await this.isFollowed())) this.parts.suspend(this.wakeAt);
  }

  private async isFollowed(): Promise<boolean> {
    for (let ticks = 0; ticks < ticksToFollow && !this.isUnderWay; ticks++) await Promise.resolve();
    return this.isUnderWay;
  }
}

function holdOf({ id: runId, fence, worker }: ClaimedRun): Hold {
  return { runId, fence, worker };
}

async function doneBy(work: () => unknown): Promise<unknown> {
  const given = await work();
  return isDeferred(given) ? workOff(given) : given;
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

function refuse(option: string, problem: string): never {
  throw new InvalidOptionError(option, problem);
}

/** Null: none. */
function givenName(options: SleepOptions = {}): string | null {
  assertOptions('context.sleep()', options, ['name']);
  const { name } = options;
  if (name === undefined) return null;
  if (typeof name !== 'string' || name.trim() === '')
    return refuse('name', "a sleep has text for a name, such as { name: 'before the reminder' }.");
  return checkedText(name);
}

function checkedName(name: unknown, work: unknown, call: string): string {
  if (typeof name !== 'string' || name.trim() === '')
    return refuse('name', `${call}() takes the name of the step first, such as 'charge'.`);
  checkedText(name);
  if (typeof work !== 'function')
    return refuse(
      'work',
      `the step ${JSON.stringify(name)} has no function to run: ${call}('${name}', () => …).`,
    );
  return name;
}

function checkedText(name: string): string {
  if (name.length > longestName || unprintable.test(name))
    return refuse('name', `the name of a step is one line of at most ${longestName} characters.`);
  if (sleepName.test(name))
    return refuse('name', `${JSON.stringify(name)} is the name of what sleeps without one: give another.`);
  return name;
}

/** What is refused here has been done already, so the run is not tried again. */
function asResult(runId: string, name: string, value: unknown): JsonValue {
  let result: JsonValue;
  try {
    result = value === undefined ? null : toJson(value, 'result', Infinity, true);
  } catch (error) {
    throw new StepResultError(runId, name, messageOf(error));
  }
  const bytes = Buffer.byteLength(JSON.stringify(result));
  if (bytes <= longestStepResult) return result;
  const problem = `it is ${bytes} bytes as JSON, more than the limit of ${longestStepResult}. Store large things elsewhere, and return where they are.`;
  throw new StepResultError(runId, name, problem);
}
