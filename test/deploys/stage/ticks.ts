import type { Job } from '../../../lib/index.js';
import type { Schedule } from '../language/schedules.js';

/** The time of one scenario, counted in ticks since it began. */
export class Ticks {
  /** Of intervals: the first one that each job had. */
  private readonly anchors = new Map<string, number>();

  constructor(
    /** A full second. */
    readonly begin: number,
    /** Full seconds, of which 60 is a multiple twelve times. */
    readonly tickMs: number,
  ) {}

  /** As a decorator takes it. */
  scheduleOf({ kind, every, offset }: Schedule): string | number {
    if (kind === 'interval') return every * this.tickMs;
    const step = (every * this.tickMs) / 1_000;
    const first = ((this.begin + offset * this.tickMs) / 1_000) % step;
    return step === 60 ? `${first} * * * * *` : `${first}-59/${step} * * * * *`;
  }

  /** Whether a job has this schedule. */
  isOf(schedule: Schedule, { id, trigger }: Job): boolean {
    const own = this.scheduleOf(schedule);
    if (trigger.type === 'cron') return trigger.expression === own;
    if (trigger.type !== 'interval' || trigger.every !== own || trigger.anchor === undefined) return false;
    if (!this.anchors.has(id)) this.anchors.set(id, Date.parse(trigger.anchor));
    return true;
  }

  /** The instants of a schedule after `from`, until `to`. `id`: of its job. */
  instantsOf({ kind, every, offset }: Schedule, id: string, from: number, to: number): number[] {
    const step = every * this.tickMs;
    const anchor = kind === 'cron' ? this.begin + offset * this.tickMs : (this.anchors.get(id) ?? NaN);
    const instants: number[] = [];
    for (let k = Math.floor((from - anchor) / step) + 1; anchor + k * step <= to; k++)
      instants.push(anchor + k * step);
    return instants;
  }

  /** For messages. */
  at(instant: number): string {
    return `${Math.round(((instant - this.begin) / this.tickMs) * 10) / 10}`;
  }
}
