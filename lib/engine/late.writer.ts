import type { CancelTimer, Clock } from '../ports/clock.js';
import type { OwnScope } from './tracing.js';

/** What has come up is written as late as that. */
const latestMs = 1_000;
/** Of one call, about. */
const largestCall = 1_048_576;
/** Then what cannot be written is dropped: it keeps nobody waiting. */
const mostTries = 3;
const retryMs = 250;

/** Where something is to be written comes from. */
interface Source<Part> {
  /** What has come up since the last time. */
  take: () => readonly Part[];
}

/** Writes what attempts have to say beside their results: all that is there in one call, a second after the first of it at the latest. Nothing is made, and no timer is set, before somebody has something. */
export abstract class LateWriter<From extends Source<Part>, Part extends { bytes: number }> {
  private readonly waiting = new Set<From>();
  private writing: Promise<void> | null = null;
  private cancelTimer: CancelTimer | null = null;

  constructor(
    private readonly clock: Clock,
    /** Handlers call it: what is written for all of them is no part of their requests and traces. */
    private readonly scope: OwnScope,
  ) {}

  /** Rejects where it is not stored. */
  protected abstract store(parts: readonly Part[]): Promise<void>;
  /** It is given up. */
  protected abstract tellDropped(parts: readonly Part[], error: unknown): void;

  /** There is something to be written. */
  note(from: From): void {
    this.waiting.add(from);
    this.cancelTimer ??= this.scope.run(() => this.clock.setTimer(latestMs, () => void this.flush()));
  }

  /** Resolves when all that was there by then is written, or given up; never rejects. */
  async flush(): Promise<void> {
    this.cancelTimer?.();
    this.cancelTimer = null;
    // What is under way was taken before.
    while (this.writing !== null) await this.writing;
    if (this.waiting.size === 0) return;
    this.writing = this.scope.run(() => this.write());
    try {
      await this.writing;
    } finally {
      this.writing = null;
    }
  }

  private async write(): Promise<void> {
    // What ends in one turn of the event loop is one call.
    await Promise.resolve();
    const sources = [...this.waiting];
    this.waiting.clear();
    this.cancelTimer?.();
    this.cancelTimer = null;
    let parts: Part[] = [];
    let bytes = 0;
    for (const part of sources.flatMap((from) => from.take())) {
      if (parts.length > 0 && bytes + part.bytes > largestCall) {
        await this.insist(parts);
        [parts, bytes] = [[], 0];
      }
      parts.push(part);
      bytes += part.bytes;
    }
    if (parts.length > 0) await this.insist(parts);
  }

  private async insist(parts: readonly Part[], most = mostTries): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.store(parts);
      } catch (error) {
        if (tries === most && parts.length === 1) return this.tellDropped(parts, error);
      }
      // One that cannot be stored costs no other.
      if (tries === most) {
        for (const part of parts) await this.insist([part], 1);
        return;
      }
      await new Promise<void>((resolve) => void this.clock.setTimer(retryMs, resolve));
    }
  }
}
