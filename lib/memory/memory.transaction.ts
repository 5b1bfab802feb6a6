import { ClaimLostError, InvalidOptionError, StorageBusyError } from '../model/errors.js';
import type { EpochMs, RunStepRecord, Settlement } from '../ports/storage.adapter.js';
import { withFlows } from './flow.endings.js';
import { recordNewRunStep } from './run.steps.js';
import { settle } from './settling.js';
import { copyOf } from './snapshot.js';
import type { MemoryTables, Step, StepTaker } from './tables.js';

/** A step that was taken, and is to be taken again. */
interface Taken {
  readonly step: Step<unknown>;
  readonly now: EpochMs;
  readonly numbers: readonly number[];
  readonly outcome: string;
}

/**
 * Steps that others do not see yet. They are taken in a copy of the tables, which is made anew when others have changed these since: as in PostgreSQL at `read committed`, each
 * step finds what was committed until then, and what came before it in the transaction. The commit takes all of them once more in the tables themselves, with the same times and numbers.
 */
export class MemoryTransaction implements StepTaker {
  private readonly steps: Taken[] = [];
  private view: { tables: MemoryTables; asOf: number } | null = null;
  ended = false;

  constructor(private readonly tables: MemoryTables) {}

  /** To come back to. */
  get length(): number {
    return this.steps.length;
  }

  take<T>(step: Step<T>, now: EpochMs, kind?: 'read'): T {
    if (this.ended) {
      throw new InvalidOptionError(
        'manager',
        'its transaction has ended. Await each call of the scheduler before the transaction ends.',
      );
    }
    const seen = this.seen();
    if (kind === 'read') return step(seen, now);
    const numbers: number[] = [];
    const draw = (): number => {
      numbers.push(this.tables.freshNumber());
      return numbers.at(-1)!;
    };
    try {
      const result = numbered(seen, draw, () => step(seen, now));
      this.steps.push({ step, now, numbers, outcome: outcomeOf(result) });
      return result;
    } catch (error) {
      this.view = null;
      throw error;
    }
  }

  /** The verdict of a run, or the end of a step of it. Throws ClaimLostError. */
  conclude(end: Settlement | RunStepRecord, now: EpochMs): void {
    const isAccepted = this.take(
      withFlows((tables) =>
        'step' in end
          ? recordNewRunStep(tables, now, end, end.step)
          : settle(tables, now, [end]).accepted.length === 1,
      ),
      now,
    );
    if (!isAccepted) throw new ClaimLostError(end.runId);
  }

  /** Takes back what was done since it had this length. */
  cut(length: number): void {
    this.steps.length = length;
    this.view = null;
  }

  /** Whether it can be committed. Throws StorageBusyError. */
  check(): void {
    this.seen();
  }

  /** Throws StorageBusyError, and nothing is done. */
  commit(): void {
    this.check();
    this.end();
    for (const taken of this.steps) again(taken, this.tables, this.tables);
  }

  /** Without a commit: what was done is forgotten. */
  end(): void {
    this.ended = true;
    this.view = null;
  }

  private seen(): MemoryTables {
    const asOf = this.tables.taken;
    if (this.view?.asOf !== asOf) {
      const tables = copyOf(this.tables);
      for (const taken of this.steps) again(taken, tables, this.tables);
      this.view = { tables, asOf };
    }
    return this.view.tables;
  }
}

function again({ step, now, numbers, outcome }: Taken, tables: MemoryTables, origin: MemoryTables): void {
  const left = [...numbers];
  const result = numbered(
    tables,
    () => left.shift() ?? origin.freshNumber(),
    () => tables.take(step, now),
  );
  if (outcomeOf(result) === outcome) return;
  throw new StorageBusyError(
    'Since a call in a transaction, a call outside of it has changed the same job, so that the transaction cannot be committed. On PostgreSQL that call would have waited for it.',
  );
}

function numbered<T>(tables: MemoryTables, numbering: () => number, work: () => T): T {
  tables.numbering = numbering;
  try {
    return work();
  } finally {
    tables.numbering = null;
  }
}

/** What a caller was told that must stay true: done or not, of each job, but not the rows. */
function outcomeOf(result: unknown): string {
  if (Array.isArray(result)) return result.map(outcomeOf).join();
  if (typeof result !== 'object' || result === null)
    return typeof result === 'number' ? 'number' : String(result);
  return (result as { status?: string }).status ?? 'row';
}
