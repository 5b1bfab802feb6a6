import type { ChronisEvents } from '../events/chronis.events.js';
import { rowOperations } from '../events/storage.operations.js';
import type { PauseEndPlans, StorageAdapter } from '../ports/storage.adapter.js';
import type { StorageCalls } from './storage.calls.js';

const pausesPerCall = 1_000;

/** What it needs of its engine. */
export interface PauseEndsParts {
  storage: StorageAdapter;
  events: ChronisEvents;
  calls: StorageCalls;
  app: string;
  pollMs: number;
  /** Where jobs go on; absent: this engine ends no pauses. */
  pauseEnds?: PauseEndPlans | undefined;
  isNeeded: () => boolean;
  /** Called when pauses have ended, so that there is more to do. */
  onEnded: () => void;
}

/**
 * Ends pauses that have come to their end, beside the loop: there may be many, and somebody may have locked their jobs. The storage ends each once, however many workers ask. What it refuses to end is told
 * by its name, and tried again with the next poll.
 */
export class PauseEnds {
  private round: Promise<void> | null = null;
  private refused = new Set<string>();

  constructor(private readonly parts: PauseEndsParts) {}

  /** A pause has come to its end. */
  check(): void {
    const { calls, isNeeded } = this.parts;
    if (!isNeeded() || this.round !== null) return;
    this.round = calls
      .keepGoing('end of pauses', () => this.work(), isNeeded)
      .then(() => void (this.round = null));
  }

  /** Resolves when no call is under way any more. */
  async stop(): Promise<void> {
    await this.round;
  }

  private async work(): Promise<void> {
    const { storage, events, calls, app, pauseEnds, isNeeded, onEnded } = this.parts;
    if (storage.endPauses === undefined || pauseEnds === undefined) return;
    for (let more = true; more && isNeeded();) {
      const answer = await calls.repeat(
        'end of pauses',
        () => storage.endPauses!(app, pauseEnds, pausesPerCall),
        isNeeded,
      );
      if (answer === null) return;
      const { ended, refused = [], more: areLeft } = answer.value;
      for (const pause of ended) events.emit('pause.ended', { ...pause, origin: 'auto' });
      this.note(refused);
      if (ended.length > 0) onEnded();
      // What is refused comes first again: the next poll comes back to it.
      more = areLeft && ended.length > 0;
    }
  }

  private note(refused: readonly { row: string; error: unknown }[]): void {
    const { events, calls, pollMs } = this.parts;
    const still = new Set(refused.map(({ row }) => rowOperations.endPause(row)));
    for (const operation of this.refused) if (!still.has(operation)) calls.outages.answered(operation);
    this.refused = still;
    for (const { row, error } of refused) {
      events.emit('storage.failing', {
        operation: rowOperations.endPause(row),
        error,
        retryInMs: pollMs,
      });
    }
  }
}
