import type { Instance } from './scenario.js';
import type { SimulatedDatabase } from './simulated.database.js';

/** How long beyond a lease a cluster that can work may stand still. */
const boundMs = 12_000;

/** Notices when nothing begins although something is due, a healthy worker has room, and the database does what it is asked. */
export class StallWatch {
  readonly stalls: string[] = [];
  /** Since when nothing has begun that could have; null: something has, or could not. */
  private since: number | null = null;

  constructor(
    private readonly database: SimulatedDatabase,
    private readonly instances: readonly (Instance | null)[],
    private readonly now: () => number,
    private readonly leaseMs: number,
  ) {}

  /** An execution has begun. */
  note(): void {
    this.since = null;
  }

  look(reachable: boolean): void {
    const able =
      reachable &&
      this.database.writable &&
      this.database.clock.offsetMs === 0 &&
      this.database.hasDueWork() &&
      this.instances.some((instance) => instance !== null && hasRoom(instance));
    if (!able) {
      this.since = null;
      return;
    }
    this.since ??= this.now();
    const ms = this.now() - this.since;
    if (ms <= this.leaseMs + boundMs) return;
    this.stalls.push(`nothing began for ${ms} ms until ${new Date(this.now()).toISOString()}`);
    this.since = null;
  }
}

function hasRoom({ process, engine, active, concurrency }: Instance): boolean {
  return process.awake && engine.running && active.size < concurrency;
}
