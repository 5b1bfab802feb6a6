import type { RunningRun } from './running.run.js';

/** What a worker executes, by run, in the order in which it began. */
export class RunningRuns {
  private readonly earlier = new Map<string, RunningRun>();
  /**
   * Not in the map: a handler that returns at once is never put into it. A map is made anew when its last entry leaves, which would be the greater part of what the end of
   * such a run takes.
   */
  private latest: RunningRun | null = null;

  get size(): number {
    return this.earlier.size + (this.latest === null ? 0 : 1);
  }

  /** One of another run than all that are in here. */
  add(running: RunningRun): void {
    if (this.latest !== null) this.earlier.set(this.latest.run.id, this.latest);
    this.latest = running;
  }

  get(runId: string): RunningRun | undefined {
    return this.latest?.run.id === runId ? this.latest : this.earlier.get(runId);
  }

  delete(runId: string): void {
    if (this.latest?.run.id === runId) this.latest = null;
    else this.earlier.delete(runId);
  }

  all(): RunningRun[] {
    const { latest } = this;
    return latest === null ? [...this.earlier.values()] : [...this.earlier.values(), latest];
  }
}
