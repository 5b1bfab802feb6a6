import { LookAfterStart } from '../engine/look.after.start.js';
import type { ChronisEvents } from '../events/chronis.events.js';
import type { Calendars } from '../model/trigger.js';
import type { Clock } from '../ports/clock.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import { jobsAhead } from './jobs.ahead.js';

const graceMs = 1_000;

interface AheadNoticeParts {
  storage: StorageAdapter;
  clock: Clock;
  events: ChronisEvents;
  calendars: Calendars;
  app: string;
}

/** Tells which jobs stand still as the clock was ahead: soon after the start of a process, and when the clock has gone back and is followed. */
export class AheadNotice {
  private readonly look: LookAfterStart;
  private stopListening: (() => void) | null = null;

  constructor(private readonly parts: AheadNoticeParts) {
    const { storage, clock, events } = parts;
    const look = async (): Promise<() => void> => {
      const jobs = await jobsAhead(storage, { ...parts, aheadMs: 0 });
      return () => void (jobs.length > 0 && events.emit('schedules.ahead', { jobs }));
    };
    this.look = new LookAfterStart({ clock, events, operation: 'look for jobs ahead', graceMs, look });
  }

  begin(): void {
    this.end();
    this.look.begin();
    this.stopListening = this.parts.events.on('clock.leapt', ({ byMs, state }) => {
      if (state === 'followed' && byMs < 0) this.look.begin();
    });
  }

  end(): void {
    this.stopListening?.();
    this.stopListening = null;
    this.look.end();
  }
}
