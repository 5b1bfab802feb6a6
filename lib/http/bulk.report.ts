import type { BulkActionStorage, BulkProgress, CancelTimer, Clock } from '../index.js';
import type { Problem } from './problem.js';

/** A process that says nothing for so long is taken for dead. */
export const leaseMs = 60_000;
const beatMs = leaseMs / 3;

/** What is known at the end, beside what was noted. */
export interface BulkEnd {
  state: 'done' | 'aborted' | 'failed';
  matched?: number;
  changed?: number;
  failed?: { id: string; problem: Problem }[];
  problem?: Problem;
}

/** Writes how far a change of many is, one write at a time: what comes meanwhile is in the next one. With each it hears whether somebody wants it to end. */
export class BulkReport {
  private readonly ending = new AbortController();
  private readonly progress: BulkProgress = {
    ...{ state: 'running', matched: 0, changed: 0, failed: [], problem: null },
  };
  private writing: Promise<void> | null = null;
  private hasNews = false;
  private cancelBeat: CancelTimer;

  constructor(
    private readonly store: BulkActionStorage,
    private readonly clock: Clock,
    private readonly which: { id: string; owner: string },
  ) {
    this.cancelBeat = this.beatLater();
  }

  /** Fires when it has to end. */
  get signal(): AbortSignal {
    return this.ending.signal;
  }

  abort(): void {
    this.ending.abort();
  }

  note(soFar: { matched: number; changed: number }): void {
    Object.assign(this.progress, soFar);
    this.hasNews = true;
    this.writing ??= this.write();
  }

  /** Never rejects: where the end cannot be written, the lease ends, and it is told as interrupted. */
  async end(end: BulkEnd): Promise<void> {
    await this.writing;
    this.cancelBeat();
    Object.assign(this.progress, end);
    this.hasNews = true;
    await this.write();
  }

  /** A write that fails is made up for by the next one. */
  private async write(): Promise<void> {
    const { id, owner } = this.which;
    while (this.hasNews) {
      this.hasNews = false;
      try {
        const stored = await this.store.report(id, owner, { ...this.progress }, leaseMs);
        // It is told as interrupted, so somebody else may do the rest by now.
        if (stored === null || stored.state === 'interrupted' || stored.abortRequested) this.abort();
      } catch {
        break;
      }
    }
    this.writing = null;
  }

  private beatLater(): CancelTimer {
    return this.clock.setTimer(beatMs, () => {
      this.cancelBeat = this.beatLater();
      this.note(this.progress);
    });
  }
}
