import type { ChronisEvents } from '../events/chronis.events.js';
import type { Redactor } from '../events/redactor.js';
import type { Clock } from '../ports/clock.js';
import type { EpochMs } from '../ports/epoch.ms.js';
import type { RunProgressStorage } from '../ports/run.progress.js';
import type { AttemptProgress, ProgressWriter, Reported } from './attempt.progress.js';
import { LateWriter } from './late.writer.js';
import type { OwnScope } from './tracing.js';
import { runEvent } from './run.teller.js';

/** Writes how far attempts say they are, see `LateWriter`: of each the last word alone. Neither results nor who tells of them waits for it. */
export class RunProgresses extends LateWriter<AttemptProgress, Reported> implements ProgressWriter {
  constructor(
    /** Absent: nothing is kept, and listeners are told all the same. */
    private readonly storage: RunProgressStorage | undefined,
    clock: Clock,
    private readonly events: ChronisEvents,
    readonly redactor: Redactor,
    readonly now: () => EpochMs,
    scope: OwnScope,
  ) {
    super(clock, scope);
  }

  protected override async store(parts: readonly Reported[]): Promise<void> {
    const taken = await this.storage?.report(parts.map(({ report }) => report));
    if (!this.events.hears('run.progress')) return;
    const isTaken = taken && new Set(taken);
    for (const { run, report } of parts) {
      const { fraction, details, at } = report;
      if (isTaken?.has(run.id) === false) continue;
      const event = { ...runEvent(run, run.worker), fraction, details, at: new Date(at) };
      this.events.emit('run.progress', event);
    }
  }

  protected override tellDropped(parts: readonly Reported[], error: unknown): void {
    this.events.emit('run-progress.dropped', { runIds: parts.map(({ run }) => run.id), error });
  }
}
