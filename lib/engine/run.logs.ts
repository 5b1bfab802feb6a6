import type { ChronisEvents } from '../events/chronis.events.js';
import type { CancelTimer, Clock } from '../ports/clock.js';
import type { EpochMs } from '../ports/epoch.ms.js';
import type { NewRunLogPart, RunLogStorage } from '../ports/run.logs.js';
import type { AttemptLog, LogWriter } from './attempt.log.js';
import type { OwnScope } from './tracing.js';

/** While a run goes on its lines are written as late as that. */
const latestMs = 1_000;
/** Of one call, about. */
const largestCall = 1_048_576;
/** Then what cannot be written is dropped: it keeps nobody waiting. */
const mostTries = 3;
const retryMs = 250;

/**
 * Writes what attempts have logged: all that is there in one call, a second after the first line at the latest, and what an attempt has left when that ends. Results do not wait for it; who tells of them does.
 */
export class RunLogs implements LogWriter {
  private readonly waiting = new Set<AttemptLog>();
  private writing: Promise<void> | null = null;
  private cancelTimer: CancelTimer | null = null;

  constructor(
    private readonly storage: RunLogStorage,
    private readonly clock: Clock,
    private readonly events: ChronisEvents,
    readonly now: () => EpochMs,
    /** Handlers call it: what is written for all of them is no part of their requests and traces. */
    private readonly scope: OwnScope,
  ) {}

  note(log: AttemptLog): void {
    this.waiting.add(log);
    this.cancelTimer ??= this.scope.run(() => this.clock.setTimer(latestMs, () => void this.flush()));
  }

  /** Resolves when all that was logged by then is written, or given up; never rejects. */
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
    const logs = [...this.waiting];
    this.waiting.clear();
    this.cancelTimer?.();
    this.cancelTimer = null;
    let parts: NewRunLogPart[] = [];
    let bytes = 0;
    for (const part of logs.flatMap((log) => log.take())) {
      if (parts.length > 0 && bytes + part.bytes > largestCall) {
        await this.append(parts);
        [parts, bytes] = [[], 0];
      }
      parts.push(part);
      bytes += part.bytes;
    }
    if (parts.length > 0) await this.append(parts);
  }

  private async append(parts: readonly NewRunLogPart[], most = mostTries): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.storage.append(parts);
      } catch (error) {
        if (tries === most && parts.length === 1) return this.tellDropped(parts, error);
      }
      // One that cannot be stored costs no other.
      if (tries === most) {
        for (const part of parts) await this.append([part], 1);
        return;
      }
      await new Promise<void>((resolve) => void this.clock.setTimer(retryMs, resolve));
    }
  }

  private tellDropped(parts: readonly NewRunLogPart[], error: unknown): void {
    const lines = parts.reduce((sum, part) => sum + part.lines.length, 0);
    const runIds = [...new Set(parts.map(({ runId }) => runId))];
    this.events.emit('run-log.dropped', { runIds, lines, error });
  }
}
