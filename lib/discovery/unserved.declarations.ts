import { LookAfterStart } from '../engine/look.after.start.js';
import { unservedJobs } from '../engine/unserved.queues.js';
import type { ChronisEvents } from '../events/chronis.events.js';
import type { Clock } from '../ports/clock.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import type { Exploration } from './declared.job.js';

/** Who begins at the same time has registered by then. */
const graceMs = 10_000;

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
  private readonly looking: LookAfterStart;

  constructor(private readonly parts: UnservedParts) {
    const { clock, events } = parts;
    const look = (): Promise<() => void> => this.look();
    this.looking = new LookAfterStart({ clock, events, operation: 'look for queues', graceMs, look });
  }

  begin(): void {
    if (this.foreignQueues().length > 0) this.looking.begin();
    else this.looking.end();
  }

  end(): void {
    this.looking.end();
  }

  private async look(): Promise<() => void> {
    const { storage, events, app, queues } = this.parts;
    // As they are stored: what was moved to another queue at run time is served there.
    const filter = { app, source: 'code', queue: this.foreignQueues() } as const;
    const unserved = await unservedJobs(storage, { app, queues }, filter);
    return () => {
      for (const each of unserved) events.emit('jobs.unserved', each);
    };
  }

  /** Of declared jobs, those that this process does not serve. */
  private foreignQueues(): string[] {
    const declared = this.parts.explore().jobs.map(({ definition }) => definition.queue);
    return [...new Set(declared)].filter((queue) => !this.parts.queues.includes(queue));
  }
}
