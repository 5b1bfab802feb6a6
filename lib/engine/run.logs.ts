import type { ChronisEvents } from '../events/chronis.events.js';
import type { Clock } from '../ports/clock.js';
import type { EpochMs } from '../ports/epoch.ms.js';
import type { NewRunLogPart, RunLogStorage } from '../ports/run.logs.js';
import type { AttemptLog, LogWriter } from './attempt.log.js';
import type { OwnScope } from './tracing.js';
import { LateWriter } from './late.writer.js';

/** Writes what attempts have logged, see `LateWriter`, and what an attempt has left when that ends. Results do not wait for it; who tells of them does. */
export class RunLogs extends LateWriter<AttemptLog, NewRunLogPart> implements LogWriter {
  constructor(
    private readonly storage: RunLogStorage,
    clock: Clock,
    private readonly events: ChronisEvents,
    readonly now: () => EpochMs,
    scope: OwnScope,
  ) {
    super(clock, scope);
  }

  protected override store(parts: readonly NewRunLogPart[]): Promise<void> {
    return this.storage.append(parts);
  }

  protected override tellDropped(parts: readonly NewRunLogPart[], error: unknown): void {
    const lines = parts.reduce((sum, part) => sum + part.lines.length, 0);
    const runIds = [...new Set(parts.map(({ runId }) => runId))];
    this.events.emit('run-log.dropped', { runIds, lines, error });
  }
}
