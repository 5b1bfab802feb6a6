import { unservedJobs } from '../engine/unserved.queues.js';
import type { ChronisEvents } from '../events/chronis.events.js';
import type { CancelTimer, Clock } from '../ports/clock.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import type { Exploration } from './declared.job.js';

/** Who begins at the same time has registered by then. */
const graceMs = 10_000;
const tryAgainMs = 60_000;

/** What it works with. */
export interface UnservedParts {
  storage: StorageAdapter;
  clock: Clock;
  events: ChronisEvents;
  explore: () => Pick<Exploration, 'jobs'>;
  app: string;
  /** Of this process. */
  queues: readonly string[];
}

/** Tells, soon after the start, of jobs that the code declares in queues which neither this process nor another live one serves: also of those whose time is still far away. */
export class UnservedDeclarations {
  private cancelTimer: CancelTimer | null = null;

  constructor(private readonly parts: UnservedParts) {}

  begin(): void {
    this.end();
    if (this.foreignQueues().length > 0) this.later(graceMs);
  }

  end(): void {
    this.cancelTimer?.();
    this.cancelTimer = null;
  }

  private later(pauseMs: number): void {
    const cancel = this.parts.clock.setTimer(pauseMs, () => void this.look(cancel));
    this.cancelTimer = cancel;
  }

  /** Never rejects. */
  private async look(own: CancelTimer): Promise<void> {
    const { storage, events, app, queues } = this.parts;
    const isOver = (): boolean => this.cancelTimer !== own;
    try {
      // As they are stored: what was moved to another queue at run time is served there.
      const filter = { app, source: 'code', queue: this.foreignQueues() } as const;
      const unserved = await unservedJobs(storage, { app, queues }, filter);
      if (!isOver()) for (const each of unserved) events.emit('jobs.unserved', each);
    } catch (error) {
      if (isOver()) return;
      events.emit('storage.failing', { operation: 'look for queues', error, retryInMs: tryAgainMs });
      this.later(tryAgainMs);
    }
  }

  /** Of declared jobs, those that this process does not serve. */
  private foreignQueues(): string[] {
    const declared = this.parts.explore().jobs.map(({ definition }) => definition.queue);
    return [...new Set(declared)].filter((queue) => !this.parts.queues.includes(queue));
  }
}
