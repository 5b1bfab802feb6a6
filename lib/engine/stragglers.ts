import type { ClaimedRun } from '../model/run.js';

/**
 * Handlers that went on after their attempt was given up, by run, for the whole process. A retry in this process waits for them, also one by hand, which is another run of its job: two
 * attempts of a run side by side are what a handler least expects, although the first one can change nothing about the run any more.
 */
export class Stragglers {
  private readonly byRun = new Map<string, Promise<void>>();
  private readonly byOccurrence = new Map<string, Promise<void>>();

  /** Until `ended` resolves; it never rejects. */
  note(run: ClaimedRun, ended: Promise<void>): void {
    add(this.byRun, run.id, ended);
    add(this.byOccurrence, occurrenceOf(run), ended);
  }

  /** Resolves when the earlier attempts of the run, and of those that it retries, have ended; null: none goes on. */
  of(run: ClaimedRun): Promise<void> | null {
    if (this.byRun.size === 0) return null;
    const earlier =
      run.origin === 'retry' ? this.byOccurrence.get(occurrenceOf(run)) : this.byRun.get(run.id);
    return earlier ?? null;
  }

  /** Of which runs they are. */
  get runIds(): string[] {
    return [...this.byRun.keys()];
  }
}

function add(known: Map<string, Promise<void>>, key: string, ended: Promise<void>): void {
  const earlier = known.get(key);
  const all = earlier ? Promise.all([earlier, ended]).then(() => undefined) : ended;
  known.set(key, all);
  void all.then(() => {
    if (known.get(key) === all) known.delete(key);
  });
}

/** What a run and its retries by hand have in common: a one-off begins anew at another time. */
function occurrenceOf({ namespace, jobId, jobUid, nominalAt }: ClaimedRun): string {
  return JSON.stringify(jobUid === null ? [namespace, jobId] : [jobUid, nominalAt]);
}
