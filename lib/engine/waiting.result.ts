import { messageOf } from '../events/shown.error.js';
import { rowOperations } from '../events/storage.operations.js';
import { InvalidWorkflowError } from '../model/errors.js';
import { isOf } from '../model/recognized.js';
import type { Settlement } from '../ports/storage.adapter.js';

/** What a settlement takes without its texts, in characters. */
const bareSize = 200;
const longestNote = 200;

/**
 * `unclear`: an earlier call with this settlement failed without an answer, and the ledger does not tell whether it was carried out · `unsettled`: it could
 * not be written before the end · `unconfirmed`: nor is it known, at the end, whether it was.
 */
export type SettleVerdict = 'accepted' | 'refused' | 'unclear' | 'unsettled' | 'unconfirmed';

/** How an attempt ended, until that is written. A class, as objects of one shape that are made for each run are cheaper than copies. */
export abstract class WaitingResult {
  /** In characters, roughly. */
  readonly size: number;
  /** It has its verdict, or is given up. */
  isOver = false;
  /** It was in a call that failed. */
  isUnclear = false;
  /** It is in a call that has no answer yet. */
  isUnderWay = false;
  isNoted = false;
  /** Why a note is to be written in place of its error and result. */
  private leftOutFor: { error: unknown } | null = null;
  /** To be written by a call of its own, as such a call has failed. */
  isAlone = false;
  failuresAlone = 0;
  /** Rounds of those that are tried apart that it lets pass, as it has failed alone. */
  roundsToPass = 0;
  /** The storage answers, and refuses this one. */
  isRefused = false;

  constructor(
    public settlement: Settlement,
    /** Of the run. */
    readonly handler = '',
  ) {
    this.size = sizeOf(settlement);
  }

  /** The same settlement with this note in place of its error and its result. */
  abstract noted(note: string): Settlement;

  /** The storage cannot store the error or the result; the note is to be written instead. Must not throw. */
  abstract onLeftOut(error: unknown): void;

  /** The note is written. Must not throw. */
  abstract onNoted(error: unknown): void;

  /** Called once. Must not throw. */
  abstract done(verdict: SettleVerdict): void;

  /** Nothing but the run and its attempt is written: no statistics, no time of a schedule, no other run. */
  get isSimple(): boolean {
    const { oneOff, outcome, callback, retryAt, error } = this.settlement;
    return oneOff === true && outcome === 'succeeded' && !callback && retryAt === null && error === null;
  }

  /** One that fails alone has an outage of its own. */
  get operation(): string {
    return rowOperations.settle(this.settlement.runId);
  }

  /** What the handler returned or threw is not to be written, for this reason. */
  leaveOut(error: unknown): void {
    const isGrowth = isOf(error, InvalidWorkflowError);
    // Its words name the step and the fix. Should the storage lack characters of them, the note comes next.
    this.isNoted = !isGrowth;
    this.settlement = this.noted(isGrowth ? `${error.name}: ${error.message}` : noteOf(error));
    this.leftOutFor = { error };
    this.onLeftOut(error);
  }

  /** It has its verdict, or is given up. */
  end(verdict: SettleVerdict): void {
    this.isOver = true;
    if (verdict === 'accepted' && this.leftOutFor !== null) this.onNoted(this.leftOutFor.error);
    this.done(verdict);
  }
}

/** Neither has it its verdict, nor is it given up. */
export function isOpen({ isOver }: WaitingResult): boolean {
  return !isOver;
}

function sizeOf({ error, result, callback, flow, flowStep }: Settlement): number {
  const ofResult = result === null ? 0 : JSON.stringify(result).length;
  const ofCallback = callback ? JSON.stringify(callback.payload).length : 0;
  const ofFlow = flow || flowStep ? JSON.stringify([flow, flowStep]).length : 0;
  return bareSize + (error?.length ?? 0) + ofResult + ofCallback + ofFlow;
}

/** Of characters that every storage has. */
function noteOf(error: unknown): string {
  const why = messageOf(error)
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .slice(0, longestNote);
  return `What the handler returned or threw could not be stored: ${why}`;
}
