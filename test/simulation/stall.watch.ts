import type { Engine } from '../../lib/engine/engine.js';
import type { JobRow } from '../../lib/memory/tables.js';
import type { SimulatedDatabase } from './simulated.database.js';
import type { VirtualProcess } from './virtual.process.js';

/** A process with an engine, as the watch sees it. */
export interface Instance {
  process: VirtualProcess;
  engine: Engine;
  /** Handlers that have begun and not ended. */
  active: Set<string>;
  concurrency: number;
  /** Whether it has the code for the job. @default of every job */
  executes?: (job: JobRow) => boolean;
}

/** How long beyond a lease a cluster that can work may stand still. */
const boundMs = 12_000;

/** Notices when nothing begins although something is due, a healthy worker has room, and the database does what it is asked. */
export class StallWatch {
  readonly stalls: string[] = [];
  /** Since when nothing has begun that could have; null: something has, or could not. */
  private since: number | null = null;

  constructor(
    private readonly database: SimulatedDatabase,
    private readonly instances: () => readonly (Instance | null)[],
    private readonly now: () => number,
    private readonly leaseMs: number,
  ) {}

  /** An execution has begun. */
  note(): void {
    this.since = null;
  }

  look(reachable: boolean): void {
    const free = this.instances().filter((instance) => instance !== null && hasRoom(instance)) as Instance[];
    const canBeDone = (job: JobRow): boolean => free.some(({ executes }) => executes?.(job) ?? true);
    const able =
      reachable &&
      this.database.writable &&
      this.database.clock.offsetMs === 0 &&
      free.length > 0 &&
      this.database.hasDueWork(canBeDone);
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
