/**
 * Handlers that went on after their attempt was given up, by run, for the whole process. A retry in this process waits for them: two
 * attempts of a run side by side are what a handler least expects, although the first one can change nothing about the run any more.
 */
export class Stragglers {
  private readonly byRun = new Map<string, Promise<void>>();

  /** Until `ended` resolves; it never rejects. */
  note(runId: string, ended: Promise<void>): void {
    const earlier = this.byRun.get(runId);
    const all = earlier ? Promise.all([earlier, ended]).then(() => undefined) : ended;
    this.byRun.set(runId, all);
    void all.then(() => {
      if (this.byRun.get(runId) === all) this.byRun.delete(runId);
    });
  }

  /** Resolves when the earlier attempts of the run have ended; null: none goes on. */
  of(runId: string): Promise<void> | null {
    return this.byRun.get(runId) ?? null;
  }
}
