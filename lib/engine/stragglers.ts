import type { ClaimedRun } from '../model/run.js';

/**
 * Handlers that went on after their attempt was given up, or its lease was lost, by run, for the whole process. A retry in this process waits for them, also one by hand, which is another run of its job: two
 * attempts of a run side by side are what a handler least expects, although the first one can change nothing about the run any more.
 *
 * Steps of workflows are told to all processes: a retry by hand would have what they do twice, so it is refused as long as one goes on.
 */
export class Stragglers {
  private readonly byRun = new Map<string, Promise<void>>();
  private readonly byOccurrence = new Map<string, Promise<void>>();
  private readonly known = new Set<string>();
  private readonly telling = new Set<Promise<void>>();

  constructor(
    /** Has others told of `steps` as they are now. Resolves when they are, or cannot be; never rejects. */
    private readonly tell: () => Promise<void>,
  ) {}

  /**
   * Until `ended` resolves; it never rejects. Returns when others know of it: its verdict must not be written before, or somebody could retry it in between. Null: it is no step of a
   * workflow, and nobody needs to.
   */
  note(run: ClaimedRun, ended: Promise<void>): Promise<void> | null {
    void add(this.byRun, run.id, ended);
    const over = add(this.byOccurrence, occurrenceOf(run), ended);
    if (run.flowStep === undefined) return null;
    const { place } = run.flowStep;
    this.known.add(place);
    void over.then(() => this.forgetStep(place));
    const told = this.tell();
    this.telling.add(told);
    // Before whoever waits for it goes on, so that there is always one who knows of the verdict.
    void told.then(() => this.telling.delete(told));
    return told;
  }

  /** Resolves when the earlier attempts of the run, of those that it retries, of its job where that is a one-off, and of its step in earlier runs of the workflow, have ended; null: none goes on. */
  of(run: ClaimedRun): Promise<void> | null {
    if (this.byRun.size === 0) return null;
    // A one-off that is moved, or replaced, is another run of the same job, as a retry is.
    if (run.jobUid !== null && run.origin !== 'retry' && !this.byRun.has(run.id)) return null;
    // A storage that has lost its last commits may have given the number to a run of another job.
    return this.byOccurrence.get(occurrenceOf(run)) ?? null;
  }

  /** Which steps of workflows are among them: `ClaimedStep.place`. */
  get steps(): string[] {
    return [...this.known];
  }

  /** Resolves when others know of all that was given up by now. */
  async untilTold(): Promise<void> {
    await Promise.all(this.telling);
  }

  private forgetStep(place: string): void {
    // Another attempt of it was given up meanwhile.
    if (this.byOccurrence.has(place) || !this.known.delete(place)) return;
    void this.tell();
  }
}

/** Resolves when it is known no more, unless more was added meanwhile. */
function add(known: Map<string, Promise<void>>, key: string, ended: Promise<void>): Promise<void> {
  const earlier = known.get(key);
  const all = earlier ? Promise.all([earlier, ended]).then(() => undefined) : ended;
  known.set(key, all);
  return all.then(() => {
    if (known.get(key) === all) known.delete(key);
  });
}

/** What a run and its retries by hand have in common: a one-off begins anew at another time, and a step as that of another run of its workflow. */
function occurrenceOf({ namespace, jobId, jobUid, nominalAt, flowStep }: ClaimedRun): string {
  if (flowStep !== undefined) return flowStep.place;
  return JSON.stringify(jobUid === null ? [namespace, jobId] : [jobUid, nominalAt]);
}
