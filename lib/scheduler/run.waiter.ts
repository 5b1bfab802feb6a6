import { Alarm } from '../engine/alarm.js';
import type { ChronisEvents } from '../events/chronis.events.js';
import { RunNotFoundError, RunWaitTimeoutError, StorageError } from '../model/errors.js';
import { isOf } from '../model/recognized.js';
import type { JsonValue } from '../model/json.js';
import type { Attempt, Run } from '../model/run.js';
import type { DurationInput } from '../model/trigger.js';
import type { RunVerdict } from '../model/verdict.js';
import type { Clock } from '../ports/clock.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import { parseDuration } from '../triggers/duration.js';
import { knownOptions, lineOfText } from './option.checks.js';

/** How long to wait for a run. @publicApi */
export interface WaitOptions {
  /** @default for ever */
  timeout?: DurationInput;
  /** Ends the waiting, not the run; the promise rejects with its reason. */
  signal?: AbortSignal;
}

/** What became of a run. @publicApi */
export interface RunOutcome<R = JsonValue> {
  verdict: RunVerdict;
  /** What the handler returned; null: nothing, or it did not succeed. */
  result: R | null;
  /** Of the last attempt, see `errorParts`; null: it succeeded or was cancelled. */
  error: string | null;
  /** As it is stored; null: it is not any more. */
  run: Run | null;
  /** The last 100, the oldest first; the last one is the verdict. Empty: the job keeps no record (`keep: 'none'`). */
  attempts: Attempt[];
}

const verdictEvents = ['run.succeeded', 'run.failed', 'run.timed_out', 'run.cancelled'] as const;
const firstPollMs = 50;
const slowestPollMs = 1_000;
const mostFailures = 5;
const mostAttempts = 100;

/**
 * Waits for verdicts, wherever the runs are executed: events of this process tell at once, and polls, which become slower up to once a second, tell
 * of all others.
 */
export class RunWaiter {
  constructor(
    private readonly storage: StorageAdapter,
    private readonly events: ChronisEvents,
    private readonly clock: Clock,
  ) {}

  async wait<R>(given: string, options: WaitOptions): Promise<RunOutcome<R>> {
    const { timeout, signal } = knownOptions(options, ['timeout', 'signal'], 'waitForRun()') as WaitOptions;
    const runId = lineOfText(given, 'runId');
    const timeoutMs = timeout === undefined ? null : parseDuration(timeout, 'timeout');
    signal?.throwIfAborted();
    const alarm = new Alarm(this.clock);
    const over = new AbortController();
    const cleanups = verdictEvents.map((name) =>
      this.events.on(name, (event) => {
        if (event.runId === runId) alarm.wake();
      }),
    );
    const givenUp = new Promise<never>((_, reject) => {
      const abort = (): void => reject(signal?.reason as Error);
      signal?.addEventListener('abort', abort, { once: true });
      cleanups.push(() => signal?.removeEventListener('abort', abort));
      if (timeoutMs === null) return;
      const expire = (): void => reject(new RunWaitTimeoutError(runId, timeoutMs));
      cleanups.push(this.clock.setTimer(timeoutMs, expire));
    });
    try {
      return await Promise.race([this.untilVerdict<R>(runId, alarm, over.signal), givenUp]);
    } finally {
      for (const clean of cleanups) clean();
      over.abort();
      alarm.wake();
    }
  }

  private async untilVerdict<R>(runId: string, alarm: Alarm, over: AbortSignal): Promise<RunOutcome<R>> {
    let pollMs = firstPollMs;
    let failures = 0;
    for (let looks = 1; ; looks++) {
      try {
        const outcome = await this.look<R>(runId);
        if (outcome !== null) return outcome;
        failures = 0;
      } catch (error) {
        // The run goes on while its storage is away for a moment, and so does whoever waits for it.
        if (looks === 1 || !isOf(error, StorageError) || ++failures === mostFailures) throw error;
      }
      await alarm.sleep(pollMs);
      over.throwIfAborted();
      pollMs = Math.min(pollMs * 2, slowestPollMs);
    }
  }

  /** Null: it has no verdict yet. The run is looked at first: its row goes in the step that writes the ledger. */
  private async look<R>(runId: string): Promise<RunOutcome<R> | null> {
    const [run = null] = (await this.storage.queryRuns({ runId }, { limit: 1 })).items;
    if (run !== null && run.finishedAt === null) return null;
    const attempts = (
      await this.storage.queryAttempts({ runId }, { limit: mostAttempts })
    ).items.toReversed();
    const last = attempts.find(({ final }) => final);
    if (last) {
      const { outcome, result, error } = last;
      return { verdict: outcome as RunVerdict, result: result as R | null, error, run, attempts };
    }
    if (run === null) throw new RunNotFoundError(runId);
    return { verdict: run.state as RunVerdict, result: null, error: run.lastError, run, attempts };
  }
}
