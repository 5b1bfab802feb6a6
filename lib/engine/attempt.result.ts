import type { ClaimedRun } from '../model/run.js';
import type { Ending } from './attempt.ending.js';
import type { RunningRun } from './running.run.js';
import { withNote, type Judgement } from './settlement.js';
import { WaitingResult, type SettleVerdict } from './waiting.result.js';

/** Who executed the attempt. Neither must throw. */
interface Executing {
  settled: (result: AttemptResult, verdict: SettleVerdict) => void;
  unstorable: (run: ClaimedRun, error: unknown) => void;
}

/** The result of an attempt of this process, until it is written. */
export class AttemptResult extends WaitingResult {
  private refusal: unknown = null;

  constructor(
    readonly running: RunningRun,
    readonly ending: Ending,
    readonly judgement: Judgement,
    private readonly by: Executing,
  ) {
    super(judgement.settlement, running.run.handler);
  }

  /** The end of a step sets others off. */
  override get isSimple(): boolean {
    return this.running.run.flowStep === undefined && super.isSimple;
  }

  /** What it comes to, as it is written: a step whose growth cannot be stored has failed. */
  get written(): Judgement {
    const { judgement, settlement, refusal } = this;
    if (settlement.outcome === judgement.settlement.outcome) return judgement;
    return { ...judgement, settlement, error: refusal };
  }

  noted(note: string): Judgement['settlement'] {
    return withNote(this.running.run, this.judgement.settlement, note);
  }

  onLeftOut(error: unknown): void {
    this.refusal = error;
  }

  onNoted(error: unknown): void {
    this.by.unstorable(this.running.run, error);
  }

  done(verdict: SettleVerdict): void {
    this.by.settled(this, verdict);
  }
}
