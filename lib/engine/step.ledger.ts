import { ClaimLostError } from '../model/errors.js';
import type { JsonValue } from '../model/json.js';
import type { ClaimedRun } from '../model/run.js';
import type {
  EpochMs,
  Hold,
  RunStep,
  RunStepPlace,
  RunStepRecord,
  RunStepWait,
} from '../ports/storage.adapter.js';
import { StepOrder } from './step.order.js';
import type { StepParts } from './step.parts.js';

/** What is stored of the steps of a run, and what one attempt adds to it. Throws ClaimLostError where the run is not this attempt's any more. */
export class StepLedger {
  private readonly order = new StepOrder();
  private stored: Promise<ReadonlyMap<string, RunStep>> | null = null;
  /** By signal: the last wait that looks for it. */
  private readonly taking = new Map<string, Promise<unknown>>();
  /** By signal: the waits of this attempt that have looked for it, and had none. */
  private readonly waiting = new Map<string, readonly string[]>();

  constructor(private readonly parts: StepParts) {}

  /** By name, as they were when the attempt came to its first step. */
  known(): Promise<ReadonlyMap<string, RunStep>> {
    return (this.stored ??= this.load());
  }

  /** What a step that has ended in an earlier attempt has given, when it is its turn. */
  async given(known: RunStep): Promise<RunStep> {
    await this.order.turnOf(known.ended ?? 0);
    return { ...known, result: structuredClone(known.result) };
  }

  /** Keeps the end of a step, and resolves when it is its turn. */
  async end(place: RunStepPlace, result: JsonValue): Promise<void> {
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

  /** The same for one that a transaction keeps: `work` gets what makes the record of its result. */
  async endWithin(
    place: RunStepPlace,
    work: (recordOf: (result: JsonValue) => RunStepRecord) => Promise<unknown>,
  ): Promise<void> {
    const { run } = this.parts;
    let end: ReturnType<StepOrder['next']> | null = null;
    try {
      await work((result) => {
        end ??= this.order.next();
        return { ...holdOf(run), step: { ...place, ended: end.nth, result } };
      });
    } catch (error) {
      (end as ReturnType<StepOrder['next']> | null)?.drop();
      throw error;
    }
    await end!.told();
  }

  /** For what ends by the time alone: after all that has ended by now. */
  async endOfWait(place: RunStepPlace): Promise<void> {
    await this.order.untilLookedUp();
    await this.end(place, null);
  }

  async keepWait(wait: RunStepWait): Promise<void> {
    const { run, recordWait, insist } = this.parts;
    const isKept = await insist('record step', () => recordWait(holdOf(run), wait));
    if (isKept !== true) throw new ClaimLostError(run.id);
  }

  /** The step as it is then: it has taken a signal, has timed out, or waits. */
  async takeSignal(place: RunStepPlace, signal: string, until: EpochMs | null): Promise<RunStep> {
    const { run, takeSignal, insist } = this.parts;
    const end = this.order.next();
    let step: RunStep | null = null;
    try {
      step = await this.order.lookingUp(() =>
        this.inTurn(signal, async (after) => {
          const wait = { ...place, signal, until, after, ended: end.nth };
          return insist('take signal', () => takeSignal(holdOf(run), wait));
        }),
      );
    } finally {
      if (step === null || step.finishedAt === null) end.drop();
    }
    if (step === null) throw new ClaimLostError(run.id);
    if (step.finishedAt !== null) await end.told();
    return step;
  }

  /**
   * Waits for one signal look for it one after the other, as they came: the storage would serve whichever reaches it first. Each tells it which have found none: a signal that has come since is theirs first.
   */
  private inTurn(
    signal: string,
    take: (after: readonly string[]) => Promise<RunStep | null>,
  ): Promise<RunStep | null> {
    const look = async (): Promise<RunStep | null> => {
      const after = this.waiting.get(signal) ?? [];
      const step = await take(after);
      if (step !== null && step.finishedAt === null) this.waiting.set(signal, [...after, step.name]);
      return step;
    };
    const before = this.taking.get(signal);
    const taken = before === undefined ? look() : before.then(look, look);
    this.taking.set(signal, taken);
    return taken;
  }

  private async load(): Promise<ReadonlyMap<string, RunStep>> {
    const { run, read, insist } = this.parts;
    // Each claim raises it: there was none before. A retry by hand brings the steps of the run that gave up; that of a step of a workflow begins with a fence that has been raised.
    if (run.fence === 1 && run.origin !== 'retry') return new Map();
    const steps = await insist('read steps', read);
    if (steps === null) throw new ClaimLostError(run.id);
    for (const { ended } of steps) this.order.startAfter(ended ?? 0);
    return new Map(steps.map((step) => [step.name, step]));
  }
}

function holdOf({ id: runId, fence, worker }: ClaimedRun): Hold {
  return { runId, fence, worker };
}
